//! The rule before the yes, after it, and when Codex does not take it.

use insta::assert_snapshot;

use crate::config::rules::{StartRule, format_rules};
use crate::install::bench::{InstallBench, ask_for_rule};
use crate::install::places::{PROGRAM, installed_path};
use crate::install::remove::RemovalScope;

#[test]
fn the_rule_is_shown_before_it_is_written() {
    let bench = InstallBench::with_codex_home(&[]);
    assert_snapshot!(bench.show_plan(&ask_for_rule(StartRule::Prompt)), @r#"
    write  /home/.local/share/codex-autoresearch/bin/autoresearch
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    write  /home/.codex/rules/autoresearch.rules

    --- /dev/null
    +++ /home/.codex/rules/autoresearch.rules
    @@ -0,0 +1,13 @@
    +# Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
    +prefix_rule(
    +    pattern = ["/home/.local/share/codex-autoresearch/bin/autoresearch", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis"]],
    +    decision = "allow",
    +    justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
    +    match = [["/home/.local/share/codex-autoresearch/bin/autoresearch", "trial", "-m", "x"]],
    +    not_match = [["/home/.local/share/codex-autoresearch/bin/autoresearch", "install"], ["autoresearch", "trial"]],
    +)
    +prefix_rule(
    +    pattern = ["/home/.local/share/codex-autoresearch/bin/autoresearch", "start"],
    +    decision = "prompt",
    +    justification = "start runs the verify and guard commands of the config: read them first",
    +)

    note: with this rule verify and guard, and so any code they execute that the agent has edited, run outside Codex's sandbox, with network and without a question; only `start`, which fixes the commands of a run, still asks you (and is refused where nobody can be asked)
    nothing was written yet
    "#);
}

#[test]
fn a_rule_that_codex_takes_stays_until_it_is_replaced_or_removed() {
    let bench = InstallBench::with_codex_home(&[]).with_codex(0, &[]);
    let before = bench.read_everything();
    bench.write("decision", r#"{"decision": "allow"}"#);
    let request = ask_for_rule(StartRule::Prompt);
    bench.install(&request);
    let program = installed_path(&bench.world, PROGRAM);
    let text = |start| format_rules(program.to_str().unwrap(), start);
    assert_eq!(
        bench.read("home/.codex/rules/autoresearch.rules"),
        text(StartRule::Prompt)
    );
    assert_eq!(bench.install(&request), "already installed");
    assert_snapshot!(bench.show_plan(&ask_for_rule(StartRule::Allow)), @r#"
    write  /home/.codex/rules/autoresearch.rules

    --- /home/.codex/rules/autoresearch.rules
    +++ /home/.codex/rules/autoresearch.rules
    @@ -1,13 +1,8 @@
     # Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
     prefix_rule(
    -    pattern = ["/home/.local/share/codex-autoresearch/bin/autoresearch", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis"]],
    +    pattern = ["/home/.local/share/codex-autoresearch/bin/autoresearch", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis", "start"]],
         decision = "allow",
         justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
         match = [["/home/.local/share/codex-autoresearch/bin/autoresearch", "trial", "-m", "x"]],
         not_match = [["/home/.local/share/codex-autoresearch/bin/autoresearch", "install"], ["autoresearch", "trial"]],
    -)
    -prefix_rule(
    -    pattern = ["/home/.local/share/codex-autoresearch/bin/autoresearch", "start"],
    -    decision = "prompt",
    -    justification = "start runs the verify and guard commands of the config: read them first",
     )

    note: with this rule verify and guard, and so any code they execute that the agent has edited, run outside Codex's sandbox, with network and without a question; `start` too, so that the agent chooses these commands itself: it can run anything
    nothing was written yet
    "#);
    bench.install(&ask_for_rule(StartRule::Allow));
    assert_eq!(
        bench.read("home/.codex/rules/autoresearch.rules"),
        text(StartRule::Allow)
    );
    bench.remove(RemovalScope::All);
    assert_eq!(bench.read_everything(), before);
}

#[test]
fn a_rule_that_codex_rejects_is_gone_at_once() {
    for (decision, expected) in [
        (
            r#"{"decision": "prompt"}"#,
            "environment: Codex rejected the rule, so it was removed again\nhint: run again without --rule; the rest is installed",
        ),
        (
            "{}",
            "environment: Codex rejected the rule, so it was removed again\nhint: run again without --rule; the rest is installed",
        ),
        (
            "error",
            "environment: Codex rejected the rule, so it was removed again\ncause: `codex execpolicy check --rules /home/.codex/rules/autoresearch.rules -- /home/.local/share/codex-autoresearch/bin/autoresearch status` cannot read the rule\nhint: run again without --rule; the rest is installed",
        ),
    ] {
        let bench = InstallBench::with_codex_home(&[]).with_codex(0, &[]);
        bench.write("decision", decision);
        let failure = bench
            .try_install(&ask_for_rule(StartRule::Prompt))
            .unwrap_err();
        assert_eq!(bench.show_failure(&failure), expected);
        assert!(!bench.path("home/.codex/rules/autoresearch.rules").exists());
    }
}

#[test]
fn a_rule_for_a_path_that_needs_quotes_is_warned_about() {
    let mut bench = InstallBench::new();
    bench.world.data_folder = bench.path("home/my data");
    let plan = bench.plan(&ask_for_rule(StartRule::Allow)).unwrap();
    let warnings: Vec<String> = plan
        .warnings
        .iter()
        .map(|warning| bench.show(warning))
        .collect();
    assert_eq!(
        warnings,
        [
            "Codex applies a rule only to a command typed without quotes, so the rule has no effect for /home/my data/bin/autoresearch"
        ]
    );
}
