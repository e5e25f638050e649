//! Owns what a Makefile says: its targets, and the one that builds.
//! Does not run make, and does not follow an `include`.
//! Invariant: a goal is a target of this file by its plain name, and no name says that it does something else than build.

use std::collections::BTreeMap;

use crate::scan::names::is_plain_name;

/// The names that make looks for, the first of which it reads.
const NAMES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];
/// What builds, by its name.
const BUILDS: [&str; 2] = ["all", "build"];
/// What takes files away, or reaches other places and people.
const CHANGES: &[&str] = &[
    "clean",
    "distclean",
    "mrproper",
    "clobber",
    "purge",
    "reset",
    "install",
    "uninstall",
    "deploy",
    "undeploy",
    "publish",
    "push",
    "upload",
];
/// What starts something that may not end.
const STARTS: &[&str] = &["run", "start", "restart", "serve", "stop", "up", "down"];
/// What is no build, and may be a part of one.
const OTHERS: &[&str] = &[
    "help", "usage", "test", "tests", "check", "lint", "fmt", "format", "release", "docker",
    "image", "tag", "bump",
];
/// Lines that begin so are no rule.
const DIRECTIVES: [&str; 12] = [
    "ifeq", "ifneq", "ifdef", "ifndef", "else", "endif", "include", "-include", "sinclude",
    "vpath", "unexport", "undefine",
];
/// No more variables are looked up for a line, and none that would make it longer than this.
const MOST_VARIABLES: usize = 100;
const LONGEST: usize = 10_000;

type Variables = BTreeMap<String, String>;

/// What a Makefile says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Makefile {
    /// Its targets that are plain words.
    pub targets: Vec<String>,
    /// The target that builds.
    pub goal: Option<String>,
}

/// Targets, and what they need.
struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
}

/// A line that means something here.
enum MakeLine {
    Variable(String, String),
    Rule(Rule),
}

/// How early make looks for a file of this name; `None` where it is no Makefile.
pub(super) fn rank_makefile(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| *known == name)
}

/// Lines that go on behind a backslash, as one.
fn join_lines(text: &str) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let part = line.strip_suffix('\\').unwrap_or(line);
        match joined.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.push(' ');
                last.push_str(part.trim_start());
            }
            None => joined.push(part.to_owned()),
        }
        goes_on = part.len() < line.len();
    }
    joined
}

/// Where one of these letters stands first, outside of parentheses and braces.
fn find_outside(text: &str, letters: &[char]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            letter if depth == 0 && letters.contains(&letter) => return Some(at),
            _ => {}
        }
    }
    None
}

/// A text with the variables that are known by now. What is not known stays as it is, which no plain name is.
fn expand_variables(text: &str, variables: &Variables) -> String {
    let mut text = text.to_owned();
    for _ in 0..MOST_VARIABLES {
        let calls = text.match_indices('$').map(|(at, _)| at);
        let found = calls.filter_map(|at| {
            let inside = text[at + 1..].strip_prefix(['(', '{'])?;
            let end = inside.find([')', '}'])?;
            Some((at..at + 3 + end, variables.get(&inside[..end])?))
        });
        let Some((place, value)) = found.into_iter().next() else {
            break;
        };
        if text.len() + value.len() > LONGEST {
            break;
        }
        text.replace_range(place, value);
    }
    text
}

/// Is a word among the parts of a name, as in `docker-build`?
fn has_part(name: &str, words: &[&str]) -> bool {
    name.split(['-', '_', '.', '/'])
        .any(|part| words.contains(&part))
}

/// Does a name say that it changes or starts something, as a part of a build?
fn acts(name: &str) -> bool {
    let first = name.split(['-', '_']).next().unwrap_or(name);
    CHANGES.contains(&first) || STARTS.contains(&name)
}

/// Does make take it for a goal where none is named?
fn may_be_default(name: &str) -> bool {
    !name.contains('%') && (!name.starts_with('.') || name.contains('/'))
}

fn read_line(line: &str, variables: &Variables) -> Option<MakeLine> {
    let line = line.split('#').next()?;
    if DIRECTIVES.contains(&line.split_whitespace().next()?) {
        return None;
    }
    let at = find_outside(line, &[':', '='])?;
    let (head, rest) = line.split_at(at);
    let behind = rest.trim_start_matches(':');
    if let Some(value) = behind.strip_prefix('=') {
        let name = head.trim_end_matches(['?', '+', '!', ':']);
        let name = name.split_whitespace().last()?;
        return Some(MakeLine::Variable(name.to_owned(), value.trim().to_owned()));
    }
    let needs = behind.split(';').next()?;
    // A variable that holds for a target alone.
    if find_outside(needs, &['=']).is_some() {
        return None;
    }
    let split = |text: &str| -> Vec<String> {
        let text = expand_variables(text, variables);
        let words = text.split_whitespace();
        words.map(ToOwned::to_owned).collect()
    };
    Some(MakeLine::Rule(Rule {
        targets: split(head.trim_end_matches('&')),
        needs: split(needs),
    }))
}

/// The variables and the rules of a Makefile, in their order.
fn read_lines(text: &str) -> (Variables, Vec<Rule>) {
    let (mut variables, mut rules) = (Variables::new(), Vec::new());
    let mut is_defining = false;
    for line in join_lines(text) {
        let first = line.split_whitespace().next();
        is_defining = match first {
            Some("define") => true,
            Some("endef") => false,
            _ => is_defining,
        };
        if is_defining || line.starts_with('\t') {
            continue;
        }
        match read_line(&line, &variables) {
            Some(MakeLine::Variable(name, value)) => {
                variables.insert(name, value);
            }
            Some(MakeLine::Rule(rule)) => rules.push(rule),
            None => {}
        }
    }
    (variables, rules)
}

/// Does a target need, by whatever way, one that acts?
fn reaches_act(goal: &str, rules: &[Rule]) -> bool {
    let mut reached = vec![goal];
    let mut at = 0;
    while let Some(name) = reached.get(at).copied() {
        let own = rules
            .iter()
            .filter(|rule| rule.targets.iter().any(|target| target == name));
        for need in own.flat_map(|rule| &rule.needs) {
            if acts(need) {
                return true;
            }
            if !reached.contains(&need.as_str()) {
                reached.push(need);
            }
        }
        at += 1;
    }
    false
}

impl Makefile {
    /// What is written in one.
    pub(super) fn read(text: &str) -> Self {
        let (variables, rules) = read_lines(text);
        let all = || rules.iter().flat_map(|rule| &rule.targets);
        let default = match variables.get(".DEFAULT_GOAL") {
            Some(value) => Some(expand_variables(value, &variables)),
            None => all().find(|name| may_be_default(name)).cloned(),
        };
        let default = default.filter(|name| {
            ![CHANGES, STARTS, OTHERS]
                .iter()
                .any(|words| has_part(name, words))
        });
        let is_target = |name: &String| is_plain_name(name) && may_be_default(name);
        let targets: Vec<String> = all().filter(|name| is_target(name)).cloned().collect();
        let mut goals = BUILDS.iter().map(|name| (*name).to_owned()).chain(default);
        let goal = goals.find(|goal| targets.contains(goal) && !reaches_act(goal, &rules));
        Self { targets, goal }
    }
}

#[cfg(test)]
mod tests;
