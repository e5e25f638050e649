//! Owns the quoting of a word for a shell, in the commands that we tell a person or an agent to type.
//! Does not run anything.
//! Invariant: a POSIX shell reads the quoted text as one word with the same bytes.

/// `text` as a shell takes it: bare where that is safe, else in single quotes.
#[must_use]
pub fn quote_word(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+@%:,=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
