//! Owns `Ledger`: what every fold over the records of a run can do.
//! Does not know what a fold is for: `RunState` decides by it what comes next, `Story` tells people what was.
//! Invariant: records taken in one by one, in parts or all at once make the same ledger.

use crate::journal::event::Record;

/// A fold over the records of a run, which can always go on with the record that follows. A new kind of knowledge about a
/// run is another ledger over the same journal, and no field of the run's state.
pub trait Ledger<'r> {
    /// Why a record cannot follow.
    type Refusal;

    /// Takes in the record that follows. One that is refused changes nothing.
    fn take_record(&mut self, record: &'r Record) -> Result<(), Self::Refusal>;

    /// Takes in all records that follow, up to one that is refused: its number, and why.
    fn take_records(&mut self, records: &'r [Record]) -> Result<(), (u64, Self::Refusal)> {
        for record in records {
            self.take_record(record)
                .map_err(|refusal| (record.seq, refusal))?;
        }
        Ok(())
    }
}
