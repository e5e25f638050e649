//! Owns the reading of a tool's settings as leaves: whose they are, the keys down to each, and its value.
//! Does not know which value asks less.
//! Invariant: a file that no tool takes its rules from has no leaves, and one that cannot be read has none either.

use std::fmt::Write as _;

use serde_json::Value;

use crate::decide::gaming::tokens::{Language, TokenKind, split_text};
use crate::words::text::clip_text;

/// Reads a file of YAML or of TOML, by its path and its text.
pub type ReadSettings<'a> = &'a dyn Fn(&str, &str) -> Option<Value>;

/// One value of a tool's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub tool: &'static str,
    /// `[]` stands for a place in a list.
    pub keys: Vec<String>,
    pub value: String,
}

impl Leaf {
    /// The last word of its place; a place in a list has none, and a level is its rule's.
    pub(super) fn key(&self) -> Option<&str> {
        let mut keys = self.keys.iter().rev();
        let named = keys.find(|key| !matches!(key.as_str(), "[]" | "level"));
        named.map(String::as_str)
    }

    pub(super) fn is_below(&self, key: &str) -> bool {
        self.keys.iter().any(|held| held == key)
    }

    pub(super) fn show(&self) -> String {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let keys: Vec<&str> = keys.into_iter().filter(|key| *key != "[]").collect();
        format!("{} = {}", keys.join("."), self.value)
    }
}

/// The place of a number behind the severity of a rule of `ESLint`.
pub(super) const OPTION: &str = "option";
/// A file of settings is not longer than this, in bytes.
const LONGEST: usize = 8 << 20;
/// So many values has no file of a person's.
const MOST: usize = 20_000;
/// A value does not stand deeper, in keys.
const DEEPEST: usize = 16;
/// A key is not longer than this, in letters.
const LONGEST_KEY: usize = 200;

/// Files with one line for each path that a tool does not look at.
const IGNORE_FILES: [&str; 8] = [
    ".eslintignore",
    ".stylelintignore",
    ".semgrepignore",
    ".gosecignore",
    ".pylintignore",
    ".trivyignore",
    ".biomeignore",
    ".flake8ignore",
];
/// Sections of `pyproject.toml`, `setup.cfg` and `tox.ini`, and whose they are.
const SECTIONS: [(&str, &str); 11] = [
    ("ruff", "ruff"),
    ("flake8", "flake8"),
    ("mypy", "mypy"),
    ("pyright", "pyright"),
    ("basedpyright", "pyright"),
    ("pylint", "pylint"),
    ("bandit", "bandit"),
    ("pytest", "pytest"),
    ("coverage", "coverage"),
    ("tool:pytest", "pytest"),
    ("MASTER", "pylint"),
];

pub(super) fn list_leaves(path: &str, text: &str, read: ReadSettings<'_>) -> Vec<Leaf> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut leaves = Leaves::default();
    if text.is_empty() || text.len() > LONGEST {
        return Vec::new();
    }
    match name {
        "pyproject.toml" => leaves.add_sections(read(path, text), &["tool"]),
        "package.json" => leaves.add_package(read_json(text).as_ref()),
        "Cargo.toml" => leaves.add_cargo(read(path, text)),
        "config.toml" if path.contains(".cargo/") => leaves.add_tool("rustflags", read(path, text)),
        "setup.cfg" | "tox.ini" | "mypy.ini" | ".mypy.ini" | ".flake8" | "pytest.ini" => {
            leaves.add_sections(Some(read_ini(text)), &[]);
        }
        _ if IGNORE_FILES.contains(&name) => leaves.add_lines(text),
        _ if name.starts_with("eslint.config.") || is_script_of(name, ".eslintrc.") => {
            leaves.add_script("eslint", text);
        }
        _ if is_script_of(name, "jest.config.") => leaves.add_script("jest", text),
        _ => {
            if let Some(tool) = name_tool(name) {
                leaves.add_tool(tool, read_any(path, text, read));
            }
        }
    }
    leaves.found
}

fn is_script_of(name: &str, start: &str) -> bool {
    let ending = name.strip_prefix(start);
    ending.is_some_and(|ending| matches!(ending, "js" | "cjs" | "mjs" | "ts" | "mts" | "cts"))
}

/// Whose file it is, where it is one tool's.
fn name_tool(name: &str) -> Option<&'static str> {
    let plain = name.trim_start_matches('.');
    let begins = |start: &str| plain.starts_with(start);
    let tool = match plain {
        "ruff.toml" => "ruff",
        "pyrightconfig.json" => "pyright",
        "pylintrc" | "pylintrc.toml" => "pylint",
        "bandit" | "bandit.yaml" | "bandit.yml" => "bandit",
        "coveragerc" | "nycrc" | "nycrc.json" | "c8rc.json" => "coverage",
        "clippy.toml" => "clippy",
        "clang-tidy" => "clang-tidy",
        "shellcheckrc" => "shellcheck",
        "editorconfig" => "editorconfig",
        "biome.json" | "biome.jsonc" => "biome",
        "deno.json" | "deno.jsonc" => "deno",
        _ if begins("golangci.") => "golangci",
        _ if begins("rubocop") => "rubocop",
        _ if begins("phpstan") => "phpstan",
        _ if begins("eslintrc") => "eslint",
        _ if begins("tsconfig") || begins("jsconfig") => "tsconfig",
        _ => return None,
    };
    Some(tool)
}

/// By what it looks like: JSON, a list of sections, or what the caller reads.
fn read_any(path: &str, text: &str, read: ReadSettings<'_>) -> Option<Value> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    match ending {
        "json" | "jsonc" => read_json(text),
        "toml" | "yml" | "yaml" | "neon" | "dist" => read(path, text),
        "clang-tidy" => read("x.yaml", text),
        _ if text.trim_start().starts_with('{') => read_json(text),
        "eslintrc" | "bandit" if !text.trim_start().starts_with('[') => read("x.yaml", text),
        _ => Some(read_ini(text)),
    }
}

/// JSON with comments and commas too many, as tools take it.
fn read_json(text: &str) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let (tokens, _) = split_text(text, Language::Script);
    let mut plain = String::new();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |next| next.text.as_str());
        match token.kind {
            TokenKind::Text => {
                let _ = write!(plain, "\"{}\"", token.text);
            }
            _ if token.text == "," && matches!(next, "}" | "]") => {}
            _ => plain.push_str(&token.text),
        }
    }
    serde_json::from_str(&plain).ok()
}

/// `[section]`, `key = value`, and values that go on in lines with an indent; a list is split at its commas.
fn read_ini(text: &str) -> Value {
    let mut sections = serde_json::Map::new();
    let (mut section, mut key) = (String::new(), String::new());
    for line in text.lines() {
        let plain = line.trim();
        if plain.is_empty() || plain.starts_with(['#', ';']) {
            continue;
        }
        let mut rest = plain;
        if let Some(name) = plain
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            section = clip_text(name, LONGEST_KEY);
            key.clear();
            continue;
        }
        let goes_on = line.starts_with([' ', '\t']) && !key.is_empty();
        if !goes_on {
            let (name, value) = plain.split_once(['=', ':']).unwrap_or((plain, "true"));
            key = clip_text(name.trim(), LONGEST_KEY);
            rest = value.trim();
        }
        let rest = rest.split(" #").next().unwrap_or_default();
        let values = rest
            .split(',')
            .map(str::trim)
            .filter(|value| !value.is_empty());
        let held = sections
            .entry(section.clone())
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(held) = held {
            let list = held
                .entry(key.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.extend(values.map(|value| Value::String(value.to_owned())));
            }
        }
    }
    Value::Object(sections)
}

#[derive(Default)]
struct Leaves {
    found: Vec<Leaf>,
}

impl Leaves {
    fn add_tool(&mut self, tool: &'static str, value: Option<Value>) {
        if let Some(value) = value {
            self.walk(tool, &mut Vec::new(), &value);
        }
    }

    /// The sections of several tools, below these keys.
    fn add_sections(&mut self, value: Option<Value>, below: &[&str]) {
        let mut value = value.unwrap_or_default();
        for key in below {
            value = value.get_mut(*key).map(Value::take).unwrap_or_default();
        }
        let Value::Object(sections) = value else {
            return;
        };
        for (name, section) in sections {
            let first = name.split(['-', '.', ':']).next().unwrap_or_default();
            let known = SECTIONS
                .iter()
                .find(|(section, _)| *section == name || *section == first);
            if let Some((_, tool)) = known {
                self.walk(tool, &mut Vec::new(), &section);
            } else if matches!(name.as_str(), "run" | "report") {
                self.walk("coverage", &mut Vec::new(), &section);
            }
        }
    }

    fn add_package(&mut self, value: Option<&Value>) {
        let parts = [
            ("eslintConfig", "eslint"),
            ("jest", "jest"),
            ("jest", "coverage"),
            ("nyc", "coverage"),
            ("c8", "coverage"),
        ];
        for (key, tool) in parts {
            if let Some(part) = value.and_then(|value| value.get(key)) {
                self.walk(tool, &mut Vec::new(), part);
            }
        }
    }

    fn add_cargo(&mut self, value: Option<Value>) {
        let value = value.unwrap_or_default();
        for place in ["/lints", "/workspace/lints"] {
            if let Some(lints) = value.pointer(place) {
                self.walk("lints", &mut Vec::new(), lints);
            }
        }
    }

    fn add_lines(&mut self, text: &str) {
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.push("ignore-file", &["lines".to_owned()], line);
        }
    }

    /// Settings that are a program: `key: "off"`, `key: 0`, `key: ["off", ...]` and `key: [text, ...]`.
    fn add_script(&mut self, tool: &'static str, text: &str) {
        let (tokens, _) = split_text(text, Language::Script);
        let is_sign = |at: usize, sign: &str| {
            tokens
                .get(at)
                .is_some_and(|token| !token.is_string() && token.text == sign)
        };
        let is_named = |at: usize| is_sign(at + 1, ":") && tokens[at].kind != TokenKind::Sign;
        // Whose list each open bracket is.
        let mut lists: Vec<Option<&str>> = Vec::new();
        let place = |key: &str| ["[]", "rules", key].map(|key| clip_text(key, LONGEST_KEY));
        for (at, token) in tokens.iter().enumerate() {
            if is_named(at) && !is_sign(at + 2, "[") {
                let value = tokens.get(at + 2);
                let value = value.filter(|token| token.kind != TokenKind::Sign);
                let value = value.map_or("", |token| token.text.as_str());
                self.push(tool, &place(&token.text), value);
            }
            let list = lists.last().copied().flatten();
            match (token.kind, token.text.as_str()) {
                (TokenKind::Sign, "[") => {
                    let key = at.checked_sub(2).filter(|key| is_named(*key));
                    lists.push(key.map_or(list, |key| Some(tokens[key].text.as_str())));
                }
                (TokenKind::Sign, "{") => lists.push(None),
                (TokenKind::Sign, "]" | "}") => drop(lists.pop()),
                (TokenKind::Sign, _) => {}
                (_, value) => {
                    let is_option =
                        token.kind == TokenKind::Number && (at == 0 || !is_sign(at - 1, "["));
                    let list = list.filter(|_| !is_named(at));
                    if let Some(key) = list {
                        let mut keys = place(key).to_vec();
                        if is_option {
                            keys.push(OPTION.to_owned());
                        }
                        self.push(tool, &keys, value);
                    }
                }
            }
        }
    }

    fn walk(&mut self, tool: &'static str, keys: &mut Vec<String>, value: &Value) {
        if keys.len() > DEEPEST {
            return;
        }
        let mut below = |keys: &mut Vec<String>, key: &str, value: &Value| {
            keys.push(clip_text(key, LONGEST_KEY));
            self.walk(tool, keys, value);
            keys.pop();
        };
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    below(keys, key, value);
                }
            }
            Value::Array(list) => {
                let is_option = |at: usize, value: &Value| at > 0 && value.is_number();
                // The number behind a rule's severity is an option of its.
                for (at, value) in list.iter().enumerate() {
                    let is_option = tool == "eslint" && is_option(at, value);
                    below(keys, if is_option { OPTION } else { "[]" }, value);
                }
            }
            _ => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                if matches!(text.as_str(), "True" | "False") {
                    self.push(tool, keys, &text.to_ascii_lowercase());
                } else if tool == "clang-tidy" || keys.iter().any(|key| key == "addopts") {
                    for part in text.split([',', ' ', '\n']).filter(|part| !part.is_empty()) {
                        self.push(tool, keys, part);
                    }
                } else {
                    self.push(tool, keys, &text);
                }
            }
        }
    }

    fn push(&mut self, tool: &'static str, keys: &[String], value: &str) {
        if self.found.len() >= MOST {
            return;
        }
        self.found.push(Leaf {
            tool,
            keys: keys.to_vec(),
            value: value.to_owned(),
        });
    }
}
