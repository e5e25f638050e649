//! The wizard in the real Codex, from the sentence to the first trial, as the skill has it; and what all of it costs the model.

use crate::bench::{Bench, thread};
use crate::reply::{say, shell};
use crate::request::Request;
use crate::scene::{copy, skill, tell};

/// The bundle and all answers, up to the first trial.
const MOST_TOKENS: usize = 3_000;
/// Where a person has the program.
const INSTALLED: &str = "/home/somebody/.local/share/codex-autoresearch/bin/autoresearch";

/// A small service with untyped answers and a test that fails.
const FILES: [(&str, &str); 5] = [
    (
        "package.json",
        "{\"name\": \"shop\", \"type\": \"module\", \"scripts\": {\"test\": \"node --test\"}}\n",
    ),
    (
        "src/api.ts",
        "export function load(id: any): any {\n  return { id } as any;\n}\nexport const many: Array<any> = [];\n",
    ),
    (
        "src/sum.js",
        "export const sum = (a, b) => a + b;\nexport const mean = (list) => list.reduce(sum, 0);\n",
    ),
    (
        "test/sum.test.js",
        "import test from 'node:test';\nimport assert from 'node:assert';\nimport { sum } from '../src/sum.js';\ntest('sums', () => assert.equal(sum(1, 2), 3));\n",
    ),
    (".gitignore", "node_modules/\n"),
];

/// A test that fails: there is more than a sum in a mean.
const FAILING: &str = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { mean } from '../src/sum.js';\ntest('halves', () => assert.equal(mean([1, 3]), 2));\n";

/// A bench whose repository is the service, with the skill.
fn shop(more: &[(&str, &str)]) -> Option<Bench> {
    let bench = Bench::new()?;
    let bed = &bench.bed;
    bed.git(&["rm", "-rq", "."]);
    for (name, text) in FILES.iter().chain(more) {
        bed.write(name, text);
    }
    copy(&skill(), &bed.path(".agents/skills/codex-autoresearch"));
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "the shop"]);
    // Where the installer puts it.
    let programs = bed.home.join(".local/share/codex-autoresearch/bin");
    std::fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink(Bench::engine(), programs.join("autoresearch")).unwrap();
    Some(bench)
}

/// A call of the program, as the skill asks for it.
fn call(words: &str) -> String {
    format!("{} {words}", Bench::engine().display())
}

/// What the model does first: it asks for the program's path, and reads the one page of the mode.
fn begin(mode: &str) -> [String; 2] {
    let folder = ".agents/skills/codex-autoresearch";
    [
        format!("{folder}/scripts/autoresearch --where"),
        format!("cat {folder}/references/{mode}.md"),
    ]
}

/// One session: the sentence, these calls and a proposal; then the go, and these calls. The last request of it.
fn converse(bench: &Bench, sentence: &str, (before, after): (&[String], &[String])) -> Request {
    let proposal =
        say("goal, scope, protect, numbers. Is src/gen yours? Foreground or background? Say go.");
    let calls = before.iter().map(|command| shell(command));
    bench.model.play(calls.chain([proposal]));
    let prompt = format!("$codex-autoresearch {sentence}");
    let first = bench.exec(&prompt).sandbox("danger-full-access").json();
    let session = thread(&first.run().ok());
    let calls = after.iter().map(|command| shell(command));
    bench.model.play(calls.chain([say("done")]));
    let second = bench.resume(&session, "go, in the foreground");
    second.sandbox("danger-full-access").run().ok();
    bench.model.last()
}

/// The usual estimate.
fn count_tokens(bytes: usize) -> usize {
    bytes / 4
}

/// What the model has read of the bundle and of the program's answers, by part, in bytes.
fn list_costs(request: &Request, commands: &[&String]) -> Vec<(String, usize)> {
    let listed: usize = request
        .texts_of("developer")
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| line.starts_with("- codex-autoresearch: "))
        .map(str::len)
        .sum();
    let injected: usize = request
        .texts_of("user")
        .iter()
        .filter(|text| text.starts_with("<skill>"))
        .map(String::len)
        .sum();
    assert!(listed > 0 && injected > 0);
    let outputs = request.outputs();
    assert!(outputs.len() >= commands.len(), "{outputs:?}");
    let engine = Bench::engine().display().to_string();
    let answers = commands.iter().zip(&outputs).map(|(command, output)| {
        let words = command.strip_prefix(&engine).unwrap_or(command);
        let words: Vec<&str> = words.split_whitespace().take(2).collect();
        // Wherever this was built: as long as it is where it was installed.
        let output = output.replace(&engine, INSTALLED);
        (words.join(" "), output.len())
    });
    [
        ("its line in the list of skills".to_owned(), listed),
        ("SKILL.md".to_owned(), injected),
    ]
    .into_iter()
    .chain(answers)
    .collect()
}

/// Prints the parts, and holds their sum.
fn assert_cheap(what: &str, request: &Request, commands: &[&String]) {
    let costs = list_costs(request, commands);
    for (part, bytes) in &costs {
        tell(&format!("{:>6} tokens  {part}", count_tokens(*bytes)));
    }
    let whole = count_tokens(costs.iter().map(|(_, bytes)| bytes).sum());
    tell(&format!("{whole:>6} tokens  {what}, up to the first trial"));
    assert!(whole <= MOST_TOKENS, "{costs:?}");
}

/// The conversation of a run, whose last two calls are an edit and its trial.
fn assert_run(bench: &Bench, sentence: &str, (before, after): (&[String], &[String])) -> Request {
    let last = converse(bench, sentence, (before, after));
    let log = bench.bed.run(&["log", "--json"]).ok().json();
    let rows = log["rows"].as_array().unwrap();
    let story: Vec<&str> = rows
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(story, ["baseline", "keep"]);
    let up_to_edit: Vec<&String> = before.iter().chain(&after[..after.len() - 2]).collect();
    assert_cheap(sentence, &last, &up_to_edit);
    last
}

#[test]
fn a_loop_goes_from_the_sentence_to_its_first_trial() {
    let Some(bench) = shop(&[]) else { return };
    let sentence = "get rid of the any types";
    let [place, page] = begin("loop");
    let before = [
        place,
        page,
        call(&format!("scan --goal '{sentence}'")),
        call(&format!("init --goal '{sentence}'")),
        "cat autoresearch.yaml".to_owned(),
        call("config try"),
    ];
    let after = [
        call("start"),
        "printf 'export const many: string[] = [];\\n' > src/api.ts".to_owned(),
        call("trial -m 'real types'"),
    ];
    let last = assert_run(&bench, sentence, (&before, &after));
    let outputs = last.outputs();
    assert!(outputs[2].contains("any_count"), "{outputs:?}");
    assert!(outputs[5].contains("any_count = 4, 4, 4"), "{outputs:?}");
}

#[test]
fn a_fix_goes_from_the_sentence_to_its_first_trial_and_to_zero() {
    let Some(bench) = shop(&[("test/mean.test.js", FAILING)]) else {
        return;
    };
    let sentence = "fix the failing tests";
    let [place, page] = begin("fix");
    let before = [
        place,
        page,
        call("fix check --dry-run"),
        call("fix check --write"),
        "cat autoresearch.yaml".to_owned(),
        call("config try"),
    ];
    let right = "export const mean = (list) => list.reduce(sum, 0) / list.length;";
    let after = [
        call("start"),
        format!("sed -i 's|^export const mean.*|{right}|' src/sum.js"),
        call("trial -m 'divide the mean'"),
    ];
    let last = assert_run(&bench, sentence, (&before, &after));
    let outputs = last.outputs();
    assert!(
        outputs[5].contains("failing_tests = 1, 1, 1"),
        "{outputs:?}"
    );
    let end = bench.bed.run(&["status", "--json"]).ok().json();
    assert_eq!(end["end"], "target", "{end}");
}

#[test]
fn a_plan_ends_with_a_checked_file_and_no_run() {
    let Some(bench) = shop(&[]) else { return };
    let sentence = "plan how to get rid of the any types";
    let [place, page] = begin("plan");
    let before = [
        place,
        page,
        call(&format!("scan --goal '{sentence}'")),
        call(&format!("init --goal '{sentence}'")),
        "cat autoresearch.yaml".to_owned(),
        call("config try"),
    ];
    let after = [call("config check")];
    let last = converse(&bench, sentence, (&before, &after));
    let commands: Vec<&String> = before.iter().chain(&after).collect();
    assert_cheap(sentence, &last, &commands);
    let runs = bench.bed.run(&["status", "--json"]);
    assert!(!runs.out.contains("\"run\""), "{runs:?}");
    assert!(bench.bed.read("autoresearch.yaml").contains("any_count"));
    assert!(
        last.outputs()[6].contains("no problems"),
        "{:?}",
        last.outputs()
    );
}
