//! Owns the names that git gives to its objects: `CommitId`, `TreeId` and `BlobId`.
//! Does not know whether the object exists.
//! Invariant: a name that git gave is a whole hash, of SHA-1 or SHA-256; one of a record is what the record says.

use std::ffi::OsStr;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

/// The digits of a hash: of SHA-1, and of SHA-256.
const LENGTHS: [usize; 2] = [40, 64];

/// How many digits people are told.
const SHORT: usize = 7;

/// Declares the name of a kind of object.
macro_rules! declare_object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name in an answer of git's; none where the text is not a whole hash.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                is_whole_hash(text).then(|| Self(text.to_owned()))
            }

            /// The name of which a library has the bytes.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Self {
                Self(format_hex(bytes))
            }

            /// What git takes for an object that is not there.
            #[must_use]
            pub fn to_null(&self) -> Self {
                Self("0".repeat(self.0.len()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl AsRef<OsStr> for $name {
            fn as_ref(&self) -> &OsStr {
                OsStr::new(&self.0)
            }
        }
    };
}

declare_object_id! {
    /// The whole hash of a commit.
    CommitId
}

declare_object_id! {
    /// The whole hash of a tree: what a commit holds, without its history.
    TreeId
}

impl CommitId {
    /// What a record says, whatever it is.
    pub(super) fn of_record(text: String) -> Self {
        Self(text)
    }

    /// The first seven digits, as people are told.
    #[must_use]
    pub fn short(&self) -> &str {
        let end = self.0.char_indices().nth(SHORT).map(|(at, _)| at);
        end.map_or(self.as_str(), |end| &self.0[..end])
    }
}

declare_object_id! {
    /// The whole hash of the bytes of a file.
    BlobId
}

fn is_whole_hash(text: &str) -> bool {
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    LENGTHS.contains(&text.len()) && text.bytes().all(is_digit)
}

fn format_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A text takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_hash_of_either_kind_is_read_from_an_answer() {
        let (sha1, sha256) = ("0123456789".repeat(4), "abcdef00".repeat(8));
        for hash in [&sha1, &sha256] {
            let tree = TreeId::parse(hash).unwrap();
            assert_eq!(tree.as_str(), hash);
            assert_eq!(tree.to_string(), *hash);
        }
        for text in [
            "",
            "HEAD",
            "0123456",
            &sha1.to_uppercase().replace('0', "A"),
            &sha1.replace('9', "g"),
            &sha1.replace("89", "é"),
            &format!("{sha1}\n"),
            &format!("{sha1}{sha1}"),
        ] {
            assert_eq!(TreeId::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_commit_is_shown_by_its_first_seven_digits_and_is_missing_by_as_many_zeros_as_it_has() {
        for (text, short) in [
            ("0123456789abcdef0123456789abcdef01234567", "0123456"),
            ("c1", "c1"),
            ("zu kürz!", "zu kürz"),
        ] {
            let commit = CommitId::of_record(text.to_owned());
            assert_eq!(commit.short(), short);
        }
        for digits in LENGTHS {
            let commit = CommitId::parse(&"f".repeat(digits)).unwrap();
            assert_eq!(commit.to_null().as_str(), "0".repeat(digits));
        }
    }

    #[test]
    fn the_bytes_of_a_library_are_the_digits_that_git_prints() {
        let bytes: Vec<u8> = (0..20).map(|number| number * 13).collect();
        let tree = TreeId::from_bytes(&bytes);
        assert_eq!(tree.as_str(), "000d1a2734414e5b6875828f9ca9b6c3d0ddeaf7");
        assert_eq!(TreeId::parse(tree.as_str()), Some(tree));
    }

    #[test]
    fn a_name_is_a_plain_text_on_disk_and_any_text_of_a_record_is_read() {
        let text = format!("\"{}\"", "7".repeat(40));
        let tree: TreeId = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&tree).unwrap(), text);
        let odd: TreeId = serde_json::from_str("\"t1\"").unwrap();
        assert_eq!(odd.as_str(), "t1");
    }
}
