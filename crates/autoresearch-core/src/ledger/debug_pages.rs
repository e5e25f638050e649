//! Owns the pages of a search for a cause: a summary, what was found, what was ruled out.
//! Does not write a file.
//! Invariant: each page is made of the ledger alone, and says first what is not known.

use std::fmt::Write as _;

use crate::ledger::debug::{DebugEnd, DebugLedger, HypothesisStory, count_hypotheses};
use crate::ledger::evidence::Evidence;
use crate::ledger::hypothesis::{HypothesisResult, Outcome};
use crate::words::text::{escape_line, escape_text};

/// A page: the name of its file, and its text.
pub type Page = (&'static str, String);

/// The pages of a search, in Markdown.
#[must_use]
pub fn make_pages(ledger: &DebugLedger) -> Vec<Page> {
    vec![
        ("summary.md", format_summary(ledger)),
        ("findings.md", format_findings(ledger)),
        ("eliminated.md", format_eliminated(ledger)),
    ]
}

fn format_summary(ledger: &DebugLedger) -> String {
    let opening = &ledger.opening;
    let mut page = format!("# {}\n\n", escape_text(&opening.subject));
    let known = match (ledger.find_end(), ledger.describe_end()) {
        (Some(DebugEnd::Confirmed), Some(end)) => capitalize(&end),
        (Some(_), Some(end)) => format!("No cause was found: {end}"),
        _ => "No cause is known yet".to_owned(),
    };
    let _ = writeln!(page, "{known}.");
    if let Some(cause) = ledger.find_cause() {
        page.push('\n');
        push_results(&mut page, cause);
    }
    let _ = write!(
        page,
        "\n{} since commit {}:\n\n",
        count_hypotheses(ledger.count()),
        opening.commit.short()
    );
    for story in &ledger.hypotheses {
        let hypothesis = &story.hypothesis;
        let outcome = story.outcome().map_or("open", Outcome::as_str);
        let _ = writeln!(
            page,
            "{}. {outcome}: {}",
            hypothesis.number,
            escape_text(&hypothesis.message)
        );
    }
    page.push_str("\n[What was found](findings.md), [what was ruled out](eliminated.md)\n");
    page
}

fn format_findings(ledger: &DebugLedger) -> String {
    let is_found = |outcome| !matches!(outcome, Some(Outcome::Disproven));
    format_stories(ledger, "What was found", "Nothing yet.", is_found)
}

fn format_eliminated(ledger: &DebugLedger) -> String {
    let is_out = |outcome| matches!(outcome, Some(Outcome::Disproven));
    format_stories(ledger, "What was ruled out", "Nothing yet.", is_out)
}

fn format_stories(
    ledger: &DebugLedger,
    title: &str,
    nothing: &str,
    is_wanted: impl Fn(Option<Outcome>) -> bool,
) -> String {
    let mut page = format!("# {title}: {}\n", escape_text(&ledger.opening.subject));
    let stories = ledger.hypotheses.iter();
    let wanted = stories.filter(|story| !story.results.is_empty() && is_wanted(story.outcome()));
    let mut wanted: Vec<&HypothesisStory> = wanted.collect();
    // The cause first, then what leads on.
    wanted.sort_by_key(|story| match story.outcome() {
        Some(Outcome::Confirmed) => 0,
        Some(Outcome::Lead) => 1,
        _ => 2,
    });
    if wanted.is_empty() {
        let _ = write!(page, "\n{nothing}\n");
    }
    for story in wanted {
        let hypothesis = &story.hypothesis;
        let outcome = story.outcome().map_or("open", Outcome::as_str);
        let message = escape_text(&hypothesis.message);
        let _ = write!(page, "\n## {}. {message}: {outcome}\n", hypothesis.number);
        let _ = write!(
            page,
            "\nPredicted: {}\n\n",
            escape_text(&hypothesis.predicts)
        );
        push_results(&mut page, story);
    }
    page
}

fn push_results(page: &mut String, story: &HypothesisStory) {
    for result in &story.results {
        let HypothesisResult {
            outcome,
            message,
            evidence,
            ..
        } = result;
        let _ = writeln!(page, "- {}: {}", outcome.as_str(), escape_text(message));
        for evidence in evidence {
            let _ = writeln!(page, "  - {evidence}");
            if let Evidence::Experiment(experiment) = evidence {
                let _ = writeln!(page, "    {}:", experiment.ended);
                push_code(page, &experiment.said);
            }
        }
    }
}

/// Lines as they are, which no Markdown changes.
fn push_code(page: &mut String, text: &str) {
    page.push('\n');
    for line in text.lines() {
        let _ = writeln!(page, "        {}", escape_line(line));
    }
    page.push('\n');
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::debug::tests::{add, experiment, place, read, result};
    use crate::ledger::opening::LedgerLimits;

    fn page(ledger: &DebugLedger, name: &str) -> String {
        let mut pages = make_pages(ledger).into_iter();
        pages.find(|(page, _)| *page == name).unwrap().1
    }

    #[test]
    fn the_pages_of_a_search_say_what_was_seen() {
        let ledger = read(
            LedgerLimits::default(),
            vec![
                add(1),
                add(2),
                add(3),
                result(1, Outcome::Disproven, vec![experiment(1, 1)]),
                result(3, Outcome::Lead, Vec::new()),
                result(2, Outcome::Confirmed, vec![place(), experiment(3, 60)]),
            ],
        )
        .unwrap();
        insta::assert_snapshot!(page(&ledger, "summary.md"), @"
        # the API answers 503

        The cause is confirmed, hypothesis 2: cause 2.

        - confirmed: confirmed it is
          - src/api.rs:12: if n > limit {
          - `sh probe.sh`: exit status 1, seen in 3 of 60: 5 % (1 to 14), 95 % interval; at commit c0ffeec with 2 changed files; all that it printed: evidence/3.txt
            exit status 1:

                HTTP 503


        3 hypotheses since commit c0ffeec:

        1. disproven: cause 1
        2. confirmed: cause 2
        3. lead: cause 3

        [What was found](findings.md), [what was ruled out](eliminated.md)
        ");
        insta::assert_snapshot!(page(&ledger, "findings.md"), @"
        # What was found: the API answers 503

        ## 2. cause 2: confirmed

        Predicted: it is seen

        - confirmed: confirmed it is
          - src/api.rs:12: if n > limit {
          - `sh probe.sh`: exit status 1, seen in 3 of 60: 5 % (1 to 14), 95 % interval; at commit c0ffeec with 2 changed files; all that it printed: evidence/3.txt
            exit status 1:

                HTTP 503


        ## 3. cause 3: lead

        Predicted: it is seen

        - lead: lead it is
        ");
        insta::assert_snapshot!(page(&ledger, "eliminated.md"), @"
        # What was ruled out: the API answers 503

        ## 1. cause 1: disproven

        Predicted: it is seen

        - disproven: disproven it is
          - `sh probe.sh`: exit status 1, seen; at commit c0ffeec with 2 changed files; all that it printed: evidence/3.txt
            exit status 1:

                HTTP 503
        ");
    }

    #[test]
    fn a_search_without_a_cause_says_so_first() {
        let mut ledger = read(LedgerLimits::default(), vec![add(1)]).unwrap();
        ledger.opening.subject = "a\n# b".to_owned();
        insta::assert_snapshot!(page(&ledger, "summary.md"), @r#"
        # a\n# b

        No cause is known yet.

        1 hypothesis since commit c0ffeec:

        1. open: cause 1

        [What was found](findings.md), [what was ruled out](eliminated.md)
        "#);
        insta::assert_snapshot!(page(&ledger, "findings.md"), @r#"
        # What was found: a\n# b

        Nothing yet.
        "#);
        ledger.stopped = Some("no time".to_owned());
        let first = page(&ledger, "summary.md")
            .lines()
            .nth(2)
            .unwrap()
            .to_owned();
        insta::assert_snapshot!(first, @"No cause was found: it was stopped: no time.");
    }
}
