//! Owns the flags by which the tool measures itself, so that the edited program prints no number.
//! Does not measure, and does not know which kinds exclude each other; the check of the config does.
//! Invariant: every flag is one key of `verify`; what takes more than a value is written in the config alone.

use serde_json::{Value, json};

/// What the tool measures itself.
#[derive(clap::Args, Debug)]
pub(super) struct Gauges {
    /// Instead: a command of which the tool measures the time
    #[arg(long = "verify-wall", value_name = "COMMAND")]
    wall: Option<String>,
    /// Instead: a command of which the tool measures the processor time
    #[arg(long = "verify-cpu", value_name = "COMMAND")]
    cpu: Option<String>,
    /// Instead: a command of whose largest process the tool measures the memory
    #[arg(long = "verify-peak-memory", value_name = "COMMAND")]
    peak_memory: Option<String>,
    /// Instead: a pattern of files of which the tool counts the bytes, after --verify if it is given; may be given more than once
    #[arg(long = "verify-size", value_name = "GLOB")]
    size: Vec<String>,
    /// Each file of --verify-size after gzip
    #[arg(long = "verify-gzip")]
    gzip: bool,
    /// The coverage report that --verify writes; the tool reads the share of covered lines
    #[arg(long = "verify-covered", value_name = "FILE")]
    covered: Option<String>,
    /// A command that must succeed before each measurement
    #[arg(long = "verify-check", value_name = "COMMAND")]
    check: Option<String>,
}

impl Gauges {
    /// Their keys, with the flag's value if it was given.
    pub(super) fn list_keys(&self) -> [(&'static str, Option<Value>); 7] {
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        [
            ("verify.wall", text(&self.wall)),
            ("verify.cpu", text(&self.cpu)),
            ("verify.peak_memory", text(&self.peak_memory)),
            (
                "verify.size",
                (!self.size.is_empty()).then(|| json!(self.size)),
            ),
            ("verify.gzip", self.gzip.then_some(Value::Bool(true))),
            ("verify.covered", text(&self.covered)),
            ("verify.check", text(&self.check)),
        ]
    }
}
