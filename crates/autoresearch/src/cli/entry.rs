//! Owns which part of the one program a process is: the command line, the session hook or the supervisor.
//! Does not run it; each part has a failure policy that holds from its first line.
//! Invariant: what is not certainly a hook or a supervisor is the command line, which says what is wrong.

use std::ffi::OsString;
use std::path::Path;

use autoresearch_codex::config::our_hooks::HOOKS;

/// A part of the program, with the words that are for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProgramEntry<'a> {
    CommandLine,
    Hook(&'a [OsString]),
    Supervisor(&'a [OsString]),
}

/// The part that was called: by the name of the program, else by its first word.
///
/// The hidden words count only with what our own callers write behind them, so that somebody who mistypes `hooks` is told.
pub(super) fn find_entry(words: &[OsString]) -> ProgramEntry<'_> {
    let (name, rest) = match words {
        [name, rest @ ..] => (Path::new(name).file_name(), rest),
        [] => return ProgramEntry::CommandLine,
    };
    match name.and_then(|name| name.to_str()) {
        Some("autoresearch-hook") => return ProgramEntry::Hook(rest),
        Some("autoresearch-supervisor") => return ProgramEntry::Supervisor(rest),
        _ => {}
    }
    match rest {
        [word, rest @ ..] if word == "hook" && is_hook_event(rest) => ProgramEntry::Hook(rest),
        [word, rest @ ..] if word == "supervisor" && names_run(rest) => {
            ProgramEntry::Supervisor(rest)
        }
        _ => ProgramEntry::CommandLine,
    }
}

fn is_hook_event(words: &[OsString]) -> bool {
    matches!(words, [event] if HOOKS.iter().any(|hook| event == hook.word))
}

fn names_run(words: &[OsString]) -> bool {
    matches!(words, [first, _, third, _] if first == "-C" && third == "--run")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_of(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match find_entry(&words) {
            ProgramEntry::CommandLine => "command line".to_owned(),
            ProgramEntry::Hook(rest) => format!("hook, {} words", rest.len()),
            ProgramEntry::Supervisor(rest) => format!("supervisor, {} words", rest.len()),
        }
    }

    #[test]
    fn the_name_of_the_program_decides_whatever_follows() {
        assert_eq!(entry_of("/opt/bin/autoresearch-hook stop"), "hook, 1 words");
        assert_eq!(entry_of("autoresearch-hook something new"), "hook, 2 words");
        assert_eq!(entry_of("autoresearch-supervisor"), "supervisor, 0 words");
        assert_eq!(entry_of("autoresearch stop"), "command line");
        assert_eq!(find_entry(&[]), ProgramEntry::CommandLine);
    }

    #[test]
    fn a_hidden_word_counts_only_as_our_own_callers_write_it() {
        assert_eq!(entry_of("autoresearch hook session-start"), "hook, 1 words");
        let line = "autoresearch supervisor -C /r --run demo";
        assert_eq!(entry_of(line), "supervisor, 4 words");
        for line in [
            "autoresearch hook",
            "autoresearch hook status",
            "autoresearch hook stop now",
            "autoresearch supervisor",
            "autoresearch -C /r hook stop",
        ] {
            assert_eq!(entry_of(line), "command line", "{line}");
        }
    }
}
