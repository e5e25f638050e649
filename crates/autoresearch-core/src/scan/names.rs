//! Owns what can be said of a name that a repository gives: its ending, and whether a command may hold it.
//! Does not read a file.
//! Invariant: a plain name means itself in a shell and in a pattern, and names nothing outside of its folder.

/// The ending of a file's name.
#[must_use]
pub(super) fn find_ending(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

/// A name that may stand in a command and a pattern as it is: no option, and no way out of the folder it is put into.
pub(super) fn is_plain_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-@/+".contains(letter);
    !name.is_empty()
        && name.len() <= 100
        && !name.starts_with(['-', '/'])
        && name.chars().all(plain)
        && !name.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_no_option_and_no_way_out() {
        for name in ["a", "a.c", "@scope/pkg", "lib/a-b_c+", "a..b"] {
            assert!(is_plain_name(name), "{name}");
        }
        let long = "x".repeat(101);
        for name in [
            "", "-rf", "/etc", "../a", "a/..", "a b", "a;b", "$(x)", "a\nb", "ä", "`x`", "a*",
            &long,
        ] {
            assert!(!is_plain_name(name), "{name}");
        }
    }

    #[test]
    fn an_ending_is_that_of_the_last_part() {
        for (path, ending) in [
            ("a.tar.gz", "gz"),
            ("a.d/b", ""),
            ("Makefile", ""),
            ("a/b.rs", "rs"),
        ] {
            assert_eq!(find_ending(path), ending, "{path}");
        }
    }
}
