//! Owns the rules of tools, as their settings hold them: which value asks less, or asks it of fewer files.
//! Does not read YAML or TOML; the caller brings a reader.
//! Invariant: settings are compared as values, so that comments, order and layout are none.

pub(super) mod read;

use std::collections::{BTreeMap, BTreeSet};

use self::read::{Leaf, OPTION, ReadSettings, list_leaves};
use super::mute::{Mute, Suppression, SuppressionKind, Width, find_line};
use crate::decide::gaming::ChangedFile;
use crate::metric::value::Value as Number;
use crate::words::text::clip_text;

/// How many rules are told that stand nowhere any more.
const MOST_TAKEN: usize = 200;
/// The name of a rule is not longer than this, in letters.
const LONGEST_CODE: usize = 200;

/// Which values of a tool's settings ask less.
struct ToolRow {
    tool: &'static str,
    /// Lists in which one more entry asks less.
    lists: &'static str,
    /// What asks less when it is off; `x*` is all that begin so.
    off: &'static str,
    /// What asks less when it is on.
    on: &'static str,
    /// Values that ask less, wherever they stand.
    values: &'static str,
    /// Lists in which one entry less asks less.
    picks: &'static str,
}

/// A tool of which nothing asks less.
const PLAIN: ToolRow = ToolRow {
    tool: "",
    lists: "",
    off: "",
    on: "",
    values: "",
    picks: "",
};

const ROWS: &[ToolRow] = &[
    ToolRow {
        tool: "tsconfig",
        lists: "exclude",
        off: "strict* noImplicit* noUnused* noUnchecked* noFallthrough* noPropertyAccess* alwaysStrict exactOptional* \
            useUnknown* checkJs",
        on: "skipLibCheck skipDefaultLibCheck allowUnreachableCode allowUnusedLabels",
        ..PLAIN
    },
    ToolRow {
        tool: "eslint",
        lists: "ignorePatterns ignores",
        values: "off 0",
        ..PLAIN
    },
    ToolRow {
        tool: "biome",
        lists: "ignore ignores experimentalScannerIgnores",
        off: "enabled recommended",
        values: "off",
        ..PLAIN
    },
    ToolRow {
        tool: "deno",
        lists: "exclude",
        ..PLAIN
    },
    ToolRow {
        tool: "ruff",
        lists: "ignore extend-ignore exclude extend-exclude per-file-ignores extend-per-file-ignores",
        picks: "select extend-select",
        ..PLAIN
    },
    ToolRow {
        tool: "flake8",
        lists: "ignore extend-ignore exclude extend-exclude per-file-ignores",
        picks: "select extend-select",
        ..PLAIN
    },
    ToolRow {
        tool: "mypy",
        lists: "exclude disable_error_code",
        off: "strict disallow_* check_untyped_defs warn_* no_implicit_* strict_* extra_checks",
        on: "ignore_errors ignore_missing_imports allow_* implicit_*",
        values: "skip silent",
        picks: "enable_error_code",
    },
    ToolRow {
        tool: "pyright",
        lists: "exclude ignore",
        off: "report* strict*",
        values: "none off",
        picks: "strict",
        ..PLAIN
    },
    ToolRow {
        tool: "pylint",
        lists: "disable ignore ignore-paths ignore-patterns ignored-modules ignored-classes",
        ..PLAIN
    },
    ToolRow {
        tool: "bandit",
        lists: "skips exclude_dirs exclude",
        ..PLAIN
    },
    ToolRow {
        tool: "pytest",
        lists: "norecursedirs filterwarnings addopts",
        off: "xfail_strict",
        ..PLAIN
    },
    ToolRow {
        tool: "jest",
        lists: "testPathIgnorePatterns modulePathIgnorePatterns",
        on: "passWithNoTests",
        ..PLAIN
    },
    ToolRow {
        tool: "coverage",
        lists: "omit exclude_lines exclude_also exclude coveragePathIgnorePatterns",
        ..PLAIN
    },
    ToolRow {
        tool: "lints",
        values: "allow",
        ..PLAIN
    },
    ToolRow {
        tool: "clippy",
        lists: "allowed-* ignore-*",
        on: "allow-*",
        picks: "disallowed-*",
        ..PLAIN
    },
    ToolRow {
        tool: "rustflags",
        lists: "rustflags",
        ..PLAIN
    },
    ToolRow {
        tool: "golangci",
        lists: "disable exclude exclude-rules exclude-files exclude-dirs skip-dirs skip-files exclusions",
        on: "disable-all",
        values: "none",
        picks: "enable",
        ..PLAIN
    },
    ToolRow {
        tool: "rubocop",
        lists: "Exclude",
        off: "Enabled",
        on: "DisabledByDefault",
        ..PLAIN
    },
    ToolRow {
        tool: "phpstan",
        lists: "ignoreErrors excludePaths",
        off: "reportUnmatchedIgnoredErrors check*",
        ..PLAIN
    },
    ToolRow {
        tool: "clang-tidy",
        lists: "Checks",
        ..PLAIN
    },
    ToolRow {
        tool: "shellcheck",
        lists: "disable",
        ..PLAIN
    },
    ToolRow {
        tool: "editorconfig",
        values: "none silent",
        ..PLAIN
    },
    ToolRow {
        tool: "ignore-file",
        lists: "lines",
        ..PLAIN
    },
];

/// Entries of a list that only say which of many words count: those that begin so, and no others.
const ENTRIES: [(&str, &str, &[&str]); 4] = [
    ("clang-tidy", "Checks", &["-"]),
    ("pytest", "addopts", &["--ignore", "--deselect", "-k", "-W"]),
    ("pytest", "filterwarnings", &["ignore"]),
    ("rustflags", "rustflags", &["-A", "--cap-lints", "--allow"]),
];

/// A setting that asks less, where the settings can say so.
pub(super) fn list_setting_mutes(path: &str, text: &str, read: ReadSettings<'_>) -> Vec<Mute> {
    let leaves = list_leaves(path, text, read);
    leaves.iter().filter_map(read_loose).collect()
}

fn find_row(tool: &str) -> Option<&'static ToolRow> {
    ROWS.iter().find(|row| row.tool == tool)
}

fn is_named(list: &str, key: &str) -> bool {
    list.split_whitespace()
        .any(|known| match known.strip_suffix('*') {
            Some(start) => key.starts_with(start),
            None => known == key,
        })
}

fn read_loose(leaf: &Leaf) -> Option<Mute> {
    let row = find_row(leaf.tool)?;
    let listed = leaf.keys.iter().find(|key| is_named(row.lists, key));
    if let Some(list) = listed.filter(|list| is_entry(leaf, list)) {
        // What holds for some files alone takes the place of what held for all.
        let is_narrow = list.contains("per-file") || list.contains("per_file");
        let name = list.trim_start_matches("extend-");
        let name = name.replace("per-file-ignores", "ignore");
        let mut mute = make_mute(leaf, &name);
        mute.codes.insert(leaf.value.clone());
        if is_narrow {
            mute.width = Width::File;
        }
        return Some(mute);
    }
    let key = leaf.key()?;
    let is_off = leaf.value == "false" && is_named(row.off, key);
    let is_on = leaf.value == "true" && is_named(row.on, key);
    if is_off || is_on {
        let mut mute = make_mute(leaf, key);
        if row.tool == "rubocop" {
            mute.codes.extend(leaf.keys.first().cloned());
        }
        return (row.tool != "biome" || leaf.is_below("linter")).then_some(mute);
    }
    if !is_named(row.values, &leaf.value) || !is_switch(leaf, key) {
        return None;
    }
    let mut mute = make_mute(leaf, "rules");
    mute.codes.insert(key.to_owned());
    if leaf.is_below("overrides") {
        mute.width = Width::File;
    }
    Some(mute)
}

/// Does the value say how much a rule of this name asks?
fn is_switch(leaf: &Leaf, key: &str) -> bool {
    match leaf.tool {
        "eslint" => {
            let mut below = leaf.keys.iter().skip_while(|key| *key != "rules").skip(1);
            let is_rule = below.next().is_some_and(|rule| rule == key);
            // In a program any word may have a 0.
            let is_program = leaf.keys.first().is_some_and(|key| key == "[]");
            is_rule && (leaf.value != "0" || !is_program || key.contains(['-', '/']))
        }
        "editorconfig" => key.contains("severity"),
        _ => true,
    }
}

/// Does an entry of this list ask less? Of most lists each does; one that takes back does not.
fn is_entry(leaf: &Leaf, list: &str) -> bool {
    let asked = ENTRIES
        .iter()
        .find(|(tool, name, _)| *tool == leaf.tool && *name == list);
    match asked {
        Some((_, _, starts)) => starts.iter().any(|start| leaf.value.starts_with(start)),
        None => {
            !leaf.value.starts_with('!') && !matches!(leaf.value.as_str(), "" | "true" | "false")
        }
    }
}

fn make_mute(leaf: &Leaf, name: &str) -> Mute {
    let kind = if leaf.tool == "coverage" {
        SuppressionKind::Uncounted
    } else {
        SuppressionKind::Rule
    };
    Mute {
        kind,
        name: format!("{} {name}", leaf.tool),
        codes: BTreeSet::new(),
        width: Width::Project,
        lines: 1..=u32::MAX,
        text: leaf.show(),
    }
}

/// What asked more before: a rule that was on or was picked, and stands nowhere any more.
pub(super) fn list_taken_rules(files: &[ChangedFile], read: ReadSettings<'_>) -> Vec<Suppression> {
    let mut now = Held::default();
    for file in files {
        for leaf in list_leaves(&file.path, &file.after, read) {
            now.add(&leaf);
        }
    }
    let mut found = Vec::new();
    for file in files {
        let before = file.before.as_deref().unwrap_or_default();
        let leaves = list_leaves(&file.path, before, read);
        let is_gone = |leaf: &&Leaf| {
            let asks = file.after.is_empty()
                && !matches!(leaf.tool, "coverage" | "pytest" | "jest" | "ignore-file");
            asks && !now.tools.contains(leaf.tool) && read_loose(leaf).is_none()
        };
        if let Some(leaf) = leaves.iter().find(is_gone) {
            let text = format!("without settings of {}", leaf.tool);
            let line = find_line(file, "");
            found.push(Suppression::new(file, line, SuppressionKind::Rule, &text));
            continue;
        }
        for leaf in leaves {
            let shown = clip_text(&leaf.show(), LONGEST_CODE);
            let text = if is_taken(&leaf, &now) {
                Some(format!("without {shown}"))
            } else {
                now.find_looser_limit(&leaf)
                    .map(|now| format!("{shown}, now {now}"))
            };
            if let Some(text) = text {
                let line = find_line(file, &shown);
                found.push(Suppression::new(file, line, SuppressionKind::Rule, &text));
            }
            if found.len() == MOST_TAKEN {
                return found;
            }
        }
    }
    found
}

/// What the settings of all files hold now.
#[derive(Default)]
struct Held {
    /// The last words of all places.
    keys: BTreeSet<(&'static str, String)>,
    tools: BTreeSet<&'static str>,
    /// The values below each word.
    values: BTreeMap<(&'static str, String), BTreeSet<String>>,
}

impl Held {
    fn add(&mut self, leaf: &Leaf) {
        self.tools.insert(leaf.tool);
        if let Some(key) = leaf.key() {
            self.keys.insert((leaf.tool, key.to_owned()));
        }
        for key in &leaf.keys {
            let values = self.values.entry((leaf.tool, name_list(key)));
            values.or_default().insert(leaf.value.clone());
        }
    }

    /// Does a list pick this rule still? `E` picks all that `E501` did.
    fn picks(&self, tool: &'static str, list: &str, rule: &str) -> bool {
        let Some(values) = self.values.get(&(tool, name_list(list))) else {
            return false;
        };
        let ends = rule.char_indices().map(|(at, _)| at).take(LONGEST_CODE);
        let mut starts = ends.map(|end| &rule[..end]).chain([rule, "ALL"]);
        starts.any(|start| values.contains(start))
    }
}

/// Words of a limit that asks less the higher it is.
const CEILINGS: [&str; 4] = ["max", "threshold", "limit", "complexity"];
/// Words of one that asks less the lower it is.
const FLOORS: [&str; 3] = ["fail_under", "fail-under", "coverageThreshold"];

impl Held {
    /// The number in whose place a limit asks less than before.
    fn find_looser_limit(&self, leaf: &Leaf) -> Option<String> {
        let before: Number = leaf.value.parse().ok()?;
        let has = |words: &[&str]| {
            let mut keys = leaf.keys.iter();
            keys.any(|key| words.iter().any(|word| key.contains(word)))
        };
        let (is_floor, is_ceiling) = (has(&FLOORS), has(&CEILINGS));
        // The name of a rule stands above its number.
        let mut names = leaf.keys.iter().rev();
        let name = names.find(|key| !matches!(key.as_str(), "[]" | OPTION))?;
        let now = self.values.get(&(leaf.tool, name_list(name)))?;
        let numbers: Vec<(Number, &String)> = now
            .iter()
            .filter_map(|value| Some((value.parse().ok()?, value)))
            .collect();
        if numbers.is_empty() || numbers.iter().any(|(number, _)| *number == before) {
            return None;
        }
        let is_looser = |(number, _): &&(Number, &String)| {
            is_floor && *number < before || !is_floor && is_ceiling && *number > before
        };
        let looser = numbers.iter().find(is_looser)?;
        Some(looser.1.clone())
    }
}

/// What extends a list is one with it.
fn name_list(key: &str) -> String {
    key.trim_start_matches("extend-").to_owned()
}

fn is_taken(leaf: &Leaf, now: &Held) -> bool {
    let (Some(row), Some(key)) = (find_row(leaf.tool), leaf.key()) else {
        return false;
    };
    let picked = leaf.keys.iter().find(|key| is_named(row.picks, key));
    if let Some(list) = picked {
        return !now.picks(leaf.tool, list, &leaf.value);
    }
    let was_on = leaf.value == "true" && is_named(row.off, key);
    was_on && !now.keys.contains(&(leaf.tool, key.to_owned()))
}
