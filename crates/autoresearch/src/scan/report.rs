//! Owns the answer of `scan`.
//! Does not look at anything.
//! Invariant: the text is short enough to be read by whoever pays for each word; JSON has everything.

use std::fmt;
use std::fmt::Write as _;

use autoresearch_core::scan::{Aim, Candidate, Language, Machine, Proposals, Survey, Wish};
use autoresearch_core::shell::quote::quote_word;
use autoresearch_core::words::text::{clip_text, escape_text, format_count, shorten_names};
use serde::Serialize;

/// So many candidates are shown as text.
const SHOWN: usize = 5;
/// No line is longer.
const WIDTH: usize = 120;

/// What a scan found.
#[derive(Clone, Debug, Serialize)]
pub struct ScanReport {
    pub goal: Wish,
    /// What it was taken for; `null`: for nothing in particular.
    pub aim: Option<Aim>,
    pub languages: Vec<Language>,
    pub ci: Vec<String>,
    pub files: usize,
    /// Files with names that no command line should hold.
    pub left_out: usize,
    pub machine: Machine,
    pub candidates: Vec<Candidate>,
    /// What fits, and lacks something here.
    pub not_here: Vec<Candidate>,
    pub next: String,
}

impl ScanReport {
    pub(super) fn new(survey: &Survey, goal: Wish, proposals: Proposals) -> Self {
        let mut report = Self {
            aim: proposals.aim,
            languages: survey.list_languages(),
            ci: survey
                .list_ci_files()
                .into_iter()
                .map(escape_text)
                .collect(),
            files: survey.files.len(),
            left_out: survey.left_out,
            machine: survey.machine.clone(),
            candidates: proposals.candidates,
            not_here: proposals.not_here,
            next: String::new(),
            goal,
        };
        report.next = report.name_next();
        report
    }

    fn name_next(&self) -> String {
        let goal = match self.goal.text.as_str() {
            "" => String::new(),
            text => format!(" --goal {}", quote_word(text)),
        };
        if !self.candidates.is_empty() {
            let other = if self.candidates.len() > 1 {
                " (another: --candidate N)"
            } else {
                ""
            };
            let has_gates = self.aim == Some(Aim::Release);
            let then = if has_gates {
                "ship check"
            } else {
                "config try"
            };
            return format!(
                "autoresearch init{goal} writes candidate 1 as autoresearch.yaml{other}, then autoresearch {then}"
            );
        }
        match self.not_here.first() {
            Some(candidate) => format!(
                "get what is missing ({}), then scan again",
                list_remedies(candidate)
            ),
            None if self.aim.is_some() => {
                "autoresearch scan without --goal lists what this repository suggests".to_owned()
            }
            None => "write a config by hand: autoresearch config example lists some to start from"
                .to_owned(),
        }
    }

    fn describe_machine(&self) -> String {
        let machine = &self.machine;
        let size = |bytes: Option<u64>, what: &str| {
            bytes.map(|bytes| format!("{} GB {what}", (bytes + (1 << 29)) >> 30))
        };
        let mut parts = vec![format_count(machine.cores, "core")];
        parts.extend(size(machine.memory_bytes, "memory"));
        parts.extend(size(machine.free_bytes, "free"));
        parts.push(if machine.gpu { "GPU" } else { "no GPU" }.to_owned());
        if machine.container {
            parts.push("in a container".to_owned());
        }
        let programs: Vec<String> = machine.programs.iter().cloned().collect();
        let programs = if programs.is_empty() {
            "none that would help".to_owned()
        } else {
            shorten_names(&programs, programs.len(), 60)
        };
        format!("{}; programs: {programs}", parts.join(", "))
    }

    fn describe_repository(&self) -> String {
        let languages = self.languages.iter().take(4).map(|language| {
            format!(
                "{} ({})",
                language.name,
                format_count(language.files, "file")
            )
        });
        let mut text = languages.collect::<Vec<_>>().join(", ");
        if text.is_empty() {
            text = format!(
                "{}, none in a language that is known",
                format_count(self.files, "file")
            );
        }
        if !self.ci.is_empty() {
            let _ = write!(text, "; CI: {}", shorten_names(&self.ci, self.ci.len(), 50));
        }
        if self.left_out > 0 {
            let _ = write!(
                text,
                "; {} left out for unusual names",
                format_count(self.left_out, "file")
            );
        }
        text
    }
}

/// What the machine lacks for a candidate, with how to get it.
pub(super) fn list_remedies(candidate: &Candidate) -> String {
    let mut remedies: Vec<(&str, Vec<&str>)> = Vec::new();
    for need in &candidate.missing {
        match remedies
            .iter_mut()
            .find(|(remedy, _)| *remedy == need.remedy)
        {
            Some((_, names)) => names.push(&need.name),
            None => remedies.push((&need.remedy, vec![&need.name])),
        }
    }
    let told = remedies
        .into_iter()
        .map(|(remedy, names)| format!("{}: {remedy}", names.join(", ")));
    told.collect::<Vec<_>>().join("; ")
}

fn describe_candidate(candidate: &Candidate) -> String {
    let metric = &candidate.config["metric"];
    let target = match &metric["target"] {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => format!(" -> {text}"),
        number => format!(" -> {number}"),
    };
    let also = match candidate.also.len() {
        0 => String::new(),
        others => format!(" (also in {})", shorten_names(&candidate.also, others, 30)),
    };
    format!("{}{target}{also}", candidate.title)
}

impl fmt::Display for ScanReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |text: String| writeln!(out, "{}", clip_text(&text, WIDTH));
        line(format!("repository  {}", self.describe_repository()))?;
        line(format!("machine     {}", self.describe_machine()))?;
        if self.aim.is_none() && !self.goal.text.is_empty() {
            line(
                "goal        names no number that is known; this is what the repository suggests"
                    .to_owned(),
            )?;
        }
        for (at, candidate) in self.candidates.iter().take(SHOWN).enumerate() {
            line(format!("{:>2}  {}", at + 1, describe_candidate(candidate)))?;
            line(format!(
                "    {}: {}",
                candidate.config["metric"]["name"]
                    .as_str()
                    .unwrap_or_default(),
                candidate.reason
            ))?;
        }
        if self.candidates.len() > SHOWN {
            line(format!(
                "    {} more with --json",
                self.candidates.len() - SHOWN
            ))?;
        }
        if self.candidates.is_empty() {
            let fits_nothing = self.aim.is_some() && self.not_here.is_empty();
            let told = if fits_nothing {
                "Nothing here fits this goal."
            } else {
                "Nothing that fits can run here."
            };
            line(told.to_owned())?;
        }
        for candidate in &self.not_here {
            line(format!(
                "not here    {}; missing {}",
                candidate.title,
                list_remedies(candidate)
            ))?;
        }
        write!(out, "next: {}", self.next)
    }
}

#[cfg(test)]
mod tests;
