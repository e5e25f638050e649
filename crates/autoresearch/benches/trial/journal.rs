//! Owns the making of a long log: the records of measured trials, two of three discarded, chained and anchored.
//! Does not make the commits that the records name; a fold does not look at them.
//! Invariant: the run that was lengthened can be opened, checked and gone on with, and no strategy row is due.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::{
    Close, Decision, Event, Guard, Intent, Record, Start, Verdict, Why,
};
use autoresearch_core::metric::value::Value;
use autoresearch_sys::store::{Anchor, RealDisk};

use crate::Stop;
use crate::bed::Bed;

/// The end of a journal that grows.
struct Pen {
    out: BufWriter<File>,
    head: ChainHead,
    last: String,
}

impl Pen {
    fn write(&mut self, event: Event) -> Result<(), Stop> {
        self.last = self.head.format_record("2026-07-01T12:00:00Z", event);
        self.head = self.head.after_line(&self.last);
        Ok(writeln!(self.out, "{}", self.last)?)
    }
}

/// Makes the log of a fresh run so many rows long.
pub(crate) fn lengthen(bed: &Bed, rows: u32) -> Result<(), Stop> {
    let path = bed.layout.journal_path();
    let mut first = String::new();
    BufReader::new(File::open(&path)?).read_line(&mut first)?;
    let Event::Start(start) = serde_json::from_str::<Record>(&first)?.event else {
        return Err("the journal does not begin with a start".into());
    };
    let anchor_path = bed.anchor_folder.join("anchor.json");
    let anchor = Anchor::find_in(&RealDisk, &bed.anchor_folder);
    let mut anchor = anchor.ok_or("the run has no anchor")?;
    let mut pen = Pen {
        out: BufWriter::new(OpenOptions::new().append(true).open(&path)?),
        head: anchor.head,
        last: anchor.last,
    };
    for trial in 1..rows {
        // The last one is a keep, so that the ladder stands at its foot.
        write_trial(
            &mut pen,
            &start,
            trial,
            (rows - 1 - trial).is_multiple_of(3),
        )?;
    }
    pen.out.flush()?;
    pen.out.get_ref().sync_all()?;
    anchor.head = pen.head;
    anchor.last = pen.last;
    Ok(std::fs::write(&anchor_path, serde_json::to_vec(&anchor)?)?)
}

fn write_trial(pen: &mut Pen, start: &Start, trial: u32, keep: bool) -> Result<(), Stop> {
    let intent = Intent {
        trial,
        attempt: 0,
        message: format!("try {trial}: unroll the inner loop and drop one copy"),
        labels: Vec::new(),
        simplify: false,
        parent: start.base.clone(),
        again: false,
        leaves_out: None,
        picks: None,
    };
    let (verdict, why) = if keep {
        (Verdict::Keep, None)
    } else {
        (Verdict::Discard, Some(Why::WorseMetric))
    };
    let fake = CommitId::from_bytes(&trial.to_be_bytes().repeat(5));
    let decided = Decision {
        measurement: Some(start.measurement.clone()),
        delta: Some(Value::from(i64::from(!keep))),
        guard: Guard::NotRun,
        commit: Some(if keep { start.base.clone() } else { fake }),
        tree: Some(start.tree.clone()),
        ..Decision::without_measurement(&intent, verdict, why)
    };
    pen.write(Event::Intent(intent))?;
    pen.write(Event::Verdict(Box::new(decided)))?;
    if !keep {
        pen.write(Event::Close(Close {
            trial,
            head: start.base.clone(),
            saved: None,
        }))?;
    }
    Ok(())
}
