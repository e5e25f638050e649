//! Owns the sandbox of verify and guard: as it is typed, and as it is meant.
//! Does not close one.
//! Invariant: what is not named is closed: no network, and no folder besides the tree's and the command's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::problem::Problem;

/// What verify, its check and guard may do in their sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SandboxFile {
    /// May they reach the network, and programs that listen on Unix sockets?
    #[serde(default)]
    pub network: bool,
    /// Folders outside the repository that they may write too, such as the cache of a compiler: whole paths, or ones that begin with `~/`.
    #[serde(default)]
    pub writable: Vec<String>,
}

/// The sandbox in which verify, its check and guard run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxRule {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub network: bool,
    /// Folders that they may write besides the tree and their own: absolute, or below `~/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writable: Vec<String>,
}

/// The sandbox that was typed, if it is on; what it cannot be is noted.
pub(super) fn resolve_sandbox(
    file: Option<&SandboxFile>,
    problems: &mut Vec<Problem>,
) -> Option<SandboxRule> {
    let file = file?;
    for (index, folder) in file.writable.iter().enumerate() {
        let is_whole = folder.starts_with('/') || folder.starts_with("~/");
        let is_all = folder.trim_start_matches('~').trim_matches('/').is_empty();
        if !is_whole || is_all || folder.split('/').any(|part| part == "..") {
            problems.push(Problem::error(
                &format!("verify.sandbox.writable[{index}]"),
                format!("`{folder}` is not the whole path of one folder"),
                "name a folder outside the repository, such as `~/.cache/sccache`",
            ));
        }
    }
    Some(SandboxRule {
        network: file.network,
        writable: file.writable.clone(),
    })
}

/// A block, or `true` for one in which nothing is said.
pub(super) fn read_switch_or_block<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SandboxFile>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null | serde_json::Value::Bool(false) => Ok(None),
        serde_json::Value::Bool(true) => Ok(Some(SandboxFile::default())),
        block => SandboxFile::deserialize(block)
            .map(Some)
            .map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::check_config;

    fn check(sandbox: &serde_json::Value) -> (Option<SandboxRule>, Vec<String>) {
        let document = json!({
            "goal": "fewer", "scope": ["src/**"], "guard": {"command": "true"},
            "metric": {"name": "count", "direction": "lower"},
            "verify": {"command": "echo 1", "sandbox": sandbox},
        });
        let checked = check_config(&document);
        let problems = checked.problems.iter();
        let said = problems.map(|problem| format!("{}: {}", problem.place, problem.message));
        (checked.config.and_then(|it| it.sandbox), said.collect())
    }

    #[test]
    fn it_is_off_unless_it_is_asked_for_and_then_closed_unless_something_is_named() {
        for off in [json!(false), json!(null)] {
            assert_eq!(check(&off), (None, vec![]));
        }
        for on in [json!(true), json!({}), json!({"network": false})] {
            assert_eq!(check(&on), (Some(SandboxRule::default()), vec![]));
        }
        let (rule, _) = check(&json!({"network": true, "writable": ["~/.cache/sccache"]}));
        let written = serde_json::to_string(&rule.unwrap()).unwrap();
        assert_eq!(
            written,
            r#"{"network":true,"writable":["~/.cache/sccache"]}"#
        );
    }

    #[test]
    fn what_is_no_folder_of_its_own_is_refused_with_its_place() {
        for folder in ["cache", "/", "~/", "~", "/a/../b", "", "//"] {
            let (_, said) = check(&json!({"writable": ["/tmp/a", folder]}));
            let expected = format!(
                "verify.sandbox.writable[1]: `{folder}` is not the whole path of one folder"
            );
            assert_eq!(said, [expected]);
        }
        let (_, said) = check(&json!({"net": true}));
        assert!(said[0].starts_with("verify.sandbox.net"), "{said:?}");
        let (_, said) = check(&json!("on"));
        assert!(said[0].starts_with("verify.sandbox"), "{said:?}");
    }
}
