//! Owns the steps of a search for a cause: it is found, opened, added to, ended, and its pages are written.
//! Does not look at evidence; `evidence` and `experiment` do.
//! Invariant: git is asked for nothing that runs a program which the repository names, and writes nothing.

use std::path::Path;

use autoresearch_core::journal::event::Event;
use autoresearch_core::ledger::debug::{DebugEnd, DebugLedger, DebugRefusal};
use autoresearch_core::ledger::debug_pages::make_pages;
use autoresearch_core::ledger::evidence::Evidence;
use autoresearch_core::ledger::hypothesis::{Closing, Hypothesis, HypothesisResult};
use autoresearch_core::ledger::opening::{LedgerKind, LedgerLimits, Opening};
use autoresearch_core::ledger::orders::{ClaimedResult, DebugOrder};
use autoresearch_core::words::text::escape_text;
use autoresearch_sys::env::{World, make_random_id};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::ledger_store::LedgerStore;
use autoresearch_sys::store::{Access, FORMAT, Layout, StoreError};

use super::experiment::Enclosure;
use super::report::{DebugReport, SearchList, SearchRow};
use super::scene::SearchScene;
use crate::run::lessons::add_cause_lesson;
use crate::run::place::Place;
use crate::run::session;
use crate::watch::work_tree_check::tracked_runs_error;

/// A message is not longer.
const MOST_LETTERS: usize = 2_000;

/// Which searches a command can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WantedSearch {
    /// One that has not ended.
    Open,
    /// The one that was opened last, whatever became of it.
    Latest,
}

impl<'w> SearchScene<'w> {
    /// Finds a search, and what it holds.
    pub(super) fn find_search(
        &self,
        wanted: WantedSearch,
        access: Access,
        command: &str,
    ) -> Result<(LedgerStore<'w>, DebugLedger)> {
        let names = match &self.named {
            Some(name) => vec![name.clone()],
            None => list_by_age(&self.root),
        };
        for name in &names {
            let layout = Layout::of_ledger(&self.root, name);
            if self.named.is_some() && layout.journal_path().symlink_metadata().is_err() {
                return Err(
                    Failure::usage(format!("there is no search `{}`", escape_text(name)))
                        .hint("`autoresearch debug list` names those of this repository"),
                );
            }
            let read = LedgerStore::open_ledger(self.world, layout.clone(), Access::Read, command)
                .map_err(explain_damage)?;
            let ledger = read
                .fold_records(DebugLedger::from_records)
                .map_err(explain_damage)?;
            if wanted == WantedSearch::Latest || self.named.is_some() || ledger.find_end().is_none()
            {
                drop(read);
                let store = LedgerStore::open_ledger(self.world, layout, access, command)?;
                let ledger = store.fold_records(DebugLedger::from_records)?;
                return Ok((store, ledger));
            }
        }
        let what = match wanted {
            WantedSearch::Open => "no search for a cause is open here",
            WantedSearch::Latest => "no search for a cause was opened here",
        };
        Err(Failure::usage(what).hint("autoresearch debug start -m \"the symptom\" opens one"))
    }

    /// Does what is asked, and says what is next.
    pub(super) fn carry_out(
        &self,
        order: &DebugOrder,
        enclosure: Enclosure,
    ) -> Result<DebugReport> {
        match order {
            DebugOrder::Open { symptom, limits } => self.open_search(symptom, *limits),
            DebugOrder::Add { message, predicts } => self.add_hypothesis(message, predicts),
            DebugOrder::Result(claimed) => self.record_result(claimed, enclosure),
            DebugOrder::Stop { message } => self.stop_search(message),
        }
    }

    fn open_search(&self, symptom: &str, limits: LedgerLimits) -> Result<DebugReport> {
        let subject = check_message("the symptom", symptom)?;
        if let Ok((store, ledger)) =
            self.find_search(WantedSearch::Open, Access::Read, "debug start")
        {
            let subject = escape_text(&ledger.opening.subject);
            return Err(Failure::usage(format!(
                "the search `{}` is open: {subject}",
                store.layout.run
            ))
            .hint("go on with it (`autoresearch debug status`), or end it: autoresearch debug stop -m \"why\""));
        }
        let below = autoresearch_sys::store::FOLDER;
        if !self.site.git.list_tracked_below(below)?.is_empty() {
            return Err(tracked_runs_error());
        }
        let id = make_random_id()
            .map_err(|error| Failure::io("could not make a random id".to_owned(), &error))?;
        let opening = Opening {
            format: FORMAT,
            name: self.choose_name(),
            id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: LedgerKind::Debug,
            subject,
            commit: self.site.base.clone(),
            limits,
        };
        let store = LedgerStore::create_ledger(self.world, &self.root, opening)?;
        self.answer(&store, "opened")
    }

    fn choose_name(&self) -> String {
        let word = LedgerKind::Debug.as_str();
        let names = (1_u32..).map(|number| format!("{word}-{number}"));
        let mut free = names.filter(|name| {
            let folder = Layout::of_ledger(&self.root, name).run_folder();
            folder.symlink_metadata().is_err()
        });
        free.next().unwrap_or_default()
    }

    fn add_hypothesis(&self, message: &str, predicts: &str) -> Result<DebugReport> {
        let message = check_message("the hypothesis", message)?;
        let predicts = check_message("what it predicts", predicts)?;
        let (mut store, ledger) =
            self.find_search(WantedSearch::Open, Access::Write, "hypothesis add")?;
        let number = ledger.next_number().map_err(|refusal| refuse(&refusal))?;
        store.record_event(Event::Hypothesis(Hypothesis {
            number,
            message,
            predicts,
        }))?;
        self.answer(&store, &format!("hypothesis {number} added"))
    }

    fn record_result(&self, claimed: &ClaimedResult, enclosure: Enclosure) -> Result<DebugReport> {
        let message = check_message("what it says", &claimed.message)?;
        let command = "hypothesis result";
        let (mut store, ledger) = self.find_search(WantedSearch::Open, Access::Write, command)?;
        let count = claimed.places.len() + usize::from(claimed.experiment.is_some());
        let (number, outcome) = (claimed.hypothesis, claimed.outcome);
        ledger
            .check_result(number, outcome, count)
            .map_err(|refusal| refuse(&refusal))?;
        let mut evidence = Vec::new();
        for place in &claimed.places {
            evidence.push(Evidence::Place(self.look_at_place(place)?));
        }
        if let Some(planned) = &claimed.experiment {
            let experiment = self.run_experiment(&store, planned, enclosure)?;
            evidence.push(Evidence::Experiment(Box::new(experiment)));
        }
        let seen: Vec<String> = evidence.iter().map(ToString::to_string).collect();
        let result = HypothesisResult {
            hypothesis: number,
            outcome,
            message,
            evidence,
        };
        store.record_event(Event::Result(Box::new(result)))?;
        let mut report = self.answer(
            &store,
            &format!("hypothesis {number} is {}", outcome.as_str()),
        )?;
        report.seen = seen;
        Ok(report)
    }

    fn stop_search(&self, message: &str) -> Result<DebugReport> {
        let message = check_message("the reason", message)?;
        let (mut store, ledger) =
            self.find_search(WantedSearch::Open, Access::Write, "debug stop")?;
        ledger.refuse_ended().map_err(|refusal| refuse(&refusal))?;
        store.record_event(Event::Closing(Closing { message }))?;
        self.answer(&store, "stopped")
    }

    /// Writes the pages, and says what is next.
    fn answer(&self, store: &LedgerStore<'_>, done: &str) -> Result<DebugReport> {
        let ledger = store.fold_records(DebugLedger::from_records)?;
        write_pages(store, &ledger)?;
        if ledger.find_end() == Some(DebugEnd::Confirmed) {
            add_cause_lesson(self.world, &store.layout, &ledger);
        }
        let folder = self.world.path_from_here(&store.layout.run_folder());
        let program = session::name_program(self.world);
        Ok(DebugReport::new(
            ledger,
            (folder, done.to_owned()),
            &program,
        ))
    }
}

/// The names of all searches, the newest first.
fn list_by_age(root: &Path) -> Vec<String> {
    let word = format!("{}-", LedgerKind::Debug.as_str());
    let mut numbered: Vec<(u32, String)> = Layout::list_ledgers(root)
        .into_iter()
        .filter_map(|name| Some((name.strip_prefix(&word)?.parse().ok()?, name)))
        .collect();
    numbered.sort_unstable_by(|one, other| other.cmp(one));
    numbered.into_iter().map(|(_, name)| name).collect()
}

fn write_pages(store: &LedgerStore<'_>, ledger: &DebugLedger) -> Result<()> {
    for (name, text) in make_pages(ledger) {
        store.write_view(name, &text)?;
    }
    let mut json = serde_json::to_string_pretty(ledger)
        .map_err(|error| Failure::usage("the ledger cannot be written as JSON").because(&error))?;
    json.push('\n');
    store.write_view("debug.json", &json)?;
    Ok(())
}

fn refuse(refusal: &DebugRefusal) -> Failure {
    let hint = match refusal {
        DebugRefusal::Ended(_) => {
            "nothing was recorded. autoresearch debug start -m \"the symptom\" opens another search"
        }
        DebugRefusal::Unknown { .. } => {
            "nothing was recorded. `autoresearch debug status` lists them; `autoresearch hypothesis add` adds one"
        }
        DebugRefusal::Decided { .. } => {
            "nothing was recorded. Add a new hypothesis if there is more to it"
        }
        DebugRefusal::Unproven(_) => {
            "nothing was recorded. Add --at PATH:LINE --quote TEXT, or --command COMMAND with --expect-exit or --expect-output; without evidence the outcome is `inconclusive` or `lead`"
        }
        DebugRefusal::Full(_) => {
            "nothing was recorded. Say what became of those that are open, or end the search: autoresearch debug stop -m \"why\""
        }
    };
    Failure::usage(refusal.to_string()).hint(hint)
}

/// What can be done about a search whose files are not what the tool left.
fn explain_damage(error: StoreError) -> Failure {
    let is_passing = matches!(error, StoreError::Busy(_) | StoreError::Io { .. });
    let failure = Failure::from(error);
    if is_passing {
        return failure;
    }
    failure.hint("nothing of it is believed. Restore its folder in autoresearch-results, or move that away and open another search")
}

/// A message that says something, and not too much.
fn check_message(what: &str, message: &str) -> Result<String> {
    let message = message.trim();
    if message.is_empty() {
        return Err(Failure::usage(format!("{what} is empty")).hint("say it in one sentence"));
    }
    if message.chars().count() > MOST_LETTERS {
        return Err(
            Failure::usage(format!("{what} has more than {MOST_LETTERS} letters"))
                .hint("say it in one or two sentences; evidence goes with --at and --command"),
        );
    }
    Ok(message.to_owned())
}

/// A search, by its name or the last one. Pages that a crash left behind are written again, where that is possible from here.
pub fn show_search(world: &World, place: &Place) -> Result<DebugReport> {
    let scene = SearchScene::open(world, place)?;
    let access = if session::is_confined(world) {
        Access::Read
    } else {
        Access::Write
    };
    let opened = scene.find_search(WantedSearch::Latest, access, "debug status");
    let (store, ledger) = match opened {
        Err(failure) if failure.kind == autoresearch_sys::error::FailureKind::Busy => {
            scene.find_search(WantedSearch::Latest, Access::Read, "debug status")?
        }
        opened => {
            let (store, ledger) = opened?;
            if access == Access::Write {
                write_pages(&store, &ledger)?;
            }
            (store, ledger)
        }
    };
    let folder = world.path_from_here(&store.layout.run_folder());
    let program = session::name_program(world);
    Ok(DebugReport::new(ledger, (folder, String::new()), &program))
}

/// All searches of the repository, the newest first: the name, how it stands, the symptom.
pub fn list_searches(world: &World, place: &Place) -> Result<SearchList> {
    let scene = SearchScene::open(world, place)?;
    let mut rows = Vec::new();
    for name in list_by_age(&scene.root) {
        let layout = Layout::of_ledger(&scene.root, &name);
        let opened = LedgerStore::open_ledger(world, layout, Access::Read, "debug list");
        let read = opened.and_then(|store| store.fold_records(DebugLedger::from_records));
        rows.push(match read {
            Ok(ledger) => SearchRow {
                name,
                end: ledger.find_end().map_or("open", DebugEnd::as_str),
                symptom: escape_text(&ledger.opening.subject),
                hypotheses: ledger.count(),
            },
            Err(error @ StoreError::Busy(_)) => return Err(error.into()),
            Err(error) => SearchRow {
                name,
                end: "damaged",
                symptom: escape_text(&error.to_string()),
                hypotheses: 0,
            },
        });
    }
    Ok(SearchList { searches: rows })
}
