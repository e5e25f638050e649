//! Owns which usual values of a record are not written down.
//! Does not write records.
//! Invariant: what is not written is read as the default.

/// Is it the number that goes without saying? serde hands over a reference.
#[must_use]
pub fn is_zero(number: &u32) -> bool {
    *number == 0
}
