//! Owns the meaning of `verify`: which gauge was typed, with which command, and what cannot be.
//! Does not look at the command; `meaning` does that for all commands alike.
//! Invariant: a config without errors has exactly one gauge.

use crate::config::choices::Shell;
use crate::config::file::{CommandFile, ConfigFile, VerifyFile};
use crate::config::gauge::{Gauge, GaugeKind};
use crate::config::globs::Globs;
use crate::config::problem::Problem;
use crate::metric::definition::{Direction, Format};
use crate::metric::matches::MatchPattern;

/// How often a command runs for `exit_rate` when the config does not say.
const DEFAULT_RUNS: u32 = 10;

/// What is measured: the gauge, and the command with the key under which it was typed.
pub(super) struct TypedVerify {
    /// Its check is not resolved yet.
    pub gauge: Gauge,
    pub key: &'static str,
    pub command: CommandFile,
}

/// Finds the gauge of a config, and notes what contradicts it.
pub(super) fn resolve_verify(file: &ConfigFile, problems: &mut Vec<Problem>) -> TypedVerify {
    let verify = &file.verify;
    let mut kinds = list_kinds(verify);
    if kinds.len() > 1 {
        let keys: Vec<String> = kinds
            .iter()
            .map(|kind| format!("`{}`", kind.key()))
            .collect();
        problems.push(Problem::error(
            "verify",
            format!(
                "{} are given, and only one of them can be the metric",
                keys.join(" and ")
            ),
            "keep one",
        ));
    }
    let kind = if kinds.is_empty() {
        if verify.command.is_none() {
            problems.push(Problem::error(
                "verify",
                "nothing says how the metric is measured",
                "add `command` (it prints the metric), or `wall`, `cpu`, `peak_memory`, `size`, `count`, `exit_rate`, `gates` or `covered`, which the tool measures itself",
            ));
        }
        GaugeKind::Printed
    } else {
        kinds.remove(0)
    };
    let (key, text) = choose_command(verify, &kind, problems);
    check_kind(&kind, problems);
    check_options(verify, &kind, problems);
    if kind == GaugeKind::Gates {
        check_gates_alone(verify, problems);
    }
    check_metric(file, &kind, problems);
    let (warmup, repeats) = match kind {
        GaugeKind::Wall | GaugeKind::Cpu => (1, 3),
        _ => (0, 1),
    };
    TypedVerify {
        gauge: Gauge {
            kind,
            warmup: verify.warmup.unwrap_or(warmup),
            repeats: verify.repeats.unwrap_or(repeats),
            check: None,
        },
        key,
        command: CommandFile {
            command: text,
            shell: verify.shell,
            timeout: verify.timeout.clone(),
            working_directory: verify.working_directory.clone(),
            ok_exit: verify.ok_exit.clone(),
            retries: verify.retries,
        },
    }
}

/// The kinds besides the printed one that were typed.
fn list_kinds(verify: &VerifyFile) -> Vec<GaugeKind> {
    let size = (!verify.size.is_empty()).then(|| GaugeKind::Size {
        files: verify.size.clone(),
        gzip: verify.gzip,
    });
    let count = verify.count.as_ref().map(|count| GaugeKind::Count {
        pattern: count.pattern.clone(),
        of: count.of.clone(),
        files: count.files.clone(),
    });
    let exit_rate = verify.exit_rate.as_ref().map(|_| GaugeKind::ExitRate {
        runs: verify.runs.unwrap_or(DEFAULT_RUNS),
        vary: verify.vary.clone(),
    });
    let covered = verify
        .covered
        .clone()
        .map(|report| GaugeKind::Covered { report });
    let kinds = [
        verify.wall.as_ref().map(|_| GaugeKind::Wall),
        verify.cpu.as_ref().map(|_| GaugeKind::Cpu),
        verify.peak_memory.as_ref().map(|_| GaugeKind::PeakMemory),
        size,
        count,
        exit_rate,
        verify.gates.then_some(GaugeKind::Gates),
        covered,
    ];
    kinds.into_iter().flatten().collect()
}

/// The command of a kind, and its key. A kind that has its own leaves no room for `command`.
fn choose_command(
    verify: &VerifyFile,
    kind: &GaugeKind,
    problems: &mut Vec<Problem>,
) -> (&'static str, String) {
    let own = match kind {
        GaugeKind::Wall => &verify.wall,
        GaugeKind::Cpu => &verify.cpu,
        GaugeKind::PeakMemory => &verify.peak_memory,
        GaugeKind::ExitRate { .. } => &verify.exit_rate,
        _ => &None,
    };
    let key = kind.key();
    let Some(text) = own else {
        if matches!(kind, GaugeKind::Covered { .. }) && verify.command.is_none() {
            problems.push(Problem::error(
                "verify.covered",
                "nothing makes the report",
                "add `command`, such as `cargo llvm-cov --lcov --output-path lcov.info`",
            ));
        }
        let text = verify.command.clone().unwrap_or_default();
        if verify.command.is_some() && text.trim().is_empty() {
            problems.push(Problem::error(
                "verify.command",
                "the command is empty",
                "write the command that the shell should run",
            ));
        }
        return ("command", text);
    };
    if verify.command.is_some() {
        problems.push(Problem::error(
            "verify",
            format!("`command` and `{key}` are given, and only one of them can be the metric"),
            format!("keep `{key}` alone to let the tool measure, or `command` alone to read what it prints; what must succeed before is `check`"),
        ));
    }
    if text.trim().is_empty() {
        problems.push(Problem::error(
            &format!("verify.{key}"),
            "the command is empty",
            "write the command that the shell should run",
        ));
    }
    (key, text.clone())
}

fn check_kind(kind: &GaugeKind, problems: &mut Vec<Problem>) {
    let (place, files) = match kind {
        GaugeKind::Size { files, .. } => ("verify.size", files),
        GaugeKind::Count { files, pattern, of } => {
            let of = of.iter().map(|of| ("verify.count.of", of));
            for (place, pattern) in of.chain([("verify.count.pattern", pattern)]) {
                if let Err(error) = MatchPattern::new(pattern) {
                    problems.push(Problem::error(
                        place,
                        error.to_string(),
                        "write a regular expression for what is to be counted; `\\` makes the next letter plain",
                    ));
                }
            }
            ("verify.count.files", files)
        }
        GaugeKind::Covered { report } => {
            let is_path = !report.is_empty() && !report.ends_with('/');
            if !is_path || report.starts_with('/') || report.split('/').any(|part| part == "..") {
                problems.push(Problem::error(
                    "verify.covered",
                    format!("`{report}` is not a file of the repository"),
                    "name the report that the command writes, from the repository's root",
                ));
            }
            return;
        }
        _ => return,
    };
    if files.iter().all(|pattern| pattern.starts_with('!')) {
        problems.push(Problem::error(
            place,
            "no file is named",
            "name the files, such as `dist/**/*.js`",
        ));
    }
    for (index, pattern) in files.iter().enumerate() {
        if let Err(error) = Globs::new(std::slice::from_ref(pattern)) {
            problems.push(Problem::error(
                &format!("{place}[{index}]"),
                error.to_string(),
                "write a gitignore-style pattern from the repository's root",
            ));
        }
    }
}

/// What belongs to a command, where each gate has its own.
fn check_gates_alone(verify: &VerifyFile, problems: &mut Vec<Problem>) {
    let is_usual = verify.shell == Shell::default() && verify.ok_exit == [0];
    let typed = [
        ("command", verify.command.is_some()),
        ("timeout", verify.timeout.is_some()),
        ("working_directory", verify.working_directory.is_some()),
        ("shell and ok_exit", !is_usual),
    ];
    for (key, _) in typed.iter().filter(|(_, typed)| *typed) {
        let place = match *key {
            "shell and ok_exit" => "verify".to_owned(),
            key => format!("verify.{key}"),
        };
        problems.push(Problem::error(
            &place,
            format!("with `verify.gates` each gate has its own {key}"),
            "write it in the gate it is meant for, under `gates`; a gate's status is `expect: {exit: N}`",
        ));
    }
}

/// Options that belong to another kind.
fn check_options(verify: &VerifyFile, kind: &GaugeKind, problems: &mut Vec<Problem>) {
    let of_a_run = "`wall`, `cpu` and `peak_memory`";
    let options = [
        (
            "gzip",
            verify.gzip,
            matches!(kind, GaugeKind::Size { .. }),
            "`size`",
        ),
        (
            "runs",
            verify.runs.is_some(),
            matches!(kind, GaugeKind::ExitRate { .. }),
            "`exit_rate`",
        ),
        (
            "vary",
            !verify.vary.is_empty(),
            matches!(kind, GaugeKind::ExitRate { .. }),
            "`exit_rate`",
        ),
        (
            "warmup",
            verify.warmup.is_some(),
            kind.is_of_a_run(),
            of_a_run,
        ),
        (
            "repeats",
            verify.repeats.is_some(),
            kind.is_of_a_run(),
            of_a_run,
        ),
    ];
    for (index, what) in verify.vary.iter().enumerate() {
        if verify.vary[..index].contains(what) {
            problems.push(Problem::error(
                &format!("verify.vary[{index}]"),
                format!("`{}` stands there twice", what.as_str()),
                "remove one",
            ));
        }
    }
    for (key, _, _, owner) in options.iter().filter(|(_, typed, fits, _)| *typed && !fits) {
        problems.push(Problem::error(
            &format!("verify.{key}"),
            format!(
                "`{key}` belongs to {owner}, and verify has `{}`",
                kind.key()
            ),
            "remove it",
        ));
    }
}

/// What is said of the metric, where the tool measures it.
fn check_metric(file: &ConfigFile, kind: &GaugeKind, problems: &mut Vec<Problem>) {
    if *kind == GaugeKind::Printed {
        return;
    }
    let key = kind.key();
    if file.metric.format != Format::Auto {
        problems.push(Problem::error(
            "metric.format",
            format!("with `verify.{key}` nothing that is printed is read"),
            "remove it",
        ));
    }
    let expected = match kind {
        GaugeKind::Covered { .. } => Direction::Higher,
        GaugeKind::Size { .. } | GaugeKind::Count { .. } => file.metric.direction,
        _ => Direction::Lower,
    };
    if file.metric.direction != expected {
        problems.push(Problem::warning(
            "metric.direction",
            format!(
                "of `{key}`, `{}` is rarely better",
                file.metric.direction.as_str()
            ),
            format!(
                "write `direction: {}`, unless it is meant",
                expected.as_str()
            ),
        ));
    }
    let known =
        |name: &String| *name == file.metric.name || kind.list_further().contains(&name.as_str());
    for (list, conditions) in [
        ("keep_when", &file.keep_when),
        ("stop_when", &file.stop_when),
    ] {
        for (index, condition) in conditions.iter().enumerate() {
            if !condition.metric.is_empty() && !known(&condition.metric) {
                let own = file.metric.name.as_str();
                let further = kind.list_further().iter().copied();
                let names: Vec<&str> = [own]
                    .into_iter()
                    .chain(further.filter(|name| *name != own))
                    .collect();
                problems.push(Problem::error(
                    &format!("{list}[{index}].metric"),
                    format!(
                        "with `verify.{key}` nothing that is printed is read, so there is no `{}`",
                        condition.metric
                    ),
                    format!("use one of {}", names.join(", ")),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
