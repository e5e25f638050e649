//! Owns the name of a run: a folder, a branch and a word to type.
//! Does not know which names are taken.
//! Invariant: a name is letters of `a-z0-9-`, starting and ending with a letter or digit; a made one has at most 30.

/// The longest name that is made from a goal: people type it, and it stands in a branch name.
const MADE: usize = 30;
/// The longest name that a person may choose.
const MAX: usize = 40;

/// Makes a name from a tag or a goal; `run` when nothing of it can be used.
#[must_use]
pub fn make_run_name(text: &str) -> String {
    let mut name = String::new();
    for word in text
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let next = if name.is_empty() {
            word.to_owned()
        } else {
            format!("{name}-{word}")
        };
        if next.len() > MADE {
            if name.is_empty() {
                name = word.chars().take(MADE).collect();
            }
            break;
        }
        name = next;
    }
    if name.is_empty() {
        "run".to_owned()
    } else {
        name
    }
}

/// Is this text a name that `slug` could have made?
#[must_use]
pub fn is_run_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=MAX + 4).contains(&bytes.len())
        && bytes.iter().all(|byte| letter(*byte) || *byte == b'-')
        && bytes.first().is_some_and(|byte| letter(*byte))
        && bytes.last().is_some_and(|byte| letter(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_becomes_a_name_of_whole_words() {
        assert_eq!(
            make_run_name("Get rid of the `any` types!"),
            "get-rid-of-the-any-types"
        );
        assert_eq!(make_run_name("Ünïcode/../only?"), "n-code-only");
        assert_eq!(make_run_name("……"), "run");
        assert_eq!(
            make_run_name("why does the API return so many 503 responses in production on Mondays"),
            "why-does-the-api-return-so"
        );
        assert_eq!(
            make_run_name("donaudampfschifffahrtsgesellschaftskapitaen"),
            "donaudampfschifffahrtsgesellsc"
        );
        assert_eq!(
            make_run_name("0123456789 0123456789 01234567"),
            "0123456789-0123456789-01234567"
        );
    }

    #[test]
    fn names_that_were_made_when_they_could_be_longer_are_still_names() {
        assert!(is_run_name("why-does-the-api-return-so-many-503-12"));
        assert!(is_run_name(&format!("{}-123", "a".repeat(40))));
        assert!(!is_run_name(&"a".repeat(45)));
    }

    proptest::proptest! {
        #[test]
        fn every_slug_is_a_name(text in ".{0,100}") {
            proptest::prop_assert!(is_run_name(&make_run_name(&text)));
        }
    }

    #[test]
    fn paths_and_options_are_no_names() {
        for text in ["", "..", "a/b", "-x", "x-", "A", "a b"] {
            assert!(!is_run_name(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_letters_digits_and_hyphens_within() {
        for (text, is_name) in [
            ("a", true),
            ("7", true),
            ("a-b", true),
            ("a--b", true),
            ("2026-11-27", true),
            ("-a", false),
            ("a-", false),
            ("-", false),
            ("a_b", false),
            ("a.b", false),
            ("é", false),
            ("a\n", false),
        ] {
            assert_eq!(is_run_name(text), is_name, "{text:?}");
        }
        assert!(is_run_name(&"a".repeat(44)));
    }

    proptest::proptest! {
        #[test]
        fn a_made_name_is_short_stays_as_it_is_and_has_words_of_the_goal(goal in "[a-zA-Z0-9 ,.é-]{0,80}") {
            let name = make_run_name(&goal);
            proptest::prop_assert!(name.len() <= MADE);
            proptest::prop_assert_eq!(make_run_name(&name), name.as_str());
            let goal = goal.to_lowercase();
            proptest::prop_assert!(name == "run" || name.split('-').all(|word| goal.contains(word)));
        }
    }
}
