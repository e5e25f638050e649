//! Owns the reading of a shell command for the file names that may stand in it, and for known traps.
//! Does not judge whether a command is allowed: anything that a shell runs is fine.
//! Invariant: a word too many costs one look at the disk; a command is never refused for how it is written.

/// The words of a shell command that could name a file, in order, each once: quotes removed, split at white space, at
/// shell operators, and at `=`; a quoted script (`sh -c "..."`) gives its own words as well.
#[must_use]
pub fn list_command_words(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect_words(&name_known_places(command), 3, &mut found);
    found
}

/// The command with `.` for its own folder and `~` for the home, however it says them.
#[must_use]
pub fn name_known_places(command: &str) -> String {
    let places = [
        ("${PWD}", "."),
        ("$PWD", "."),
        ("$(pwd)", "."),
        ("`pwd`", "."),
        ("$(git rev-parse --show-toplevel)", "."),
        ("${HOME}", "~"),
        ("$HOME", "~"),
    ];
    let named = |text: String, (said, place): &(&str, &str)| {
        // `$HOMEPAGE` is another variable.
        let mut parts = text.split(said);
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let ends = !part.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
            let is_named = ends || !said.ends_with(char::is_alphabetic);
            whole += if is_named { place } else { said };
            whole += part;
        }
        whole
    };
    places.iter().fold(command.to_owned(), named)
}

fn collect_words(command: &str, depth: u8, found: &mut Vec<String>) {
    let raw = split_raw_words(command);
    for (at, word) in raw.iter().enumerate().filter(|(_, word)| !word.is_empty()) {
        let mut add = |word: &str| {
            if !word.is_empty() && !found.iter().any(|known| known == word) {
                found.push(word.to_owned());
            }
        };
        add(word);
        if let Some((_, value)) = word.split_once('=') {
            add(value);
        }
        if at > 0 && raw[at - 1] == "-m" {
            add(&format!("{}.py", word.replace('.', "/")));
            add(&format!("{}/__main__.py", word.replace('.', "/")));
        }
        if depth > 0 && word.contains([' ', ';', '|', '&']) {
            collect_words(word, depth - 1, found);
        }
    }
}

fn split_raw_words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        let Some(word) = words.last_mut() else { break };
        match (quote, letter) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None | Some('"'), '\\') => word.extend(letters.next()),
            (None, letter) if letter.is_whitespace() || "();<>|&`{}$".contains(letter) => {
                words.push(String::new());
            }
            (_, letter) => word.push(letter),
        }
    }
    words
}

/// Does the command end in a `grep` that counts? `grep -c` exits with 1 when it counts zero, the moment of success.
#[must_use]
pub fn ends_in_counting_grep(command: &str) -> bool {
    let last = command
        .rsplit(['|', ';', '&', '\n'])
        .find(|part| !part.trim().is_empty())
        .unwrap_or_default();
    let mut words = last.split_whitespace();
    let is_grep = words.any(|word| {
        matches!(
            word.rsplit('/').next(),
            Some("grep" | "egrep" | "fgrep" | "rg")
        )
    });
    let counts = |word: &str| {
        word == "--count"
            || (word.starts_with('-') && !word.starts_with("--") && word.contains('c'))
    };
    is_grep && words.take_while(|word| word.starts_with('-')).any(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_through_quotes_operators_and_assignments() {
        assert_eq!(
            list_command_words(
                r#"cd src && A=b ./scripts/x.sh --config="my file.json" | (tail -n1; cat 'c d')"#
            )
            .join(" "),
            "cd src A=b b ./scripts/x.sh --config=my file.json my file.json --config=my my file.json tail -n1 cat c d c d"
        );
        assert!(list_command_words("sh -c 'node count.js; true'").contains(&"count.js".to_owned()));
        assert!(list_command_words("python -m bench.run").contains(&"bench/run.py".to_owned()));
        assert!(list_command_words(r"sh my\ script.sh").contains(&"my script.sh".to_owned()));
    }

    #[test]
    fn the_own_folder_and_the_home_are_named_however_a_command_says_them() {
        for (command, named) in [
            ("sh $PWD/x.sh", "sh ./x.sh"),
            ("sh \"${PWD}\"/x.sh", "sh \".\"/x.sh"),
            ("sh $(pwd)/x.sh; . `pwd`/y", "sh ./x.sh; . ./y"),
            (
                ". $HOME/x ${HOME}/y $HOMEPAGE/z $HOME",
                ". ~/x ~/y $HOMEPAGE/z ~",
            ),
            ("sh $(git rev-parse --show-toplevel)/x.sh", "sh ./x.sh"),
        ] {
            assert_eq!(name_known_places(command), named);
        }
        let words = list_command_words("cat \"$PWD\"/data/x ~/y");
        assert_eq!(words.join(" "), "cat ./data/x ~/y");
    }

    #[test]
    fn a_counting_grep_is_recognised_where_its_status_counts() {
        for command in [
            "grep -c any src/a.ts",
            "cat x | grep -ic any",
            "set -e; /bin/grep --count x y",
            "rg -c x",
        ] {
            assert!(ends_in_counting_grep(command), "{command}");
        }
        for command in [
            "grep -c x y || true",
            "grep -c x y | tail -1",
            "grep -o x y | wc -l",
            "grep x -c-file",
            "echo grep",
        ] {
            assert!(!ends_in_counting_grep(command), "{command}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_command_is_read_without_a_panic(command in "(?s).{0,120}") {
            let _ = list_command_words(&command);
            let _ = ends_in_counting_grep(&command);
        }
    }
}
