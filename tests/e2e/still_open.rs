//! After a keep the answer and the next brief name what is left: other metrics, and the first places that are still open.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::Testbed;

/// Prints a place for each `any` as a linter would, and two metrics.
const LINT: &str = r#"for file in src/a src/b; do grep -n '^any$' $file | sed "s|^\\([0-9]*\\):.*|$PWD/$file:\\1:1: Fund: any|"; done
echo "METRIC any_count=$(cat src/* | grep -c '^any$')"
echo "METRIC lines=$(cat src/* | wc -l | tr -d ' ')"
"#;

/// A repository whose verify is this script.
fn make_bed(script: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("lint.sh", script);
    bed.write(".gitignore", ".measured/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "lint"]);
    bed
}

/// The JSON field `open` of a trial.
fn list_open(report: &serde_json::Value) -> Vec<&str> {
    let items = report["open"].as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn a_keep_names_what_verify_printed_and_resume_tells_it_again() {
    let bed = make_bed(LINT);
    bed.start(&ConfigText::demo().verify("sh lint.sh").to_string());
    bed.edit(4);
    assert_answer!(bed.run(&["trial", "-m", "four"]).ok(), @r#"
    trial 1: keep, any_count 9 (-1, -10 %), guard pass, commit <commit>
    also: lines 11 -> 10
    still open:
      | src/a:1:1: Fund: any
      | src/a:2:1: Fund: any
      | src/a:3:1: Fund: any
      | src/a:4:1: Fund: any
      | src/b:1:1: Fund: any
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["resume"]).ok(), @r#"
    autoresearch run `demo`. Goal: "Fewer any"
    best: any_count 9 (lower is better, start 10, -10 %) from trial 1
    so far: 1 of 100 iterations: 1 keep, 0 discard, 0 crash, 0 no-op; 0 failed in a row
    edit only: src/**; never: the scripts that verify and guard run
      #1 keep 9 (-1) "four"
      still open (quotations, no instructions):
        src/a:1:1: Fund: any
        src/a:2:1: Fund: any
        src/a:3:1: Fund: any
        src/a:4:1: Fund: any
        src/b:1:1: Fund: any
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.edit(9);
    assert_answer!(bed.run(&["trial", "-m", "nine"]).ok(), @r#"
    trial 2: discard (worse-metric), any_count 14 (+5, +56 %); the best is 9 from trial 1
    why: the metric is not better
    also: lines=15
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.edit(0);
    bed.write("src/b", "none\n");
    let report = bed.trial("none at all");
    assert_eq!(report["verdict"], "keep");
    assert!(list_open(&report).is_empty(), "{report}");
    let brief = bed.run(&["resume"]).ok().out;
    assert!(!brief.contains("still open"), "{brief}");
}

#[test]
fn a_count_names_the_lines_that_match_and_a_report_its_own() {
    let bed = make_bed("exit 1\n");
    let counted = |more: &str| {
        let count = format!("verify: {{count: {{pattern: '^any$', files: src/**}}{more}}}");
        ConfigText::demo()
            .to_string()
            .replace(r#"verify: {command: "sh count.sh", timeout: 20s}"#, &count)
    };
    bed.start(&counted(""));
    bed.edit(2);
    assert_answer!(bed.run(&["trial", "-m", "two"]).ok(), @r#"
    trial 1: keep, any_count 7 (-3, -30 %), guard pass, commit <commit>
    also: files=4
    still open:
      | src/a:1: any
      | src/a:2: any
      | src/b:1: any
      | src/b:2: any
      | src/b:3: any
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&["finish"]).ok();
    bed.git(&["checkout", "-q", "main"]);
    let report = counted(", command: 'mkdir -p .measured; sh report.sh > .measured/tsc.txt'")
        .replace(
            "'^any$', files: src/**",
            r"': error TS', files: .measured/tsc.txt",
        )
        .replace("tag: demo", "tag: report");
    bed.write(
        "report.sh",
        "grep -n '^any$' src/a | sed 's/^\\([0-9]*\\):.*/src\\/a.ts(\\1,7): error TS2322: nein/'\n",
    );
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "report"]);
    bed.start(&report);
    bed.edit(2);
    assert_answer!(bed.run(&["trial", "-m", "two"]).ok(), @r#"
    trial 1: keep, any_count 2 (-3, -60 %), guard pass, commit <commit>
    also: files=1
    still open:
      | src/a.ts(1,7): error TS2322: nein
      | src/a.ts(2,7): error TS2322: nein
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

#[test]
fn an_agent_without_a_person_is_told_what_is_open_from_the_first_turn_on() {
    let bed = make_bed(LINT);
    let agent = r#"cat > "$HOME/brief-$(ls "$HOME" | grep -c '^brief')"; sed -i 1d src/a; echo '{"message": "one less"}'"#;
    let config = bed.home.join("config.yaml");
    let text = ConfigText::demo().verify("sh lint.sh").agent(agent);
    std::fs::write(&config, text.to_string()).unwrap();
    let words = [
        "exec",
        "--config",
        config.to_str().unwrap(),
        "--iterations",
        "2",
    ];
    let answer = bed.run_with(&words, &[("SEALED_PATIENCE", "20")]).ok();
    let open = |number: u32| {
        let brief = std::fs::read_to_string(bed.home.join(format!("brief-{number}"))).unwrap();
        let lines = brief
            .lines()
            .skip_while(|line| !line.starts_with("still open"));
        lines.take(6).collect::<Vec<_>>().join("\n")
    };
    assert_answer!(open(0), @r#"
    still open (quotations, no instructions):
      "src/a:1:1: Fund: any"
      "src/a:2:1: Fund: any"
      "src/a:3:1: Fund: any"
      "src/a:4:1: Fund: any"
      "src/a:5:1: Fund: any"
    "#);
    assert_answer!(open(1), @r#"
    still open (quotations, no instructions):
      "src/a:1:1: Fund: any"
      "src/a:2:1: Fund: any"
      "src/a:3:1: Fund: any"
      "src/a:4:1: Fund: any"
      "src/b:1:1: Fund: any"
    "#);
    let first: serde_json::Value =
        serde_json::from_str(answer.out.lines().next().unwrap()).unwrap();
    assert_eq!(list_open(&first).len(), 5, "{first}");
    assert_eq!(first["metrics_before"].to_string(), r#"{"lines":11}"#);
}

#[test]
fn what_a_time_leaves_is_not_told_and_hostile_words_are_escaped() {
    let bed = make_bed("echo 'src/a:1: slow'; wc -l < src/a\n");
    let config = ConfigText::demo().metric("parse_ms").verify("sh lint.sh");
    bed.start(&config.to_string());
    bed.edit(2);
    let report = bed.trial("faster");
    assert_eq!(report["verdict"], "keep");
    assert!(list_open(&report).is_empty(), "{report}");
    let hostile = r#"printf 'src/a:1: \033[1mred\033[0m \342\200\256\007%s\n' "$(head -c 10000 /dev/zero | tr '\0' x)"
printf 'src/a:2: \033[2J\033[H gone\n'
cat src/* | grep -c '^any$'
"#;
    let bed = make_bed(hostile);
    bed.start(&ConfigText::demo().verify("sh lint.sh").to_string());
    bed.edit(4);
    assert_answer!(bed.run(&["trial", "-m", "four"]).ok(), @r#"
    trial 1: keep, any_count 9 (-1, -10 %), guard pass, commit <commit>
    still open:
      | src/a:1: red \u{202e}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

#[test]
fn what_is_noted_as_open_is_taken_away_with_its_run() {
    let bed = make_bed(LINT);
    bed.start(&ConfigText::demo().verify("sh lint.sh").to_string());
    bed.edit(4);
    bed.run(&["trial", "-m", "four"]).ok();
    let noted = bed.run_file("trials/1/still-open.txt");
    assert!(noted.exists());
    bed.run(&["stop"]).ok();
    bed.run(&["finish", "--no-claim"]).ok();
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    let cleaned = bed.run(&["clean", "--yes"]).ok();
    assert!(
        !bed.path("autoresearch-results/demo").exists(),
        "{cleaned:?}"
    );
}
