//! Owns what a run's metric counts, as far as it says which suppressions would better it without any work.
//! Does not search; a person's word in the config wins.
//! Invariant: what is measured in a unit, or is to grow, counts no findings.

use super::code::SKIP_IF;
use super::mute::{Mute, SuppressionKind};
use crate::config::Config;
use crate::config::{GaugeKind, Mode, SuppressionRule};
use crate::metric::definition::Direction;
use crate::metric::unit::Unit;
use crate::metric::value::Value;

/// Words in a metric's name that say that it counts findings.
const FINDINGS: &str = "error errors warning warnings failure failures failed failing fails lint lints issue issues violation \
    violations finding findings problem problems diagnostics count counts any todo todos smells vulnerabilities hits matches";
/// Words that say that it is an amount.
const AMOUNTS: &str = "ms s sec secs second seconds us ns min minutes time times latency duration bytes byte kb kib mb mib size \
    memory rss loss cost cycles instructions rate mean squared ratio lines loc allocations score val";
/// What checks types: programs, and the words of scripts that call them.
const TYPES: &str = "tsc vue-tsc tsgo mypy pyright basedpyright pyre pytype ty flow sorbet srb phpstan psalm typecheck \
    type-check typescript types type typing any";
/// What runs tests.
const TESTS: &str = "pytest unittest jest vitest mocha nextest ava playwright rspec phpunit junit ctest gotestsum test tests \
    failing failures failed";
/// What looks for faults in the text.
const LINTERS: &str = "ruff flake8 pylint eslint biome oxlint clippy golangci-lint staticcheck vet rubocop shellcheck clang-tidy \
    cppcheck checkstyle pmd spotbugs detekt ktlint swiftlint bandit semgrep stylelint hadolint yamllint lint lints";
const COVERAGE: &str = "coverage cov covered uncovered";

/// What a metric counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is counted or not, whatever the others are"
)]
pub struct MuteSubject {
    /// Findings of any kind.
    pub findings: bool,
    pub types: bool,
    pub tests: bool,
    pub unwraps: bool,
    pub coverage: bool,
}

impl MuteSubject {
    /// What is counted by a config, with the unit and the value of the metric where they are known. `more` is the text of
    /// scripts that verify calls.
    #[must_use]
    pub fn of_config(config: &Config, known: Option<(&Unit, &Value)>, more: &[String]) -> Self {
        let name = list_words(&config.metric.name, "_-./%");
        let mut verify = list_words(&config.verify.command, "");
        verify.extend(more.iter().flat_map(|text| list_words(text, "")));
        let gates = config.gates.iter().filter(|gate| config.counts_gate(gate));
        verify.extend(gates.flat_map(|gate| list_words(&gate.command.command, "")));
        if let GaugeKind::Count { pattern, .. } = &config.gauge.kind {
            verify.extend(list_words(pattern, "_-./\\"));
        }
        let has = |list: &str| {
            let mut words = name.iter().chain(&verify);
            words.any(|word| list.split(' ').any(|known| known == word))
        };
        let named = |list: &str| {
            let mut words = name.iter();
            words.any(|word| list.split(' ').any(|known| known == word))
        };
        let is_tool = has(TYPES) || has(TESTS) || has(LINTERS);
        let is_counted = config.metric.direction == Direction::Lower
            && is_count(config, known)
            && match config.gauge.kind {
                GaugeKind::Count { .. } | GaugeKind::ExitRate { .. } | GaugeKind::Gates => true,
                _ if named(AMOUNTS) => false,
                _ => config.mode == Mode::Fix || named(FINDINGS) || is_tool,
            };
        let covered = matches!(config.gauge.kind, GaugeKind::Covered { .. }) || named(COVERAGE);
        let findings = match config.suppressions {
            SuppressionRule::Allow => return Self::default(),
            SuppressionRule::Void => true,
            SuppressionRule::Auto => is_counted,
        };
        Self {
            findings,
            types: findings && has(TYPES),
            tests: findings && has(TESTS),
            unwraps: findings && has("unwrap unwraps unwrap_used clippy::unwrap_used"),
            coverage: covered,
        }
    }

    /// Is there nothing to search for?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) fn asks_for(self, mute: &Mute) -> bool {
        match mute.kind {
            SuppressionKind::Uncounted => self.coverage,
            SuppressionKind::Escape => match mute.name.as_str() {
                "swallow" => self.tests,
                "unwrap" => self.unwraps,
                _ => self.types,
            },
            // Where no test is counted, a platform may lack one.
            SuppressionKind::Skip if mute.name == SKIP_IF => self.tests,
            _ => self.findings,
        }
    }
}

/// Is the metric a whole number of things that somebody wants fewer of, as far as config, unit and value say? Then each of
/// them has a place.
#[must_use]
pub fn counts_down(config: &Config, (unit, value): (&Unit, &Value)) -> bool {
    let name = list_words(&config.metric.name, "_-./%");
    let is_amount = AMOUNTS
        .split(' ')
        .any(|known| name.iter().any(|word| word == known));
    config.metric.direction == Direction::Lower
        && is_count(config, Some((unit, value)))
        && (!is_amount || matches!(config.gauge.kind, GaugeKind::Count { .. }))
}

fn is_count(config: &Config, known: Option<(&Unit, &Value)>) -> bool {
    let counts = match config.gauge.kind {
        GaugeKind::Printed
        | GaugeKind::Count { .. }
        | GaugeKind::ExitRate { .. }
        | GaugeKind::Gates => true,
        GaugeKind::Wall
        | GaugeKind::Cpu
        | GaugeKind::PeakMemory
        | GaugeKind::Size { .. }
        | GaugeKind::Covered { .. } => false,
    };
    let is_whole = known.is_none_or(|(unit, value)| {
        let mut words = FINDINGS.split(' ');
        let named = words.any(|word| word == unit.as_str());
        (unit.is_none() || unit.count_cases().is_some() || named) && value.is_whole()
    });
    let is_rate = matches!(
        config.gauge.kind,
        GaugeKind::ExitRate { .. } | GaugeKind::Gates
    );
    counts && (is_whole || is_rate)
}

/// The words of a command or a name; the last part of a path is one too.
fn list_words(text: &str, also: &str) -> Vec<String> {
    let is_part = |letter: char| {
        !also.contains(letter) && (letter.is_alphanumeric() || "_-./".contains(letter))
    };
    let words = text.split(|letter: char| !is_part(letter));
    let words = words.filter(|word| !word.is_empty());
    words
        .map(|word| {
            let name = word.rsplit('/').next().unwrap_or(word);
            name.to_ascii_lowercase()
        })
        .collect()
}
