//! Owns the choice of the caller's variables that git and the commands of a run get for git's sake.
//! Does not set any.
//! Invariant: none of them names a repository, an index or a program, and none holds a password.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::rules::is_rule;

/// Who the author is, where the settings lie, and how far git looks for a repository.
pub const OWN: [&str; 10] = [
    "EMAIL",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
];

/// How many settings the environment can hold; who has more has none.
const MOST: usize = 1_000;

/// Sections of which every setting counts: who may open a repository, and who the author is. A setting with a password
/// (`http.extraHeader`, `url`) is never taken, because what is taken is written to a file.
const SECTIONS: [&str; 4] = ["author", "committer", "safe", "user"];

/// The variables that count, of those of a caller. Settings from `GIT_CONFIG_COUNT` are numbered again from 0.
#[must_use]
pub fn choose_variables(vars: &BTreeMap<OsString, OsString>) -> BTreeMap<String, String> {
    let var = |name: &str| vars.get(OsStr::new(name))?.to_str();
    let mut chosen: BTreeMap<String, String> = OWN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), var(name)?.to_owned())))
        .collect();
    let count = var("GIT_CONFIG_COUNT").and_then(|text| text.parse::<usize>().ok());
    let settings = (0..count.filter(|count| *count <= MOST).unwrap_or(0)).filter_map(|number| {
        let key = var(&format!("GIT_CONFIG_KEY_{number}"))?;
        Some((key, var(&format!("GIT_CONFIG_VALUE_{number}"))?))
    });
    let settings: Vec<(&str, &str)> = settings.filter(|(key, _)| is_wanted_setting(key)).collect();
    if !settings.is_empty() {
        chosen.insert("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string());
    }
    for (number, (key, value)) in settings.into_iter().enumerate() {
        chosen.insert(format!("GIT_CONFIG_KEY_{number}"), key.to_owned());
        chosen.insert(format!("GIT_CONFIG_VALUE_{number}"), value.to_owned());
    }
    chosen
}

/// Adds to git's variables of a run the repositories that its caller lets git use (`safe.directory`), as they would count for
/// git itself here: the start may have been allowed elsewhere, such as in a file.
pub fn add_safe_places(env: &mut Vec<(OsString, OsString)>, vars: &BTreeMap<OsString, OsString>) {
    let given = choose_variables(vars);
    let known = env.iter().find(|(name, _)| name == "GIT_CONFIG_COUNT");
    let mut count: usize = known
        .and_then(|(_, count)| count.to_str()?.parse().ok())
        .unwrap_or(0);
    for number in 0..MOST {
        let (Some(key), Some(value)) = (
            given.get(&format!("GIT_CONFIG_KEY_{number}")),
            given.get(&format!("GIT_CONFIG_VALUE_{number}")),
        ) else {
            break;
        };
        if key.eq_ignore_ascii_case("safe.directory") {
            env.push((format!("GIT_CONFIG_KEY_{count}").into(), key.into()));
            env.push((format!("GIT_CONFIG_VALUE_{count}").into(), value.into()));
            count += 1;
        }
    }
    env.retain(|(name, _)| name != "GIT_CONFIG_COUNT");
    if count > 0 {
        env.push(("GIT_CONFIG_COUNT".into(), count.to_string().into()));
    }
}

fn is_wanted_setting(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let section = key.split('.').next().unwrap_or_default();
    SECTIONS.contains(&section)
        || (is_rule(&key) && !key.ends_with(".worktree") && key != "core.bare")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_environment_count_unless_they_hold_passwords_or_name_places_and_programs() {
        let given = [
            ("GIT_CONFIG_COUNT", "6"),
            ("GIT_CONFIG_KEY_0", "http.https://x.extraHeader"),
            ("GIT_CONFIG_VALUE_0", "Authorization: secret"),
            ("GIT_CONFIG_KEY_1", "safe.directory"),
            ("GIT_CONFIG_VALUE_1", "*"),
            ("GIT_CONFIG_KEY_2", "core.hooksPath"),
            ("GIT_CONFIG_VALUE_2", "/x"),
            ("GIT_CONFIG_KEY_3", "Core.AutoCRLF"),
            ("GIT_CONFIG_VALUE_3", "input"),
            ("GIT_CONFIG_KEY_4", "core.worktree"),
            ("GIT_CONFIG_VALUE_4", "/x"),
            ("GIT_CONFIG_KEY_5", "user.name"),
            ("GIT_DIR", "/x"),
            ("GIT_AUTHOR_NAME", "A U Thor"),
        ];
        let vars = given
            .map(|(name, value)| (name.into(), value.into()))
            .into();
        let chosen: Vec<String> = choose_variables(&vars)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            chosen,
            [
                "GIT_AUTHOR_NAME=A U Thor",
                "GIT_CONFIG_COUNT=2",
                "GIT_CONFIG_KEY_0=safe.directory",
                "GIT_CONFIG_KEY_1=Core.AutoCRLF",
                "GIT_CONFIG_VALUE_0=*",
                "GIT_CONFIG_VALUE_1=input",
            ]
        );
    }

    #[test]
    fn a_caller_adds_the_places_that_git_may_use_and_nothing_else() {
        let pair = |(name, value): (&str, &str)| (OsString::from(name), OsString::from(value));
        let mut env: Vec<_> = [
            ("PATH", "/bin"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "A"),
        ]
        .map(pair)
        .into();
        let vars = [
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "B"),
            ("GIT_CONFIG_KEY_1", "Safe.Directory"),
            ("GIT_CONFIG_VALUE_1", "*"),
        ];
        add_safe_places(&mut env, &vars.map(pair).into());
        let shown: BTreeMap<_, _> = env.into_iter().collect();
        let expected = [
            ("PATH", "/bin"),
            ("GIT_CONFIG_COUNT", "2"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "A"),
            ("GIT_CONFIG_KEY_1", "Safe.Directory"),
            ("GIT_CONFIG_VALUE_1", "*"),
        ];
        assert_eq!(shown, expected.map(pair).into());
        let mut none = vec![pair(("PATH", "/bin"))];
        add_safe_places(&mut none, &BTreeMap::new());
        assert_eq!(none, [pair(("PATH", "/bin"))]);
    }

    #[test]
    fn a_count_that_is_no_number_or_too_large_brings_nothing() {
        for count in ["-1", "x", "99999999999", ""] {
            let vars = [
                ("GIT_CONFIG_COUNT", count),
                ("GIT_CONFIG_KEY_0", "user.name"),
            ]
            .map(|(name, value)| (name.into(), value.into()));
            assert_eq!(choose_variables(&vars.into()), BTreeMap::new(), "{count}");
        }
    }
}
