//! Owns `Candidate`: a whole config that a repository suggests, with its reason.
//! Does not compare candidates.
//! Invariant: its config is one that `check_config` accepts; what the machine lacks for it is named.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::{Severity, TOTAL, check_config};
use crate::metric::unit::Unit;
use crate::scan::check_kind::CheckKind;
use crate::scan::commands::{CommandWords, OUT};
use crate::scan::goal::{Aim, Wish};
use crate::scan::patterns::{FilePatterns, escape_pattern, root_pattern, take_out};
use crate::scan::project::{MissingNeed, Project, match_any};
use crate::scan::stack::{CountedPattern, Measure, Recipe, Report};
use crate::words::text::format_count;

/// A proposal.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// What it would improve, in one sentence.
    pub title: String,
    pub aim: Aim,
    /// The ecosystem.
    pub stack: String,
    /// The folder of the project, from the root; `.` for the root.
    pub folder: String,
    /// Other folders in which the same could be done.
    pub also: Vec<String>,
    pub reason: String,
    /// The value now, where it could be counted without running anything.
    pub today: Option<u64>,
    /// What this machine lacks for it.
    pub missing: Vec<MissingNeed>,
    pub config: Value,
    /// Keys that let it run in a separate work tree.
    pub worktree: Value,
    #[serde(skip)]
    pub score: u64,
    /// The report in which it counts, from the root.
    #[serde(skip)]
    pub report: Option<String>,
}

/// Makes the candidates of one project.
pub(super) struct CandidateMaker<'p, 's> {
    pub project: &'p Project<'s>,
    pub patterns: &'p FilePatterns,
    pub wish: &'p Wish,
}

/// How a measurement is written in a config.
struct WrittenVerify {
    verify: Map<String, Value>,
    keep_when: Option<Value>,
    min_improvement: Option<&'static str>,
    unit: Unit,
}

/// What a config is put together of.
struct Draft<'d> {
    aim: Aim,
    goal: &'d str,
    metric: &'d str,
    target: Option<&'d str>,
    scope: Vec<String>,
    protect: Vec<String>,
    written: WrittenVerify,
    guard: Option<Value>,
}

/// The keys of an object that was just written as one.
fn to_keys(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

/// The lines of a script that stops at the first failure, and has a folder for what it writes.
pub(super) fn write_script(lines: &[String]) -> String {
    let uses_out = lines.iter().any(|line| line.contains(OUT));
    if let ([line], false) = (lines, uses_out) {
        return line.clone();
    }
    let mut script = vec!["set -eu".to_owned()];
    if uses_out {
        script.push(format!("mkdir -p {OUT}"));
        script.push(format!("echo '*' > {OUT}/.gitignore"));
    }
    script.extend_from_slice(lines);
    script.join("\n") + "\n"
}

impl Candidate {
    /// Would the check take its config? Names and sentences come from outside, and nobody is helped by a config that is
    /// refused.
    pub(super) fn is_accepted(&self) -> bool {
        let problems = check_config(&self.config).problems;
        !problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }
}

impl<'s> CandidateMaker<'_, 's> {
    pub(super) fn words(&self) -> CommandWords<'_, 's> {
        CommandWords {
            project: self.project,
            patterns: self.patterns,
        }
    }

    /// A candidate of a recipe whose conditions hold.
    pub(super) fn make_of_recipe(&self, recipe: &Recipe) -> Option<Candidate> {
        let holds = self.project.holds_all(&recipe.when);
        holds.then(|| self.write_recipe(recipe)).flatten()
    }

    /// A candidate of a recipe, where the project has what its words name.
    pub(super) fn write_recipe(&self, recipe: &Recipe) -> Option<Candidate> {
        let written = self.write_measure(&recipe.measure)?;
        let mut missing = self
            .project
            .list_missing_for(&recipe.needs, recipe.measure.list_commands());
        let (scope, protect) = self.choose_files(&recipe.scope)?;
        let guard = self.choose_guard(recipe.aim, &mut missing);
        let mut candidate = self.assemble(Draft {
            aim: recipe.aim,
            goal: &recipe.goal,
            metric: &recipe.metric,
            target: recipe.target.as_deref(),
            scope,
            protect,
            written,
            guard,
        });
        candidate.reason.clone_from(&recipe.why);
        candidate.missing = missing;
        if let Measure::Report(Report { file, .. }) = &recipe.measure {
            candidate.report = self.name_output(&format!("{OUT}/{file}"));
        }
        Some(candidate)
    }

    /// A candidate that counts something in the sources; `None` where nothing is left to count.
    pub(super) fn make_of_count(&self, counted: &CountedPattern) -> Option<Candidate> {
        if !self.project.holds_all(&counted.when) {
            return None;
        }
        let (scope, protect) = self.choose_files(&[])?;
        let today = self.project.sum_counts(&counted.metric, Some(&scope));
        if today.is_some_and(|(matches, _)| matches == 0) {
            return None;
        }
        let written = WrittenVerify {
            verify: to_keys(json!({"count": {"pattern": counted.pattern, "files": scope}})),
            keep_when: Some(json!([{"metric": "files", "op": "not-worse", "direction": "higher"}])),
            min_improvement: None,
            unit: Unit::default(),
        };
        let mut missing = Vec::new();
        let guard = self.choose_guard(Aim::Count, &mut missing);
        let mut candidate = self.assemble(Draft {
            aim: Aim::Count,
            goal: &counted.goal,
            metric: &counted.metric,
            target: Some("0"),
            scope,
            protect,
            written,
            guard,
        });
        candidate.today = today.map(|(matches, _)| matches);
        candidate.missing = missing;
        candidate.reason = match today {
            Some((matches, files)) => format!(
                "{} in {} now; the tool counts them itself",
                format_count(matches, "match").replace("matchs", "matches"),
                format_count(files as u64, "file")
            ),
            None => "the tool counts them itself".to_owned(),
        };
        Some(candidate)
    }

    /// The patterns of scope and protect.
    fn choose_files(&self, wanted: &[String]) -> Option<(Vec<String>, Vec<String>)> {
        let kinds = [
            ("@sources", &self.patterns.sources),
            ("@tests", &self.patterns.tests),
            ("@configs", &self.patterns.configs),
        ];
        let sources = ["@sources".to_owned()];
        let wanted = if wanted.is_empty() {
            &sources[..]
        } else {
            wanted
        };
        let mut scope = Vec::new();
        for word in wanted {
            match kinds.iter().find(|(kind, _)| kind == word) {
                Some((_, patterns)) => scope.extend_from_slice(patterns),
                None => scope.push(root_pattern(&self.project.folder, word)),
            }
        }
        let rest = kinds
            .iter()
            .filter(|(kind, _)| !wanted.iter().any(|word| word == kind));
        let protect: Vec<String> = rest
            .flat_map(|(_, patterns)| patterns.iter().cloned())
            .collect();
        let files = self
            .project
            .survey
            .files
            .iter()
            .map(|file| file.path.as_str());
        if match_any(&scope, files.clone()).is_empty() {
            return None;
        }
        if wanted.iter().any(|word| word == "@tests") {
            // Tests that stand beside the sources belong to the scope here.
            let protect = take_out(protect, &scope, files);
            return Some((scope, protect));
        }
        Some((take_out(scope, &protect, files), protect))
    }

    /// What must pass before a keep. Where tests fail or are flaky they cannot say it alone.
    fn choose_guard(&self, aim: Aim, missing: &mut Vec<MissingNeed>) -> Option<Value> {
        let project = self.project;
        let check = match aim {
            Aim::BuildErrors => return None,
            Aim::FailingTests => project.choose_check(&[CheckKind::Types, CheckKind::Build])?,
            // A build says less: it stands in only where there is nothing else to ask.
            _ => project
                .choose_check(&[CheckKind::Tests, CheckKind::Types])
                .or_else(|| project.choose_check(&[CheckKind::Build]))?,
        };
        // One that cannot run names what would be needed.
        missing.extend(self.project.list_missing_of(check));
        missing.sort();
        missing.dedup();
        let text = self.words().fill_command(&check.command)?;
        let lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        let mut guard = self.write_guard(&lines);
        if aim == Aim::FlakyTests {
            guard["retries"] = json!(3);
        }
        Some(guard)
    }

    /// A guard of lines of which each must pass.
    pub(super) fn write_guard(&self, lines: &[String]) -> Value {
        let mut guard = to_keys(json!({"command": write_script(lines), "timeout": "15m"}));
        self.add_folder(&mut guard);
        Value::Object(guard)
    }

    fn add_folder(&self, block: &mut Map<String, Value>) {
        if !self.project.folder.is_empty()
            && (block.contains_key("command")
                || ["wall", "cpu", "peak_memory", "exit_rate"]
                    .iter()
                    .any(|key| block.contains_key(*key)))
        {
            block.insert("working_directory".to_owned(), json!(self.project.folder));
        }
    }

    fn fill_script(&self, lines: &[String]) -> Option<String> {
        let words = self.words();
        let filled: Option<Vec<String>> =
            lines.iter().map(|line| words.fill_command(line)).collect();
        filled.map(|lines| write_script(&lines))
    }

    /// A file that a command writes, from the repository's root.
    fn name_output(&self, file: &str) -> Option<String> {
        let inside = self.words().fill_path(file)?;
        let folder = &self.project.folder;
        Some(if folder.is_empty() {
            inside
        } else {
            format!("{folder}/{inside}")
        })
    }

    /// Patterns of what a command builds, from the repository's root.
    fn root_outputs(&self, files: &[String]) -> Option<Vec<String>> {
        let words = self.words();
        let rooted = files.iter().map(|file| {
            let bare = file.trim_start_matches('!');
            let sign = &file[..file.len() - bare.len()];
            let filled = words.fill_pattern(bare)?;
            Some(format!(
                "{sign}{}",
                root_pattern(&self.project.folder, &filled)
            ))
        });
        rooted.collect()
    }

    /// What of a report in our folder is counted. Where statuses say that something was found, the script ends with its own: no
    /// 0 is a success then unless the command says so too.
    fn write_report(&self, report: &Report) -> Option<Value> {
        let file = self.name_output(&format!("{OUT}/{}", report.file))?;
        let mut count = json!({"pattern": report.pattern, "files": [escape_pattern(&file)]});
        if let Some(of) = &report.of {
            count["of"] = json!(of);
        }
        if report.found.is_empty() {
            return Some(json!({"count": count, "command": self.fill_script(&report.command)?}));
        }
        let (first, last) = (["status=0".to_owned()], ["exit $status".to_owned()]);
        let lines = [&first, &report.command[..], &last].concat();
        let statuses = [&[0], &report.found[..]].concat();
        Some(json!({"count": count, "command": self.fill_script(&lines)?, "ok_exit": statuses}))
    }

    fn write_measure(&self, measure: &Measure) -> Option<WrittenVerify> {
        let mut keep_when = None;
        let mut min_improvement = None;
        let verify = match measure {
            Measure::Wall(command) => {
                min_improvement = Some("2%");
                json!({"wall": self.fill_script(std::slice::from_ref(command))?})
            }
            Measure::BuildWall(lines) => {
                min_improvement = Some("3%");
                json!({"wall": self.fill_script(lines)?, "warmup": 0, "repeats": 1})
            }
            Measure::PeakMemory(command) => {
                min_improvement = Some("2%");
                json!({"peak_memory": self.fill_script(std::slice::from_ref(command))?, "warmup": 1, "repeats": 3})
            }
            Measure::ExitRate(command) => {
                json!({"exit_rate": self.fill_script(std::slice::from_ref(command))?, "runs": 20, "vary": ["seed", "zone", "load"]})
            }
            Measure::Report(report) => {
                keep_when = report
                    .of
                    .as_ref()
                    .map(|_| json!([{"metric": TOTAL, "op": "not-worse", "direction": "higher"}]));
                self.write_report(report)?
            }
            Measure::Covered { file, command } => {
                keep_when =
                    Some(json!([{"metric": "lines", "op": "not-worse", "direction": "higher"}]));
                json!({"covered": self.name_output(file)?, "command": self.fill_script(command)?})
            }
            Measure::Size {
                files,
                gzip,
                command,
            } => {
                let files = self.root_outputs(files)?;
                let command = self.fill_script(command)?;
                let mut size = to_keys(json!({"size": files, "command": command}));
                if *gzip {
                    size.insert("gzip".to_owned(), json!(true));
                }
                Value::Object(size)
            }
            Measure::Printed { command } => json!({"command": self.fill_script(command)?}),
        };
        let mut verify = to_keys(verify);
        verify.insert("timeout".to_owned(), json!("15m"));
        self.add_folder(&mut verify);
        Some(WrittenVerify {
            verify,
            keep_when,
            min_improvement,
            unit: measure.unit(),
        })
    }

    fn assemble(&self, draft: Draft<'_>) -> Candidate {
        let words = self.words();
        let goal = words.fill_command(draft.goal);
        let goal = goal.unwrap_or_else(|| draft.goal.to_owned());
        let title = match self.project.folder.as_str() {
            "" => goal,
            folder => format!("{goal} in {folder}"),
        };
        let asked = Some(self.wish.text.as_str()).filter(|text| !text.is_empty());
        let mut config = to_keys(json!({
            "goal": asked.unwrap_or(&title),
            "scope": draft.scope,
            "metric": {"name": draft.metric, "direction": draft.aim.direction()},
            "verify": draft.written.verify,
            "iterations": 40,
            "time_limit": "8h",
        }));
        let unit = &draft.written.unit;
        let asked = draft.aim.choose_target(&self.wish.targets, unit);
        if let Some(target) = asked.map(String::as_str).or(draft.target) {
            let number = target
                .parse::<i64>()
                .map_or_else(|_| json!(target), Value::from);
            config["metric"]["target"] = number;
        }
        let min_improvement = draft.written.min_improvement.map(Value::from);
        let protect = (!draft.protect.is_empty()).then(|| json!(draft.protect));
        for (key, value) in [
            ("protect", protect),
            ("guard", draft.guard),
            ("keep_when", draft.written.keep_when),
            ("min_improvement", min_improvement),
        ] {
            if let Some(value) = value {
                config.insert(key.to_owned(), value);
            }
        }
        Candidate {
            title,
            aim: draft.aim,
            stack: self.project.stack.title.clone(),
            folder: if self.project.folder.is_empty() {
                ".".to_owned()
            } else {
                self.project.folder.clone()
            },
            also: Vec::new(),
            reason: String::new(),
            today: None,
            missing: Vec::new(),
            config: Value::Object(config),
            worktree: self.write_worktree(),
            score: 0,
            report: None,
        }
    }

    /// What a separate tree gets: the ignored folders in which the programs of the project are.
    pub(super) fn write_worktree(&self) -> Value {
        let folders = ["node_modules", ".venv", "venv", "vendor"];
        let mut links: Vec<String> = Vec::new();
        for path in &self.project.survey.installed {
            let parts: Vec<&str> = path.split('/').collect();
            let end = parts.iter().position(|part| folders.contains(part));
            let link = end.map(|end| format!("/{}", escape_pattern(&parts[..=end].join("/"))));
            links.extend(link.filter(|link| !links.contains(link)));
        }
        if links.is_empty() {
            json!({"isolation": "worktree"})
        } else {
            json!({"isolation": "worktree", "link": links})
        }
    }
}

#[cfg(test)]
mod tests;
