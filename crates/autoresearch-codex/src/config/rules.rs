//! Owns the execution rule: which of our commands Codex may run outside its sandbox without asking.
//! Does not write it, and does not decide whether the person wants it.
//! Invariant: a rule matches the first words of a command, so a word is allowed only if each of its flags may be.

use serde_json::Value;

/// Commands that act on a run which a person has started. The table of who may call what is in crates/docs/trust.md.
pub const ALLOWED: [&str; 16] = [
    "trial",
    "parallel",
    "retry",
    "remeasure",
    "propose",
    "strategy",
    "status",
    "log",
    "show",
    "runs",
    "resume",
    "stop",
    "finish",
    "doctor",
    "debug",
    "hypothesis",
];

/// What the rule says of `start`, which runs commands of a config that the agent may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRule {
    /// Codex asks the person; where nobody can be asked, it refuses.
    Prompt,
    /// It runs without a question.
    Allow,
}

/// The text of the file.
#[must_use]
pub fn format_rules(program: &str, start: StartRule) -> String {
    let list = |words: &[&str]| {
        let quoted: Vec<String> = words.iter().map(|word| quote_word(word)).collect();
        format!("[{}]", quoted.join(", "))
    };
    let mut allowed = ALLOWED.to_vec();
    if start == StartRule::Allow {
        allowed.push("start");
    }
    let mut text = format!(
        "# Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.\n\
         prefix_rule(\n    pattern = [{}, {}],\n    decision = \"allow\",\n    \
         justification = \"autoresearch commits, measures and undoes trials, for which git must be writable\",\n    \
         match = [{}],\n    not_match = [{}, {}],\n)\n",
        quote_word(program),
        list(&allowed),
        list(&[program, "trial", "-m", "x"]),
        list(&[program, "install"]),
        list(&["autoresearch", "trial"]),
    );
    if start == StartRule::Prompt {
        text = format!(
            "{text}prefix_rule(\n    pattern = [{}, \"start\"],\n    decision = \"prompt\",\n    \
             justification = \"start runs the verify and guard commands of the config: read them first\",\n)\n",
            quote_word(program),
        );
    }
    text
}

/// What a rule file says of `start`, if it is ours for this program.
#[must_use]
pub fn parse_start_rule(found: &str, program: &str) -> Option<StartRule> {
    [StartRule::Prompt, StartRule::Allow]
        .into_iter()
        .find(|start| format_rules(program, *start) == found)
}

fn quote_word(word: &str) -> String {
    Value::from(word).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "/home/u/my \"bin\"/autoresearch";

    #[test]
    fn the_rule_allows_what_a_person_has_started_and_asks_before_a_start() {
        insta::assert_snapshot!(format_rules("/p", StartRule::Prompt), @r#"
        # Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
        prefix_rule(
            pattern = ["/p", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis"]],
            decision = "allow",
            justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
            match = [["/p", "trial", "-m", "x"]],
            not_match = [["/p", "install"], ["autoresearch", "trial"]],
        )
        prefix_rule(
            pattern = ["/p", "start"],
            decision = "prompt",
            justification = "start runs the verify and guard commands of the config: read them first",
        )
        "#);
        let allowing = format_rules("/p", StartRule::Allow);
        assert!(
            allowing.contains("\"hypothesis\", \"start\"]"),
            "{allowing}"
        );
        assert!(!allowing.contains("prompt"), "{allowing}");
    }

    #[test]
    fn a_rule_file_is_ours_only_byte_for_byte_and_for_this_program() {
        for start in [StartRule::Prompt, StartRule::Allow] {
            let text = format_rules(PROGRAM, start);
            assert_eq!(parse_start_rule(&text, PROGRAM), Some(start));
            assert_eq!(parse_start_rule(&text, "/other"), None);
            assert_eq!(parse_start_rule(&format!("{text}\n"), PROGRAM), None);
        }
        assert_eq!(parse_start_rule("", PROGRAM), None);
    }

    #[test]
    fn a_program_with_quotes_stays_one_word_of_the_rule() {
        let text = format_rules(PROGRAM, StartRule::Prompt);
        assert!(
            text.contains(r#"pattern = ["/home/u/my \"bin\"/autoresearch", "start"]"#),
            "{text}"
        );
    }

    /// What runs a command of the config, removes files or reaches beyond one run is for a person.
    #[test]
    fn no_word_of_the_rule_starts_cleans_installs_or_raises() {
        for word in [
            "start",
            "exec",
            "background",
            "clean",
            "install",
            "uninstall",
            "hooks",
            "raise",
        ] {
            assert!(!ALLOWED.contains(&word), "{word}");
        }
    }
}
