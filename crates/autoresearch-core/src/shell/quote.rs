//! Owns the quoting of a word for a shell, in the commands that we tell a person or an agent to type.
//! Does not run anything.
//! Invariant: a POSIX shell reads the quoted text as one word with the same bytes.

use std::path::Path;

/// `text` as a shell takes it: bare where that is safe, else in single quotes.
///
/// No more is quoted than has to be: Codex applies a rule only to a program that is typed without quotes.
#[must_use]
pub fn quote_word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+@%:,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A path as one word of a command.
#[must_use]
pub fn quote_path(path: &Path) -> String {
    quote_word(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_split_or_expand_it_and_nowhere_else() {
        for (text, word) in [
            ("/home/me/r", "/home/me/r"),
            ("/home/größe/50%=a,b:c@d+e", "/home/größe/50%=a,b:c@d+e"),
            ("/my work/r", "'/my work/r'"),
            ("/it's/$r", r"'/it'\''s/$r'"),
            ("~me", "'~me'"),
            ("", "''"),
        ] {
            assert_eq!(quote_path(Path::new(text)), word);
        }
    }
}
