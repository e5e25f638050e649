//! Owns a small run that lives through harm: what it does next, and what must be true after each harm.
//! Does not do the harm.
//! Invariant: what a run has told is never taken back: its rows, its keeps, the edits that it was given.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::belongings::{
    FIXED, Picture, leave_out_the_runs, move_in, picture_all, tell_differences,
};
use super::bench::{Bench, Said, write_file};
use super::dice::Dice;

/// What is done in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Start,
    Keep,
    Discard,
    Crash,
    GuardFails,
    Rework,
    Drop,
    Strategy,
    Retry,
    Resume,
    Stop,
    Finish,
}

/// Codes with which a command may answer after harm: there is no run, a failed config, a person must act, busy, a missing
/// requirement. An internal error is not among them.
const ANSWERS: [i32; 6] = [0, 2, 3, 4, 5, 6];

/// A run, and what is known of it.
pub(crate) struct Life {
    pub bench: Bench,
    config: String,
    is_in_place: bool,
    whole: Picture,
    theirs: Picture,
    /// Runs that were started.
    runs: u64,
    /// The name of the last one.
    run: String,
    is_open: bool,
    rows: Vec<Value>,
    edits: u64,
    incumbent: u64,
    due: String,
    /// What must be found somewhere: the object of the last edit.
    owed: Option<String>,
}

impl Life {
    /// A lived-in repository without a run.
    pub(crate) fn begin(bench: Bench, dice: &mut Dice) -> Self {
        move_in(&bench);
        let isolation = dice.pick(&["branch", "branch", "worktree", "in-place"]);
        let rollback = match isolation {
            "in-place" => "revert",
            _ => dice.pick(&["reset", "reset", "revert"]),
        };
        let config = format!(
            "goal: Fewer any\nscope: [\"src/**\"]\nmetric: {{name: any_count, direction: lower}}\n\
             verify: {{command: \"sh count.sh\", timeout: 20s}}\nguard: {{command: \"sh guard.sh\", timeout: 20s}}\n\
             iterations: 1000\nisolation: {isolation}\nrollback: {rollback}\n"
        );
        let is_in_place = isolation == "in-place";
        let whole = picture_all(&bench);
        let theirs = leave_out_the_runs(&whole, is_in_place);
        Self {
            // On the user's own branch, what was kept stays in the scope.
            whole: if is_in_place { theirs.clone() } else { whole },
            theirs,
            bench,
            config,
            is_in_place,
            runs: 0,
            run: String::new(),
            is_open: false,
            rows: Vec::new(),
            edits: 0,
            incumbent: 0,
            due: String::new(),
            owed: None,
        }
    }

    /// What comes next, as the dice and the run have it.
    pub(crate) fn choose_act(&self, dice: &mut Dice) -> Act {
        if !self.is_open {
            return Act::Start;
        }
        match self.due.as_str() {
            "finish" => return dice.pick(&[Act::Finish, Act::Finish, Act::Resume]),
            "rework" => return dice.pick(&[Act::Rework, Act::Drop, Act::Stop, Act::Finish]),
            "refine" | "pivot" | "search" => return Act::Strategy,
            _ => {}
        }
        let more = [
            Act::GuardFails,
            Act::Drop,
            Act::Retry,
            Act::Resume,
            Act::Stop,
            Act::Finish,
            Act::Crash,
        ];
        match dice.below(10) {
            0..=3 => Act::Keep,
            4..=6 => Act::Discard,
            _ => dice.pick(&more),
        }
    }

    /// Makes the edits of an act; the words of its command.
    pub(crate) fn prepare(&mut self, act: Act) -> Vec<String> {
        let words: &[&str] = match act {
            Act::Start => return self.prepare_start(),
            Act::Keep | Act::Discard | Act::Crash | Act::GuardFails => {
                self.edit(act);
                &["trial", "-m", "the idea"]
            }
            Act::Rework => {
                self.edit(Act::Keep);
                &["trial", "--rework", "-m", "mended"]
            }
            Act::Drop => {
                self.edit(Act::Discard);
                &["trial", "--drop"]
            }
            Act::Strategy => return self.words_of_strategy(),
            Act::Retry => return self.words_of_retry(),
            Act::Resume => &["resume"],
            Act::Stop => &["stop"],
            Act::Finish => &["finish"],
        };
        words.iter().map(ToString::to_string).collect()
    }

    fn prepare_start(&mut self) -> Vec<String> {
        self.runs += 1;
        if self.is_in_place {
            // On the user's own branch, edits that were not measured stay the user's.
            self.bench.git(&["checkout", "-q", "HEAD", "--", "src"]);
        }
        let file = self.bench.base.join("config.yaml");
        let config = format!("tag: run{}\n{}", self.runs, self.config);
        std::fs::write(&file, config).unwrap();
        ["start", "--config", file.to_str().unwrap()]
            .map(ToOwned::to_owned)
            .into()
    }

    fn words_of_strategy(&self) -> Vec<String> {
        ["strategy", &self.due, "-m", "another way"]
            .map(ToOwned::to_owned)
            .into()
    }

    fn words_of_retry(&self) -> Vec<String> {
        let discarded = self.rows.iter().rfind(|row| row["status"] == "discard");
        let number = discarded.map_or(0, |row| row["iteration"].as_u64().unwrap_or(0));
        vec!["retry".to_owned(), number.to_string()]
    }

    /// Where the run is edited.
    fn tree(&self) -> PathBuf {
        let list = self.bench.git(&["worktree", "list", "--porcelain"]);
        let branch = format!("branch refs/heads/autoresearch/{}", self.run);
        let ours = list
            .split("\n\n")
            .find(|block| block.lines().any(|line| line == branch));
        let path = ours.and_then(|block| block.lines().next()?.strip_prefix("worktree "));
        path.map_or_else(|| self.bench.places.repo.clone(), PathBuf::from)
    }

    /// An edit that comes to this, and is like no other.
    fn edit(&mut self, act: Act) {
        self.edits += 1;
        let lines = match act {
            Act::Keep => self.incumbent.saturating_sub(FIXED + 1),
            _ => self.incumbent + 2 - FIXED,
        };
        let lines = usize::try_from(lines).unwrap();
        let tree = self.tree();
        let text = format!("{}# edit {}\n", "any\n".repeat(lines), self.edits);
        write_file(&tree.join("src/a"), &text);
        let b = match (act, self.edits % 3) {
            (Act::Crash, _) => "stop\n",
            (_, 0) => "slow\n",
            _ => "b\n",
        };
        write_file(&tree.join("src/b"), b);
        let state = if act == Act::GuardFails {
            "bad\n"
        } else {
            "ok\n"
        };
        write_file(&tree.join("src/state"), state);
        let file = tree.join("src/a");
        let id = self.bench.git(&["hash-object", file.to_str().unwrap()]);
        self.owed = Some(id.trim().to_owned());
    }

    /// Does an act that nobody harms, and that must do what it is for.
    pub(crate) fn do_unharmed(&mut self, act: Act, place: &str) {
        let words = self.prepare(act);
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.push("--json");
        let said = self.bench.run(&words);
        if act != Act::Retry {
            assert_eq!(said.code, 0, "{place}, unharmed {act:?}: {said:?}");
        }
        let verdict = match act {
            Act::Keep => "keep",
            Act::Discard => "discard",
            Act::Crash => "crash",
            _ => "",
        };
        if !verdict.is_empty() {
            assert_eq!(
                said.json()["verdict"],
                verdict,
                "{place}, unharmed: {said:?}"
            );
        }
        self.note_answer(act, &said);
        self.survey(&format!("{place}, unharmed {act:?}"));
    }

    /// What an act that has answered says about the run being open.
    pub(crate) fn note_answer(&mut self, act: Act, said: &Said) {
        match act {
            Act::Start if said.code == 0 => {
                let status = self.bench.run(&["status", "--json"]).json();
                self.open(&status["run"]);
            }
            Act::Finish if said.code == 0 => self.is_open = false,
            _ => {}
        }
    }

    fn open(&mut self, run: &Value) {
        run.as_str().unwrap().clone_into(&mut self.run);
        self.is_open = true;
        self.rows.clear();
        self.owed = None;
    }

    /// After harm: the next command answers, `resume` repairs, and everything is as it must be.
    pub(crate) fn converge(&mut self, act: Act, next: &[&str], place: &str) {
        if !next.is_empty() {
            let said = self.bench.run(next);
            let place = format!("{place}, then {next:?}");
            assert!(ANSWERS.contains(&said.code), "{place}: {said:?}");
            if next[0] == "finish" {
                self.note_answer(Act::Finish, &said);
            }
        }
        let resumed = self.bench.run(&["resume", "--json"]);
        let is_the_last = || resumed.json()["run"] == self.run;
        if act == Act::Start && !self.is_open && (resumed.code != 0 || is_the_last()) {
            return self.expect_nothing(place);
        }
        assert_eq!(resumed.code, 0, "{place}: {resumed:?}");
        if act == Act::Start && !self.is_open {
            self.open(&resumed.json()["run"]);
        }
        if act == Act::Finish && self.is_open {
            let said = self.bench.run(&["finish"]).ok(place);
            self.note_answer(Act::Finish, &said);
        }
        self.survey(place);
    }

    /// A start that came to nothing has changed nothing of the user's, and can be made.
    fn expect_nothing(&mut self, place: &str) {
        self.expect_theirs(place, &self.whole.clone());
        self.runs -= 1;
        self.do_unharmed(Act::Start, place);
    }

    fn expect_theirs(&self, place: &str, before: &Picture) {
        let mut now = picture_all(&self.bench);
        if !before.contains_key("(HEAD)") {
            now = leave_out_the_runs(&now, self.is_in_place);
        }
        let differences = tell_differences(before, &now);
        assert!(differences.is_empty(), "{place}: {differences:#?}");
    }

    /// Journal, anchor, branch and files agree; nothing that was told is gone; nothing of the user's has changed.
    pub(crate) fn survey(&mut self, place: &str) {
        let doctor = self.bench.run(&["doctor", "--json"]).ok(place).json();
        assert_eq!(doctor["problems"], 0, "{place}: {doctor}");
        self.survey_rows(place);
        let status = self.bench.run(&["status", "--json"]).ok(place).json();
        let is_ended = status["end"].is_string();
        status["due"].as_str().unwrap().clone_into(&mut self.due);
        self.incumbent = status["incumbent"].as_u64().unwrap();
        let commit = status["incumbent_commit"].as_str().unwrap();
        self.survey_keeps(commit, place);
        if self.is_open && !is_ended && self.due != "rework" {
            let tree = self.tree();
            let head = ["-C", tree.to_str().unwrap(), "rev-parse", "HEAD^{tree}"];
            let kept = self
                .bench
                .git(&["rev-parse", &format!("{commit}^{{tree}}")]);
            assert_eq!(self.bench.git(&head), kept, "{place}: {status}");
        }
        self.survey_owed(place);
        self.expect_theirs(place, &self.theirs);
        self.bench.expect_no_process(place);
        let locks = find_locks(&self.bench.places.repo.join(".git"));
        assert!(locks.is_empty(), "{place}: {locks:?}");
    }

    /// The rows that were told are told again, and at most two came to them.
    fn survey_rows(&mut self, place: &str) {
        let log = self.bench.run(&["log", "--json"]).ok(place).json();
        let rows = log["rows"].as_array().unwrap().clone();
        let told = self.rows.len();
        assert!(
            rows.len() >= told && rows[..told] == self.rows[..],
            "{place}: rows were lost or changed: {:?} -> {rows:?}",
            self.rows
        );
        assert!(
            told == 0 || rows.len() <= told + 2,
            "{place}: more rows than commands: {:?} -> {rows:?}",
            self.rows
        );
        self.rows = rows;
    }

    fn survey_keeps(&self, incumbent: &str, place: &str) {
        for row in self.rows.iter().filter(|row| row["status"] == "keep") {
            let hash = row["hash"].as_str().unwrap();
            let found = ["merge-base", "--is-ancestor", hash, incumbent];
            let said = self.bench.try_git(&found);
            assert_eq!(said.code, 0, "{place}: the keep {row} was lost: {said:?}");
        }
    }

    /// The last edit is in the work tree, or in a commit that has a name.
    fn survey_owed(&mut self, place: &str) {
        let Some(id) = self.owed.clone() else { return };
        let file = self.tree().join("src/a");
        let now = self.bench.git(&["hash-object", file.to_str().unwrap()]);
        if now.trim() == id {
            return;
        }
        let named = self.bench.git(&["rev-list", "--objects", "--all"]);
        let is_named = named.lines().any(|line| line.starts_with(&id));
        assert!(is_named, "{place}: edit {} is nowhere", self.edits);
        self.owed = None;
    }

    /// Ends the run. Afterwards everything of the user's is as it was before the first start.
    pub(crate) fn end(mut self) {
        if self.is_open {
            self.do_unharmed(Act::Finish, "at the end");
        }
        self.expect_theirs("at the end", &self.whole);
        self.bench.run(&["clean", "--yes"]).ok("clean");
        self.expect_theirs("after clean", &self.theirs);
        let checked = self.bench.try_git(&["fsck", "--full", "--strict"]);
        assert_eq!(checked.code, 0, "git fsck: {checked:?}");
        let left: Vec<_> = std::fs::read_dir(&self.bench.places.temporary)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        assert!(left.is_empty(), "in the temporary folder: {left:?}");
    }
}

/// How long the commands of each act take here, learned from those that ended.
#[derive(Default)]
pub(crate) struct Pace(std::collections::HashMap<Act, Duration>);

impl Pace {
    pub(crate) fn of(&self, act: Act) -> Duration {
        let known = self.0.get(&act).copied();
        known.unwrap_or(Duration::from_millis(250))
    }

    pub(crate) fn learn(&mut self, act: Act, took: Duration) {
        let known = self.0.entry(act).or_insert(took);
        *known = (*known * 3 + took) / 4;
    }
}

/// Lock files of git.
fn find_locks(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(find_locks(&path));
        } else if path.extension().is_some_and(|ending| ending == "lock") {
            found.push(path);
        }
    }
    found
}
