//! Owns the form of a journal: one JSON object a line, numbered, each with the hash of the line before it.
//! Does not read or write files.
//! Invariant: a line that was changed, removed, added or moved breaks the chain at a number that can be named.

use sha2::{Digest, Sha256};

use crate::journal::event::{Event, Record};

/// The `prev` of the first record.
pub const ROOT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The last link of a chain: what the next record must follow.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChainHead {
    /// The number of the next record.
    pub next: u64,
    /// The hash of the last line, in hex.
    pub hash: String,
    /// The length of the journal up to and including the last line, in bytes.
    pub length: u64,
}

impl Default for ChainHead {
    fn default() -> Self {
        Self {
            next: 0,
            hash: ROOT.to_owned(),
            length: 0,
        }
    }
}

/// Why a line does not belong where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The line is not a record.
    #[error("line {line} is not a record: {reason}")]
    NotARecord {
        /// The line's number, from 1.
        line: u64,
        reason: String,
    },
    /// The record's number or hash is not the one that follows.
    #[error("line {line} does not follow the line before it: the journal was edited")]
    Broken {
        /// The line's number, from 1.
        line: u64,
    },
}

#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> String {
    let mut hasher = PieceHasher::default();
    hasher.add_piece(bytes);
    hasher.into_hash()
}

/// The same hash of bytes that come in pieces.
#[derive(Default)]
pub struct PieceHasher(Sha256);

impl PieceHasher {
    pub fn add_piece(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    #[must_use]
    pub fn into_hash(self) -> String {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finalize() {
            for half in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
            }
        }
        hex
    }
}

impl ChainHead {
    /// The line (without its newline) that records an event after this head.
    ///
    /// # Panics
    ///
    /// Never: records have string keys and no failing serialiser.
    #[must_use]
    pub fn format_record(&self, at: &str, event: Event) -> String {
        let record = Record {
            seq: self.next,
            prev: self.hash.clone(),
            at: at.to_owned(),
            event,
        };
        serde_json::to_string(&record).expect("records have string keys and no failing serialiser")
    }

    /// The head after this line.
    #[must_use]
    pub fn after_line(&self, line: &str) -> Self {
        Self {
            next: self.next + 1,
            hash: hash_bytes(line.as_bytes()),
            length: self.length + line.len() as u64 + 1,
        }
    }

    /// Reads the line that follows this head.
    pub fn parse_record(&self, line: &str) -> Result<Record, ChainError> {
        let number = self.next + 1;
        let record: Record =
            serde_json::from_str(line).map_err(|error| ChainError::NotARecord {
                line: number,
                reason: error.to_string(),
            })?;
        if record.seq != self.next || record.prev != self.hash {
            return Err(ChainError::Broken { line: number });
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Vec<String> {
        let mut head = ChainHead::default();
        (0..4)
            .map(|_| {
                let line = head.format_record("2026-01-01T00:00:00Z", Event::Ready);
                head = head.after_line(&line);
                line
            })
            .collect()
    }

    fn check(lines: &[String]) -> Result<ChainHead, ChainError> {
        lines.iter().try_fold(ChainHead::default(), |head, line| {
            head.parse_record(line).map(|_| head.after_line(line))
        })
    }

    #[test]
    fn an_untouched_chain_is_read_to_its_head() {
        let lines = journal();
        let head = check(&lines).unwrap();
        assert_eq!(head.next, 4);
        assert_eq!(
            head.length,
            lines.iter().map(|line| line.len() as u64 + 1).sum::<u64>()
        );
    }

    #[test]
    fn every_kind_of_edit_is_noticed_with_its_line() {
        let lines = journal();
        let mut edited = lines.clone();
        edited[1] = edited[1].replace("2026", "2027");
        assert_eq!(check(&edited), Err(ChainError::Broken { line: 3 }));
        let mut removed = lines.clone();
        removed.remove(2);
        assert_eq!(check(&removed), Err(ChainError::Broken { line: 3 }));
        let mut swapped = lines.clone();
        swapped.swap(1, 2);
        assert_eq!(check(&swapped), Err(ChainError::Broken { line: 2 }));
        let mut doubled = lines.clone();
        doubled.insert(1, lines[0].clone());
        assert_eq!(check(&doubled), Err(ChainError::Broken { line: 2 }));
        let mut garbled = lines;
        garbled[3].truncate(20);
        assert!(matches!(
            check(&garbled),
            Err(ChainError::NotARecord { line: 4, .. })
        ));
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(
            hash_bytes(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_byte_that_was_changed_anywhere_breaks_the_chain_or_its_head(
            line in 0_usize..4, at in 0_usize..400, letter in "[ -~]",
        ) {
            let lines = journal();
            let whole = check(&lines).unwrap();
            let mut edited = lines.clone();
            let at = at % edited[line].len();
            edited[line].replace_range(at..=at, &letter);
            match check(&edited) {
                Ok(head) => proptest::prop_assert_eq!(head == whole, edited == lines),
                Err(ChainError::NotARecord { line: found, .. } | ChainError::Broken { line: found }) => {
                    let first = line as u64 + 1;
                    proptest::prop_assert!(found == first || found == first + 1);
                }
            }
        }

        #[test]
        fn a_journal_that_was_cut_ends_at_another_head(keep in 0_usize..4) {
            let lines = journal();
            let whole = check(&lines).unwrap();
            let head = check(&lines[..keep]).unwrap();
            proptest::prop_assert_ne!(&head, &whole);
            proptest::prop_assert_eq!(head.next, keep as u64);
        }
    }
}
