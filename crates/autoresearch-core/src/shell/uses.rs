//! Owns the question which files a command makes or takes away itself, and which it does nothing with but read.
//! Does not look at the disk.
//! Invariant: a file of which a program that is not known here hears is not said to be only read.

use std::collections::BTreeSet;

use crate::shell::words::name_known_places;
use crate::shell::{Script, SimpleCommand, Word, read_script};

/// Programs that read the files they are given, and nothing else.
const READERS: &str = "[ test [[ cat head tail wc grep egrep fgrep rg sort uniq cut jq diff cmp comm paste nl tac stat du \
    md5sum sha256sum cksum";
/// Programs that make, change or take away the files they are given.
const MAKERS: &str = "rm mv cp mkdir rmdir touch tee ln install tar unzip truncate mktemp split";
/// Options whose value is a file that a program writes, joined by `=` or before it.
const OUTPUTS: &str = "-o --out --output --outfile --out-file --output-file --report --log --log-file --junitxml --junit-xml \
    --target-dir --out-dir --outdir --output-dir --export-json --cov-report --profile --trace";
/// How deep substitutions in substitutions are read.
const DEPTH: u8 = 4;

/// The files of a command by what it does with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileUses {
    /// Written or taken away by the command itself.
    pub made: BTreeSet<String>,
    /// Only read, as far as the command tells.
    pub read: BTreeSet<String>,
}

/// What a command says of its files.
#[must_use]
pub fn find_file_uses(command: &str) -> FileUses {
    let mut found = FoundUses::default();
    found.read_script(&read_script(&name_known_places(command)), DEPTH);
    let FoundUses { made, read, other } = found;
    let elsewhere = |word: &String| {
        let below = |folder: &&String| {
            let rest = word.strip_prefix(folder.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        made.iter().chain(&other).any(|folder| below(&folder))
    };
    let read = read.into_iter().filter(|word| !elsewhere(word)).collect();
    FileUses { made, read }
}

#[derive(Default)]
struct FoundUses {
    made: BTreeSet<String>,
    read: BTreeSet<String>,
    /// What other programs hear of.
    other: BTreeSet<String>,
}

impl FoundUses {
    fn read_script(&mut self, script: &Script, depth: u8) {
        for simple in &script.commands {
            self.read_command(simple, depth);
        }
        for nested in script.nested.iter().filter(|_| depth > 0) {
            self.read_script(&read_script(nested), depth - 1);
        }
    }

    fn read_command(&mut self, simple: &SimpleCommand, depth: u8) {
        self.made.extend(simple.outputs.iter().cloned());
        self.read.extend(simple.inputs.iter().cloned());
        let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
        let Some((program, rest)) = words.split_first() else {
            return;
        };
        let listed = |list: &str| list.split_ascii_whitespace().any(|name| name == *program);
        let is_option = |word: &str| word.len() > 1 && word.starts_with('-');
        let files = rest.iter().filter(|word| !is_option(word));
        let files = files.map(|word| (*word).to_owned());
        if listed(READERS) {
            let given = simple.words.iter().skip(1);
            let given = given.filter(|word| !is_option(&word.text) && is_path(word));
            self.read.extend(given.map(|word| word.text.clone()));
            return;
        }
        if listed(MAKERS) {
            self.made.extend(files);
            return;
        }
        for (at, word) in rest.iter().enumerate() {
            let output = |flag: &str| OUTPUTS.split_ascii_whitespace().any(|known| known == flag);
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (*word, rest.get(at + 1).copied()),
            };
            if output(flag) {
                self.made.extend(value.map(ToOwned::to_owned));
            }
            if depth > 0 && word.contains([' ', '\n', ';']) {
                self.read_script(&read_script(word), depth - 1);
            }
        }
        // A sourced file and a script are looked for on their own account, and so is what they read.
        if !["sh", "bash", "dash", ".", "source"].contains(program) {
            self.other.extend(files);
        }
    }
}

/// Could a word be a file, and no number, pattern or text?
fn is_path(word: &Word) -> bool {
    let text = word.text.as_str();
    let plain = |letter: char| letter.is_alphanumeric() || "._-/+@~*?".contains(letter);
    let named = text.contains(['.', '/']) && text.chars().any(char::is_alphabetic);
    // No shell expands a pattern in quotes, but for one behind a quoted folder.
    let expands = !word.quoted || text.starts_with("./") || text.starts_with("~/");
    named && text.chars().all(plain) && (expands || !text.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: &str) -> Vec<String> {
        find_file_uses(command).read.into_iter().collect()
    }

    fn made(command: &str) -> Vec<String> {
        find_file_uses(command).made.into_iter().collect()
    }

    #[test]
    fn what_only_readers_hear_of_is_read() {
        assert_eq!(
            read("[ -f local.env ] && . ./x; cat data/w.txt"),
            ["data/w.txt", "local.env"]
        );
        assert_eq!(
            read("n=$(grep -c any src/a.txt); [ \"$n\" -gt 0.5 ]"),
            ["src/a.txt"]
        );
        assert_eq!(read("jq a < out/b.json"), ["out/b.json"]);
        assert_eq!(read("grep -c '*.b' data/*.txt"), ["data/*.txt"]);
        assert_eq!(
            read("find . -name *.log; rm -f *.log"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_another_program_may_write_is_not_only_read() {
        for command in [
            "./bench > out.txt; tail -1 out.txt",
            "./bench -o out.txt && tail -1 out.txt",
            "./bench --json out.txt && tail -1 out.txt",
            "./bench build && tail -1 build/out.txt",
            "tail -1 out/r.txt; rm -rf out",
            "sh -c './bench > out.txt'; cat out.txt",
        ] {
            assert_eq!(read(command), Vec::<String>::new(), "{command}");
        }
    }

    #[test]
    fn what_a_command_makes_or_takes_away_is_told_by_program_option_and_redirection() {
        assert_eq!(
            made("mkdir -p a; x --output=b -o c > d; tee e; rm -rf f"),
            ["a", "b", "c", "d", "e", "f"]
        );
        assert_eq!(made("cat a; sh b"), Vec::<String>::new());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(command in "(?s).{0,120}") {
            let _ = find_file_uses(&command);
        }
    }
}
