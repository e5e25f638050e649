//! Owns the check of a config: every problem at once, each with its place and a remedy.
//! Does not see the repository; what only the disk can tell is added by the caller.
//! Invariant: a config without errors becomes a `Config`; warnings do not stop it.

use crate::config::file::{ConfigFile, make_config_schema};
use crate::config::holdout::Holdout;
use crate::config::meaning::ConfigMeaning;
use crate::config::problem::{Problem, Severity};
use crate::config::resolved::Config;
use crate::config::schema::find_faults;

/// The outcome of a check.
#[derive(Clone, Debug)]
pub struct CheckedConfig {
    /// The config, when no error was found.
    pub config: Option<Config>,
    /// The check that the config is not to hold, where there is one.
    pub holdout: Option<Holdout>,
    /// Everything that was found, in the order of the keys.
    pub problems: Vec<Problem>,
}

/// Checks a parsed config.
#[must_use]
pub fn check_config(document: &serde_json::Value) -> CheckedConfig {
    if !document.is_object() {
        let problem = Problem::error(
            "",
            "the config is not a block of `key: value` lines",
            "start from `autoresearch config example`",
        );
        return CheckedConfig {
            config: None,
            holdout: None,
            problems: vec![problem],
        };
    }
    let faults = find_faults(&make_config_schema(), document);
    let paths: Vec<Vec<String>> = faults.iter().map(|fault| fault.path.clone()).collect();
    let mut problems: Vec<Problem> = faults
        .into_iter()
        .map(|fault| Problem::error(&format_place(&fault.path), fault.message, fault.remedy))
        .collect();
    let known = replace_faulty_keys(document, &paths);
    let mut holdout = None;
    let config = match serde_json::from_value::<ConfigFile>(known) {
        Ok(file) => {
            let mut meaning = ConfigMeaning {
                problems: &mut problems,
            };
            let config = meaning.resolve_config(&file);
            holdout = meaning.resolve_holdout(&file);
            Some(config)
        }
        Err(error) if problems.is_empty() => {
            problems.push(Problem::error(
                "",
                error.to_string(),
                "compare with `autoresearch config schema`",
            ));
            None
        }
        Err(_) => None,
    };
    let failed = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    CheckedConfig {
        config: config.filter(|_| !failed),
        holdout: holdout.filter(|_| !failed),
        problems,
    }
}

/// `verify.ok_exit[0]` for the path verify, `ok_exit`, 0.
fn format_place(path: &[String]) -> String {
    path.iter()
        .fold(String::new(), |place, part| match part.parse::<usize>() {
            Ok(index) => format!("{place}[{index}]"),
            Err(_) if place.is_empty() => part.clone(),
            Err(_) => format!("{place}.{part}"),
        })
}

/// The document without its faulty keys and with stand-ins for the required ones, so that the meaning of the rest is
/// checked in the same pass. A config that needed this is never used.
fn replace_faulty_keys(document: &serde_json::Value, faults: &[Vec<String>]) -> serde_json::Value {
    let mut rest = document.clone();
    for path in faults {
        let keys: Vec<&String> = path
            .iter()
            .take_while(|key| key.parse::<usize>().is_err())
            .collect();
        let Some((last, parents)) = keys.split_last() else {
            continue;
        };
        let parent = parents
            .iter()
            .try_fold(&mut rest, |value, key| value.get_mut(key.as_str()));
        if let Some(fields) = parent.and_then(serde_json::Value::as_object_mut) {
            fields.remove(last.as_str());
        }
    }
    if !faults.is_empty() {
        let required = [
            ("", "goal", "-"),
            ("metric", "name", "m"),
            ("metric", "direction", "lower"),
            ("verify", "command", "-"),
        ];
        let measures_itself = [
            "wall",
            "cpu",
            "peak_memory",
            "size",
            "count",
            "exit_rate",
            "gates",
        ]
        .iter()
        .any(|key| document["verify"].get(key).is_some());
        for (block, key, stand_in) in required {
            if block == "verify" && measures_itself {
                continue;
            }
            let block = if block.is_empty() {
                &mut rest
            } else {
                &mut rest[block]
            };
            if block.get(key).is_none() {
                block[key] = stand_in.into();
            }
        }
        if rest.get("scope").is_none() {
            rest["scope"] = serde_json::json!(["-"]);
        }
        for block in ["guard", "holdout"] {
            if rest
                .get(block)
                .is_some_and(|fields| fields.get("command").is_none())
            {
                rest[block]["command"] = "-".into();
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::config::choices::{Isolation, Rollback};
    use crate::metric::value::Value;

    fn smallest() -> serde_json::Value {
        json!({
            "goal": "Get rid of the any types",
            "scope": ["src/**/*.ts"],
            "metric": {"name": "any_count", "direction": "lower", "target": 0},
            "verify": {"command": "node scripts/count-any.js"},
        })
    }

    fn listed(document: &serde_json::Value) -> String {
        let row = |problem: Problem| {
            format!(
                "{:?} {}: {} -> {}\n",
                problem.severity, problem.place, problem.message, problem.remedy
            )
        };
        check_config(document)
            .problems
            .into_iter()
            .map(row)
            .collect()
    }

    #[test]
    fn the_smallest_config_gets_every_default() {
        let config = check_config(&smallest()).config.unwrap();
        assert_eq!(config.iterations, Some(50));
        assert_eq!(config.verify.timeout, Duration::from_mins(10));
        assert_eq!(config.isolation, Isolation::Branch);
        assert_eq!(config.rollback, Rollback::Reset);
        assert_eq!(
            serde_json::from_str::<Config>(&serde_json::to_string(&config).unwrap()).unwrap(),
            config
        );
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_place_and_a_remedy() {
        let document = json!({
            "gaol": "x", "scope": [], "iterations": 0, "mode": "lop", "isolation": "in-place", "rollback": "reset",
            "metric": {"name": "a b", "direction": "down"},
            "verify": {"command": "grep -c any x", "timout": "5m", "timeout": "soon"},
            "guard": "npm test", "env": ["GITHUB_TOKEN", "$HOME"], "min_improvement": "-1%", "tag": "My Run",
            "keep_when": [{"metric": "p95", "op": "=<", "value": 3}],
        });
        insta::assert_snapshot!(listed(&document));
    }

    #[test]
    fn meaning_is_checked_when_the_shape_is_right() {
        let mut document = smallest();
        document["scope"] = json!(["!src/**", "../x"]);
        document["verify"] = json!({"command": "grep -c any src/a.ts", "timeout": "soon", "working_directory": "../up", "ok_exit": []});
        document["goal"] = json!("  ");
        document["isolation"] = json!("in-place");
        document["rollback"] = json!("reset");
        document["env"] = json!(["MY_API_KEY", "1A"]);
        document["min_improvement"] = json!("0");
        document["tag"] = json!("My Run");
        document["unknwon"] = json!(1);
        insta::assert_snapshot!(listed(&document));
    }

    #[test]
    fn one_scope_pattern_may_be_written_without_a_list() {
        let mut document = smallest();
        document["scope"] = json!("src/**");
        document["min_improvement"] = json!("2%");
        let config = check_config(&document).config.unwrap();
        assert_eq!(config.scope, ["src/**"]);
        assert_eq!(
            config
                .min_improvement
                .unwrap()
                .for_incumbent(&Value::from(50)),
            Value::from(1)
        );
    }

    #[test]
    fn what_is_no_block_of_keys_is_one_clear_error() {
        for document in [json!(null), json!("x"), json!([1])] {
            assert_eq!(check_config(&document).problems.len(), 1);
        }
    }
}
