//! Owns the lessons file of a repository: what is added to it, which lessons fit a run, and what else a brief quotes.
//! Does not know its form; `autoresearch_core::words::lessons` does.
//! Invariant: a lessons file that cannot be written never fails a trial that was measured, and no run loses the lesson of
//! another.

use autoresearch_core::config::Mode;
use autoresearch_core::journal::event::{Decision, Event, StrategyRow};
use autoresearch_core::ledger::debug::DebugLedger;
use autoresearch_core::ledger::evidence::Evidence;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::brief::BriefQuotes;
use autoresearch_core::words::lessons::matching::{LessonQuery, find_matching_lessons};
use autoresearch_core::words::lessons::{self, Lesson, LessonKind, LessonTopic, WHY};
use autoresearch_core::words::table::Row;
use autoresearch_core::words::text::clip_text;

use crate::run::Run;
use autoresearch_sys::env::World;
use autoresearch_sys::store::{Disk, Layout, RealDisk, lock_folder, read_open_items};

/// How many lessons a brief quotes.
const QUOTED: usize = 5;
/// A larger file is not one of ours.
const MAX: u64 = 1 << 20;

pub fn add_keep_lesson(run: &Run<'_>, decided: &Decision) {
    let delta = decided
        .delta
        .as_ref()
        .map(Value::format_signed)
        .unwrap_or_default();
    let text = match find_hypothesis(run, decided.trial) {
        Some(why) => format!("{}{WHY}{why}", decided.message),
        None => decided.message.clone(),
    };
    add_lesson(run, LessonKind::Keep, &text, &delta);
}

/// Why an agent that works without a person thought that a change would help, where it said so.
fn find_hypothesis(run: &Run<'_>, trial: u32) -> Option<String> {
    let records = run.store.read_last_records().ok()?;
    let mut turns = records
        .iter()
        .rev()
        .filter_map(|record| match &record.event {
            Event::Turn(turn) if turn.trial == trial => Some(turn),
            _ => None,
        });
    let hypothesis = &turns.next()?.hypothesis;
    (!hypothesis.trim().is_empty()).then(|| clip_text(hypothesis, 150))
}

/// What was kept and is taken back, since it was worth nothing.
pub fn add_no_gain_lesson(run: &Run<'_>, decided: &Decision) {
    add_lesson(run, LessonKind::NoGain, &decided.message, "");
}

/// What was abandoned, and why.
pub fn add_pivot_lesson(run: &Run<'_>, row: &StrategyRow) {
    add_lesson(run, LessonKind::Pivot, &row.message, "");
}

/// How a run ended, and why.
pub fn add_end_lesson(run: &Run<'_>) {
    let state = &run.store.state;
    let counts = &state.counts;
    let metric = &state.config().metric.name;
    let end = state.end.as_ref();
    let end = end.map(|ending| format!(", ended by {}", ending.end.as_str()));
    let summary = format!(
        "{}: {metric} {} with {} of {} trials kept{}",
        state.config().goal,
        state.describe_gain(),
        counts.keep,
        counts.count_iterations(),
        end.unwrap_or_default()
    );
    add_lesson(run, LessonKind::End, &summary, "");
}

/// What a search for a cause has found.
pub fn add_cause_lesson(world: &World, layout: &Layout, ledger: &DebugLedger) {
    let Some(cause) = ledger.find_cause() else {
        return;
    };
    let text = format!("{}: {}", ledger.opening.subject, cause.hypothesis.message);
    let results = cause.results.iter();
    let scope: Vec<String> = results
        .flat_map(|result| &result.evidence)
        .filter_map(|evidence| match evidence {
            Evidence::Place(place) => Some(place.path.clone()),
            Evidence::Experiment(_) => None,
        })
        .collect();
    let lesson = Lesson {
        kind: LessonKind::Cause,
        text: &text,
        topic: LessonTopic {
            metric: LessonKind::Cause.as_str(),
            scope: &scope,
        },
        delta: "",
    };
    let today: String = world.now_text().chars().take(10).collect();
    write_lesson(layout, &today, &lesson);
}

/// Best effort: a lost lesson must not fail what was measured.
fn add_lesson(run: &Run<'_>, kind: LessonKind, text: &str, delta: &str) {
    let config = run.store.state.config();
    // A CI job reads lessons and leaves none.
    if config.mode == Mode::Exec {
        return;
    }
    let topic = LessonTopic {
        metric: &config.metric.name,
        scope: &config.scope,
    };
    let lesson = Lesson {
        kind,
        text,
        topic,
        delta,
    };
    write_lesson(&run.store.layout, &find_today(run), &lesson);
}

fn find_today(run: &Run<'_>) -> String {
    run.world.now_text().chars().take(10).collect()
}

/// Runs of one repository may end a trial at the same time: each reads what the other wrote.
fn write_lesson(layout: &Layout, date: &str, lesson: &Lesson<'_>) {
    let path = layout.lessons_path();
    // Where the lock cannot be had, this lesson would be lost for sure, and the other one hardly ever.
    let _lock = path.parent().and_then(lock_folder);
    // What is not ours to read is not ours to replace either.
    let before = read_bytes(layout).map(String::from_utf8);
    let Some(Ok(before)) = before else {
        return;
    };
    let after = lessons::add_lesson(&before, date, lesson);
    let _ = RealDisk.replace_file(&path, after.as_bytes());
}

/// The file's bytes; none where something else stands in its place.
fn read_bytes(layout: &Layout) -> Option<Vec<u8>> {
    let path = layout.lessons_path();
    if RealDisk.file_length(&path).ok()? > MAX {
        return None;
    }
    Some(RealDisk.read_file(&path).ok()?.unwrap_or_default())
}

/// What a brief quotes besides these rows: the lessons that match the run, and what is still open in its kept state.
#[must_use]
pub fn read_quotes(run: &Run<'_>, rows: &[Row]) -> BriefQuotes {
    BriefQuotes {
        lessons: list_lessons(run, rows),
        open: read_open_items(&run.store.layout, run.store.state.incumbent.trial),
    }
}

/// The lessons that match a run, but for those that its brief tells anyway, in these rows.
fn list_lessons(run: &Run<'_>, rows: &[Row]) -> Vec<String> {
    let config = run.store.state.config();
    let bytes = read_bytes(&run.store.layout).unwrap_or_default();
    let told: Vec<String> = rows.iter().map(|row| row.description.clone()).collect();
    let query = LessonQuery {
        goal: &config.goal,
        topic: LessonTopic {
            metric: &config.metric.name,
            scope: &config.scope,
        },
        told: &told,
        today: &find_today(run),
    };
    find_matching_lessons(&String::from_utf8_lossy(&bytes), &query, QUOTED)
        .into_iter()
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository's folder of runs, and its lessons file.
    fn make_layout() -> (tempfile::TempDir, Layout) {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path(), "demo");
        std::fs::create_dir_all(layout.lessons_path().parent().unwrap()).unwrap();
        (root, layout)
    }

    fn write_idea(layout: &Layout, text: &str) {
        let topic = LessonTopic {
            metric: "any_count",
            scope: &[],
        };
        let lesson = Lesson {
            kind: LessonKind::Keep,
            text,
            topic,
            delta: "-1",
        };
        write_lesson(layout, "2026-01-01", &lesson);
    }

    #[test]
    fn lessons_that_several_runs_add_at_once_are_all_there() {
        let (_root, layout) = make_layout();
        std::thread::scope(|scope| {
            for run in 0..4 {
                let layout = &layout;
                scope.spawn(move || {
                    for number in 0..10 {
                        write_idea(layout, &format!("idea {run}-{number}"));
                    }
                });
            }
        });
        let text = std::fs::read_to_string(layout.lessons_path()).unwrap();
        assert_eq!(text.matches("keep: idea ").count(), 40, "{text}");
        let left = std::fs::read_dir(layout.lessons_path().parent().unwrap()).unwrap();
        assert_eq!(left.count(), 1, "no lock or temporary file is left");
    }

    #[test]
    fn what_is_no_text_of_ours_stays_byte_for_byte() {
        let (_root, layout) = make_layout();
        let path = layout.lessons_path();
        for bytes in [b"- caf\xe9\n".to_vec(), vec![b'x'; 1 + (1 << 20)]] {
            std::fs::write(&path, &bytes).unwrap();
            write_idea(&layout, "idea");
            assert!(std::fs::read(&path).unwrap() == bytes);
        }
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
        write_idea(&layout, "idea");
        assert!(path.is_symlink());
    }
}
