//! Owns the comments that turn a tool off, of every language: a table of their first words.
//! Does not find comments; `tokens` does.
//! Invariant: a comment that only mentions such a word is none: it has to begin with it, as the tools want it.

use std::collections::BTreeSet;

use super::mute::SuppressionKind::{Ignore, Uncounted};
use super::mute::{Mute, SuppressionKind, Width};
use crate::decide::gaming::tokens::Comment;

/// What begins a comment, the name of its kind, how much it mutes, and what ends its list of codes.
struct Row {
    /// In small letters. `$` behind it: letters may not follow, nor `-`.
    start: &'static str,
    name: &'static str,
    width: Width,
    kind: SuppressionKind,
    codes: Codes,
}

/// Where the codes stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Codes {
    /// It has none: it mutes everything there.
    None,
    /// In brackets or behind `:` or `=` at once, as in `type: ignore[x]`, `noqa: x`, `disable=x`.
    Joined,
    /// All words up to `--`, as in `eslint-disable a, b -- why`.
    List,
    /// One word, as in `biome-ignore lint/x: why`.
    Word,
}

const fn row(start: &'static str, name: &'static str, width: Width, codes: Codes) -> Row {
    Row {
        start,
        name,
        width,
        kind: Ignore,
        codes,
    }
}

const fn cover(start: &'static str) -> Row {
    Row {
        start,
        name: "coverage",
        width: Width::Line,
        kind: Uncounted,
        codes: Codes::None,
    }
}

use Codes::{Joined, List, None as Bare, Word};
use Width::{File, Line};

/// The longer of two that begin alike stands first.
const ROWS: &[Row] = &[
    // Python
    row("type: ignore", "types", Line, Joined),
    row("type:ignore", "types", Line, Joined),
    row("type: any", "types", Line, Bare),
    row("pyright: ignore", "types", Line, Joined),
    row("pyright: basic", "types", File, Bare),
    row("pyright: off", "types", File, Bare),
    row("pyright: report", "types", File, List),
    row("mypy: ignore-errors", "types", File, Bare),
    row("mypy: disable-error-code", "types", File, Joined),
    row("mypy: allow", "types", File, List),
    row("ty: ignore", "types", Line, Joined),
    row("pyre-ignore-all-errors", "types", File, Joined),
    row("pyre-ignore", "types", Line, Joined),
    row("pyre-fixme", "types", Line, Joined),
    row("pytype: disable", "types", Line, Joined),
    row("pytype: skip-file", "types", File, Bare),
    row("ruff: noqa", "noqa", File, Joined),
    row("flake8: noqa", "noqa", File, Joined),
    row("ruff: ignore", "noqa", Line, Joined),
    row("noqa", "noqa", Line, Joined),
    row("pylint: skip-file", "pylint", File, Bare),
    row("pylint: disable-next", "pylint", Line, Joined),
    row("pylint: disable", "pylint", Line, Joined),
    row("pylint:disable", "pylint", Line, Joined),
    row("nosec", "nosec", Line, Joined),
    row("nosemgrep", "nosemgrep", Line, Joined),
    row("noinspection", "noinspection", Line, List),
    row("yamllint disable-file", "yamllint", File, Bare),
    row("yamllint disable", "yamllint", Line, List),
    row("zizmor: ignore", "zizmor", Line, Joined),
    row("checkov:skip", "checkov", Line, Joined),
    row("tfsec:ignore", "tfsec", Line, Joined),
    row("trivy:ignore", "trivy", Line, Joined),
    row("tflint-ignore", "tflint", Line, Joined),
    row("hadolint ignore", "hadolint", Line, Joined),
    row("hadolint global ignore", "hadolint", File, Joined),
    row("nosonar", "nosonar", Line, Bare),
    // JavaScript and TypeScript
    row("eslint-disable-next-line", "eslint", Line, List),
    row("eslint-disable-line", "eslint", Line, List),
    row("eslint-disable", "eslint", File, List),
    row("oxlint-disable-next-line", "eslint", Line, List),
    row("oxlint-disable-line", "eslint", Line, List),
    row("oxlint-disable", "eslint", File, List),
    row("@ts-ignore", "types", Line, Bare),
    row("@ts-expect-error", "types", Line, Bare),
    row("@ts-nocheck", "types", File, Bare),
    row("$flowfixme", "types", Line, Joined),
    row("$flowignore", "types", Line, Joined),
    row("@noflow", "types", File, Bare),
    row("biome-ignore-all", "biome", File, Word),
    row("biome-ignore", "biome", Line, Word),
    row("deno-lint-ignore-file", "deno", File, List),
    row("deno-lint-ignore", "deno", Line, List),
    row("tslint:disable-next-line", "tslint", Line, Joined),
    row("tslint:disable-line", "tslint", Line, Joined),
    row("tslint:disable", "tslint", File, Joined),
    row("jshint ignore", "jshint", Line, Bare),
    row("jscs:disable", "jscs", File, List),
    row("stylelint-disable", "stylelint", File, List),
    // Go
    row("nolintnextline", "nolint", Line, Joined),
    row("nolintbegin", "nolint", File, Joined),
    row("nolint", "nolint", Line, Joined),
    row("lint:file-ignore", "staticcheck", File, Word),
    row("lint:ignore", "staticcheck", Line, Word),
    row("revive:disable", "revive", File, Joined),
    row("#nosec", "nosec", Line, Bare),
    // Ruby, PHP, shell
    row("rubocop:disable", "rubocop", Line, List),
    row("rubocop:todo", "rubocop", Line, List),
    row("rubocop: disable", "rubocop", Line, List),
    row("standard:disable", "rubocop", Line, List),
    row("steep:ignore", "types", Line, Joined),
    row("typed: ignore", "types", File, Bare),
    row("typed: false", "types", File, Bare),
    row("@phpstan-ignore-next-line", "types", Line, Bare),
    row("@phpstan-ignore-line", "types", Line, Bare),
    row("@phpstan-ignore", "types", Line, Word),
    row("@psalm-suppress", "types", Line, Word),
    row("phpcs:ignorefile", "phpcs", File, Bare),
    row("phpcs:ignore", "phpcs", Line, Bare),
    row("phpcs:disable", "phpcs", File, Bare),
    row("@codingstandardsignore", "phpcs", Line, Bare),
    row("@phan-suppress", "types", Line, Word),
    row("shellcheck disable", "shellcheck", Line, Joined),
    row("credo:disable-for-this-file", "credo", File, Bare),
    row("credo:disable", "credo", Line, Bare),
    // Java, Kotlin, Scala, Swift, Dart, C, C++, C#
    row("checkstyle:off", "checkstyle", File, Joined),
    row("checkstyle.off", "checkstyle", File, Joined),
    row("nopmd", "pmd", Line, Bare),
    row("scalastyle:off", "scalastyle", File, List),
    row("ktlint-disable", "ktlint", Line, List),
    row("swiftlint:disable", "swiftlint", Line, List),
    row("ignore_for_file:", "dart", File, List),
    row("cppcheck-suppress-file", "cppcheck", File, Joined),
    row("cppcheck-suppress", "cppcheck", Line, Joined),
    row("cpplint", "cpplint", Line, Bare),
    row("resharper disable", "resharper", Line, List),
    // Coverage
    cover("pragma: no cover"),
    cover("pragma: no branch"),
    cover("istanbul ignore"),
    cover("c8 ignore"),
    cover("v8 ignore"),
    cover("node:coverage disable"),
    cover("node:coverage ignore"),
    cover("deno-coverage-ignore"),
    cover(":nocov:"),
    cover("@codecoverageignore"),
    cover("lcov_excl"),
    cover("gcov_excl"),
    cover("gcovr_excl"),
    cover("coverage:ignore"),
];

/// The signs around a comment, and around a line of it.
const SIGNS: [char; 7] = ['/', '*', '#', '!', ' ', '\t', '\r'];

pub(super) fn list_comment_mutes(path: &str, comments: &[Comment]) -> Vec<Mute> {
    let mut found = Vec::new();
    for comment in comments {
        for (line, text) in (comment.line..).zip(comment.text.lines()) {
            // `# type: ignore  # noqa` is two of them.
            for part in text.split(" #") {
                if let Some(mut mute) = read_directive(path, part) {
                    mute.lines = line..=line;
                    if comment.is_alone && mute.name == "pylint" {
                        mute.width = mute.width.max(File);
                    }
                    found.push(mute);
                }
            }
        }
    }
    found
}

fn read_directive(path: &str, part: &str) -> Option<Mute> {
    let plain = part.trim_matches(SIGNS);
    let small = plain.to_ascii_lowercase();
    let dart = row("ignore:", "dart", Line, List);
    let is_dart = path.rsplit('.').next() == Some("dart");
    let extra = is_dart.then_some(&dart);
    let row = extra
        .into_iter()
        .chain(ROWS)
        .find(|row| begins_with(&small, row.start))?;
    let rest = plain.get(row.start.len()..).unwrap_or_default();
    let codes = read_codes(rest, row.codes);
    let asks_more = |part: &str| part.trim().ends_with("error") || part.trim().ends_with("true");
    if row.start == "pyright: report" && small.split(',').all(asks_more) {
        return None;
    }
    // How code looks is no finding.
    let is_layout = row.name == "biome" && codes.iter().any(|code| code == "format");
    (!is_layout).then(|| make_mute(row, plain, codes))
}

/// Does a text begin with these words, and not with a longer last one?
fn begins_with(text: &str, start: &str) -> bool {
    let Some(rest) = text.strip_prefix(start) else {
        return false;
    };
    let free = [
        "pyright: report",
        "mypy: allow",
        "lcov_excl",
        "gcov_excl",
        "gcovr_excl",
    ];
    let open = free.contains(&start)
        || start.starts_with("@codingstandards")
        || start.starts_with("@phan-")
        || start.starts_with("@codecoverage");
    let goes_on = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    open || !rest.starts_with(goes_on)
}

fn read_codes(rest: &str, codes: Codes) -> BTreeSet<String> {
    let is_code = |letter: char| letter.is_alphanumeric() || "_-/@.*".contains(letter);
    let split = |text: &str| -> BTreeSet<String> {
        let words = text.split(|letter: char| !is_code(letter));
        let words = words.filter(|word| !word.is_empty());
        words.map(ToOwned::to_owned).collect()
    };
    let rest = rest.trim_start();
    match codes {
        Bare => BTreeSet::new(),
        Joined => split(read_joined(rest)),
        List => split(rest.split(" -- ").next().unwrap_or_default()),
        Word => {
            let word = rest.split_whitespace().next();
            let word = word.map(|word| word.trim_end_matches(':').to_owned());
            word.into_iter().collect()
        }
    }
}

/// What stands in brackets, or behind a sign up to the last comma's word; what else follows is the reason.
fn read_joined(rest: &str) -> &str {
    if let Some(inner) = rest.strip_prefix(['[', '(']) {
        return inner.split([']', ')']).next().unwrap_or_default();
    }
    let Some(list) = rest.strip_prefix([':', '=']) else {
        return "";
    };
    let list = list.trim_start();
    let mut end = 0;
    for word in list.split_inclusive(' ') {
        end += word.len();
        if !word.trim_end().ends_with(',') {
            break;
        }
    }
    &list[..end]
}

fn make_mute(row: &Row, text: &str, codes: BTreeSet<String>) -> Mute {
    Mute {
        kind: row.kind,
        name: row.name.to_owned(),
        codes,
        width: row.width,
        lines: 1..=1,
        text: text.to_owned(),
    }
}
