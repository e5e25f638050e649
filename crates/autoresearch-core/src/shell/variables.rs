//! Owns the question which variables a shell text takes from its environment.
//! Does not know their values.
//! Invariant: a variable that the text sets before it uses it is not named.

use std::collections::{BTreeMap, BTreeSet};

/// The variables that a shell text takes from its environment: `$NAME` and `${NAME...}` outside of single quotes, but for
/// those that it sets itself first and those that every shell sets.
#[must_use]
pub fn list_variables(text: &str) -> BTreeSet<String> {
    let letters: Vec<char> = text.chars().collect();
    let set_at = list_settings(&letters);
    let mut found = BTreeSet::new();
    let (mut single, mut double) = (false, false);
    let mut at = 0;
    while at < letters.len() {
        match letters[at] {
            '\\' if !single => at += 1,
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '$' if !single => {
                let mut start = at + 1;
                if letters.get(start) == Some(&'{') {
                    start += 1;
                    if letters
                        .get(start)
                        .is_some_and(|letter| "#!".contains(*letter))
                    {
                        start += 1;
                    }
                }
                let name = read_name_at(&letters, start);
                let is_set = set_at.get(&name).is_some_and(|set| *set <= at);
                if !name.is_empty() && !is_shell_own(&name) && !is_set {
                    found.insert(name);
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Variables that every shell sets by itself.
fn is_shell_own(name: &str) -> bool {
    let own = "PWD OLDPWD IFS PPID OPTARG OPTIND PS1 PS2 PS4 LINENO RANDOM SECONDS UID EUID SHLVL HOSTNAME HOSTTYPE OSTYPE \
        MACHTYPE REPLY BASH BASHPID BASH_SOURCE BASH_VERSION FUNCNAME PIPESTATUS TERM COLUMNS LINES _";
    own.split_ascii_whitespace().any(|own| own == name)
}

fn read_name_at(letters: &[char], start: usize) -> String {
    let name: String = letters
        .iter()
        .skip(start)
        .take_while(|letter| letter.is_ascii_alphanumeric() || **letter == '_')
        .collect();
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        String::new()
    } else {
        name
    }
}

/// Where a variable is set for the first time, and is from there on: `NAME=...`, `for NAME`, `read NAME`.
fn list_settings(letters: &[char]) -> BTreeMap<String, usize> {
    let is_between = |letter: &char| letter.is_whitespace() || ";&|(){}".contains(*letter);
    let mut found = BTreeMap::new();
    let mut last = String::new();
    let mut end = 0;
    for letters_of_word in letters.split(is_between) {
        end += letters_of_word.len();
        let word: String = letters_of_word.iter().collect();
        if let Some((name, _)) = word.split_once('=') {
            // The value itself may still use what was there before.
            found.entry(name.to_owned()).or_insert(end + 1);
        }
        if ["for", "read", "-r", "getopts", "local"].contains(&last.as_str()) {
            found.entry(word.clone()).or_insert(end);
        }
        if !word.is_empty() {
            last = word;
        }
        end += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_read_in_one_pass_however_many_variables_it_has() {
        let uses: Vec<String> = (0..30_000)
            .map(|number| format!("N{number}=$N{number} "))
            .collect();
        let found = list_variables(&format!("{} $N1 $M", uses.concat()));
        // Each value is what was there before it was set.
        assert_eq!(found.len(), 30_001);
        let set: Vec<String> = (0..30_000)
            .map(|number| format!("N{number}=1; a $N{number};"))
            .collect();
        assert_eq!(list_variables(&set.concat()), BTreeSet::new());
    }

    #[test]
    fn variables_are_those_that_the_environment_has_to_give() {
        let of = |text: &str| {
            list_variables(text)
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            of("echo $((${CUDA_VISIBLE_DEVICES:-0} + 10))"),
            "CUDA_VISIBLE_DEVICES"
        );
        assert_eq!(
            of("a \"$X\" ${Y%.c} ${#Z} $1 $? $$ $PWD '$NO' \\$NO"),
            "X Y Z"
        );
        assert_eq!(of("tmp=$(mktemp); cat \"$tmp\""), "");
        assert_eq!(
            of("for f in *; do a $f; done; while read -r l; do b $l; done"),
            ""
        );
        assert_eq!(of("PYTHONPATH=src:$PYTHONPATH python3 x.py"), "PYTHONPATH");
        assert_eq!(of("N=${N:-3}; echo $N"), "N");
        assert_eq!(of("echo \"it's $A\" 'b' $C"), "A C");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,80}") {
            let _ = list_variables(&text);
        }

        #[test]
        fn a_variable_is_found_unless_it_was_set_before(name in "[A-Z]{2,6}", value in "[a-z0-9]{1,5}") {
            let name = format!("X{name}");
            let (quoted, late) = (format!("a \"${{{name}:-1}}\""), format!("a ${name}; {name}={value}"));
            proptest::prop_assert!(list_variables(&quoted).contains(&name));
            proptest::prop_assert!(list_variables(&late).contains(&name));
            let set = list_variables(&format!("{name}={value}; a ${name}"));
            proptest::prop_assert!(set.is_empty());
        }
    }

    #[test]
    fn names_are_read_in_every_form_and_place_that_a_shell_expands() {
        for (text, names) in [
            ("", ""),
            ("$A$B", "A B"),
            ("${A}x ${!B} ${#C}", "A B C"),
            ("\"${A:-$B}\"", "A B"),
            ("\"$A\"'$B'\"$C\"", "A C"),
            ("\\$A \\\\$B", "B"),
            ("'it'\\''s $A' $B", "B"),
            ("$1A ${10} $@ $* $# $- $!", ""),
            ("$_ $RANDOM $LINENO $A_1", "A_1"),
            ("$ ${ $", ""),
            ("$(cat $A)", "A"),
            ("`cat $A`", "A"),
        ] {
            let found: Vec<String> = list_variables(text).into_iter().collect();
            assert_eq!(found.join(" "), names, "{text}");
        }
    }

    #[test]
    fn what_is_set_in_the_text_counts_from_there_on() {
        for (text, names) in [
            ("A=1; b $A", ""),
            ("b $A; A=1", "A"),
            ("export A=1 B=$A; c $B", ""),
            ("(A=1); b $A", ""),
            ("AA=1; b $A", "A"),
            ("b=A; c $A", "A"),
            ("for A in 1; do b $A; done", ""),
            ("read A; b $A", ""),
            ("read -r A; b $A", ""),
            ("local A; b $A", ""),
            ("echo A; b $A", "A"),
            ("A=$A", "A"),
        ] {
            let found: Vec<String> = list_variables(text).into_iter().collect();
            assert_eq!(found.join(" "), names, "{text}");
        }
    }
}
