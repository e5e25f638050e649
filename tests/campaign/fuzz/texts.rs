//! Owns the parsers that read a text, or bytes, and nothing else: what each is fed with, and what must be true of its answer.
//! Does not start a process.
//! Invariant: a parser answers; what it accepts and writes again, it reads as the same.

use std::collections::BTreeSet;

use autoresearch::config::{ConfigSource, check_config_text};
use autoresearch_codex::config::json_text::parse_json;
use autoresearch_codex::config::rules::parse_start_rule;
use autoresearch_codex::config::trust::TrustConfig;
use autoresearch_codex::release::judge_release;
use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::config::TimeOfDay;
use autoresearch_core::config::globs::{Globs, without_classes};
use autoresearch_core::config::span::{format_span, parse_span};
use autoresearch_core::decide::gaming::{ChangedFile, Harness, find_suspicions};
use autoresearch_core::git_names::{CommitId, RefName, RepoPath};
use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::Event;
use autoresearch_core::metric::coverage::read_coverage;
use autoresearch_core::metric::definition::{Direction, Format, Metric};
use autoresearch_core::metric::matches::MatchPattern;
use autoresearch_core::metric::measurement::read_measurement;
use autoresearch_core::metric::screen::{describe_drawing, draw_lines};
use autoresearch_core::metric::unit::Quantity;
use autoresearch_core::metric::value::Value;
use autoresearch_core::shell::quote::quote_word;
use autoresearch_core::shell::{
    executed, has_pipe, list_bash_syntax, read_script, uses, variables, words,
};
use autoresearch_core::words::lessons::matching::{LessonQuery, find_matching_lessons};
use autoresearch_core::words::lessons::{self, Lesson, LessonKind, LessonTopic};
use autoresearch_core::words::{excerpt, text};
use autoresearch_sys::store::{path_from_key, path_to_key};
use autoresearch_sys::yaml::{find_line_of, parse_yaml};

/// A parser, what it is fed with when nothing is spoiled, and how.
pub(crate) struct TextTarget {
    pub name: &'static str,
    pub seeds: &'static [&'static [u8]],
    pub feed: fn(&[u8]),
}

const CONFIGS: &[&[u8]] = &[
    include_bytes!("../../../templates/lint.yaml"),
    include_bytes!("../../../templates/latency.yaml"),
    include_bytes!("../../../templates/test-coverage.yaml"),
    include_bytes!("../../../templates/bundle-size.yaml"),
    include_bytes!("../../../templates/memory.yaml"),
    include_bytes!("../../../templates/training-loss.yaml"),
    b"goal: g\nscope: [\"src/**\", \"!src/x\"]\nmetric: {name: ms, direction: lower, target: 3.5ms, format: json}\nverify: {wall: \"python3 -m bench\", repeats: 5, warmup: 1, check: \"sh check.sh\", timeout: 10m}\niterations: 10\nuntil: \"07:00\"\n",
    b"goal: g\nscope: [src]\nmetric: {name: n, direction: lower}\nverify: {count: {pattern: \"(?m)^any$\", files: \"src/**\"}}\nguard: {command: make test, must: {tests: \">= 10\"}}\n",
    b"goal: g\nscope: [src]\nmetric: {name: n, direction: lower}\nverify: {exit_rate: \"./flaky\", runs: 50}\nrollback: revert\nisolation: worktree\nprepare: {command: make, timeout: 2h}\nlink: [node_modules]\n",
    b"goal: g\nscope: [src]\nmetric: {name: b, direction: lower}\nverify: {size: \"dist/*.js\", gzip: true}\ntime_limit: 1h30m\ntokens: 10\nenv: {pass: [A_*]}\n",
    b"goal: g\nscope: [src]\nmetric: {name: c, direction: higher}\nverify: {covered: coverage.xml, command: make cover}\n",
];

const RECORDS: &[&[u8]] = &[
    br#"{"v":1,"seq":0,"prev":"0000000000000000000000000000000000000000000000000000000000000000","at":"2026-01-01T00:00:00Z","event":{"type":"ready"}}"#,
    br#"{"type":"intent","trial":1,"attempt":0,"message":"one","labels":["a"],"simplify":false,"parent":"8f43ee7b830d222c0f78bb7bd1606d360e709764"}"#,
    br#"{"type":"end","end":"user-stop","why":"stopped"}"#,
    br#"{"type":"raise","iterations":80}"#,
];

const OUTPUTS: &[&[u8]] = &[
    b"METRIC ms=12.5 ms\nMETRIC other=3\n",
    b"building\n12 problems\n",
    b"noise\n{\"primary\": 12.5, \"more\": {\"a\": 1e3}}\n",
    b"58%\n",
    b"\x1b[1A\x1b[2K 10/10\rdone 3.14\n",
    b"METRIC ms=1_000\nMETRIC ms=2\n-0.000\n",
];

const COVERAGES: &[&[u8]] = &[
    b"TN:\nSF:src/a.js\nDA:1,1\nDA:2,0\nLF:2\nLH:1\nend_of_record\n",
    b"<?xml version=\"1.0\"?><coverage line-rate=\"0.5\" lines-covered=\"1\" lines-valid=\"2\"><packages/></coverage>",
    b"<coverage><project><metrics statements=\"10\" coveredstatements=\"5\"/></project></coverage>",
    br#"{"meta":{"version":"7"},"totals":{"covered_lines":5,"num_statements":10},"files":{}}"#,
    br#"{"total":{"lines":{"total":10,"covered":5,"pct":50}}}"#,
    b"mode: set\nexample.com/a.go:1.1,2.2 3 1\nexample.com/a.go:3.1,4.2 2 0\n",
];

const COMMANDS: &[&[u8]] = &[
    b"cd src && FOO=1 python3 -m bench --n 3 < in.txt > out.txt 2>&1 | tail -1",
    b"for f in *.sh; do sh \"$f\" || exit 1; done; cat <<'E'\nx $(y)\nE\n",
    b"npm run -s build -- --mode=prod && du -b dist/*.js | awk '{s+=$1} END {print s}'",
    b"diff <(sort a) <(sort b); [[ -f x ]] && echo ${a:-$(pwd)} `date` $((1+2))",
    b"env -i PATH=\"$PATH\" timeout 5 bash -c 'make -C \"a b\" test' # c\n",
];

const SOURCES: &[&[u8]] = &[
    b"import time\ntime.perf_counter = lambda: 0\nprint('METRIC ms=0')\nsys._getframe(1).f_globals\nexec(base64.b64decode('x'))\n",
    b"const fs = require('fs');\nprocess.exit(0);\nDate.now = () => 0;\nconsole.log = () => {};\n`a${b}`\n",
    b"fn main() { std::process::exit(0); let s = r#\"raw\"#; /* /* */ */ impl PartialEq for X {} }\n",
];

const JSON: &[&[u8]] = &[
    br#"{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/h/autoresearch-hook stop","timeout":5}]}]},"other":[1,2.5e3,null,"\u00e9\ud83d\ude00"]}"#,
    br#"{"message":"narrow types","labels":["a"],"hypothesis":"faster","simplify":true}"#,
    b"text before\n```json\n{\"message\":\"x\"}\n```\nand {\"message\": \"later\"}",
    br#"{"id":1,"result":{"data":[{"cwd":"/r","hooks":[{"key":"k","eventName":"stop","enabled":true,"currentHash":"h","trustStatus":"trusted"}]}]}}"#,
];

const TOML: &[&[u8]] = &[
    b"[hooks.state.\"/h/hooks.json:stop:0:0\"]\nenabled = true\ntrusted_hash = \"sha256:ab\"\n[projects.\"/r\"]\ntrust_level = \"trusted\"\n",
    b"prefix_rule(\n  pattern = [\"/h/autoresearch\", [\"start\"]],\n  decision = \"allow\",\n)\n",
    b"codex-cli 0.130.0-alpha.1\n",
];

const NAMES: &[&[u8]] = &[
    b"8f43ee7b830d222c0f78bb7bd1606d360e709764",
    b"refs/heads/autoresearch/demo",
    b"src/a b/\xff\xfe/c\n",
    b"1h30m",
    b"07:45",
    b"12.5e-3 GiB/s",
    b"-1,234.50 %",
    b"src/**/*.{ts,tsx}",
    b"!tests/[a-z]*[!0-9]?/**",
    b"(?im)^\\s*TODO\\b.{0,80}$",
];

const TEXTS: &[&[u8]] = &[
    b"# Lessons\n- 2026-11-27 keep: one (any_count -4; src/api)\n- 2026-11-27 no-gain: 2 no-gains: a; b (x)\n- mine\r\n- 2026-11-27 end: Fewer any: any_count 6 -> 2 with 1 of 1 trials kept\n",
    b"Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: x\n",
    b"error[E0308]: mismatched types\n --> src/a.rs:1:1\n\x1b[31mred\x1b[0m\r\n",
];

/// Every parser of a text.
pub(crate) const TARGETS: &[TextTarget] = &[
    TextTarget {
        name: "config",
        seeds: CONFIGS,
        feed: feed_config,
    },
    TextTarget {
        name: "config",
        seeds: CONFIGS,
        feed: feed_config,
    },
    TextTarget {
        name: "record",
        seeds: RECORDS,
        feed: feed_record,
    },
    TextTarget {
        name: "output of verify",
        seeds: OUTPUTS,
        feed: feed_output,
    },
    TextTarget {
        name: "coverage report",
        seeds: COVERAGES,
        feed: feed_coverage,
    },
    TextTarget {
        name: "command",
        seeds: COMMANDS,
        feed: feed_command,
    },
    TextTarget {
        name: "code",
        seeds: SOURCES,
        feed: feed_code,
    },
    TextTarget {
        name: "codex's json",
        seeds: JSON,
        feed: feed_json,
    },
    TextTarget {
        name: "codex's files",
        seeds: TOML,
        feed: feed_codex_files,
    },
    TextTarget {
        name: "names and numbers",
        seeds: NAMES,
        feed: feed_names,
    },
    TextTarget {
        name: "patterns",
        seeds: NAMES,
        feed: feed_patterns,
    },
    TextTarget {
        name: "words",
        seeds: TEXTS,
        feed: feed_words,
    },
];

fn feed_config(bytes: &[u8]) {
    let source = ConfigSource {
        path: None,
        name: "fuzzed".to_owned(),
        text: String::from_utf8_lossy(bytes).into_owned(),
        merged: false,
    };
    let checked = check_config_text(&source);
    assert!(
        checked.config.is_some() || !checked.problems.is_empty(),
        "a config that is refused without a reason"
    );
    if parse_yaml(&source.text).is_ok() {
        let _ = find_line_of(&source.text, "verify.command");
    }
}

fn feed_record(bytes: &[u8]) {
    let line = String::from_utf8_lossy(bytes);
    let head = ChainHead::default();
    let _ = head.parse_record(&line);
    let _ = head.after_line(&line);
    let Ok(event) = serde_json::from_str::<Event>(&line) else {
        return;
    };
    let written = head.format_record("2026-01-01T00:00:00Z", event.clone());
    let record = head.parse_record(&written);
    assert_eq!(record.map(|record| record.event), Ok(event), "{written}");
}

fn feed_output(bytes: &[u8]) {
    let printed = String::from_utf8_lossy(bytes);
    for format in [Format::Auto, Format::Number, Format::Json, Format::Lines] {
        let metric = Metric {
            name: "ms".to_owned(),
            direction: Direction::Lower,
            target: None,
            format,
        };
        if let Ok((measured, reading)) = read_measurement(&printed, &metric, None) {
            let again = read_measurement(&printed, &metric, Some(&reading));
            assert_eq!(
                again.map(|(measured, _)| measured.value).ok(),
                Some(measured.value),
                "read otherwise by its own reading"
            );
        }
    }
    let _ = draw_lines(&printed).count();
    let _ = describe_drawing(&printed);
}

fn feed_coverage(bytes: &[u8]) {
    if let Ok(lines) = read_coverage(bytes) {
        let percent = lines.to_percent().to_double();
        assert!((0.0..=100.0).contains(&percent), "{percent} % are covered");
    }
}

fn feed_command(bytes: &[u8]) {
    let command = String::from_utf8_lossy(bytes);
    let _ = read_script(&command);
    let _ = has_pipe(&command);
    let _ = list_bash_syntax(&command);
    let _ = executed::list_executed_words(&command);
    let _ = executed::list_searches(&command);
    let _ = executed::list_written_words(&command);
    let _ = executed::list_programs(&command);
    let _ = uses::find_file_uses(&command);
    let _ = variables::list_variables(&command);
    let _ = words::list_command_words(&command);
    let _ = words::name_known_places(&command);
    let _ = words::ends_in_counting_grep(&command);
    if !command.contains('\0') {
        let read = read_script(&format!("echo {}", quote_word(&command)));
        let word = read.commands.first().and_then(|read| read.words.get(1));
        let word = word.map(|word| word.text.as_str());
        assert_eq!(word, Some(&*command), "a quoted word is read otherwise");
    }
}

fn feed_code(bytes: &[u8]) {
    let after = String::from_utf8_lossy(bytes).into_owned();
    let count = u32::try_from(after.lines().count()).unwrap();
    let files: Vec<ChangedFile> = ["a.py", "a.ts", "a.rs", "a.sh"]
        .map(|path| ChangedFile {
            path: path.to_owned(),
            after: after.clone(),
            added: (1..=count).collect::<BTreeSet<u32>>(),
            ..ChangedFile::default()
        })
        .into();
    for found in find_suspicions(&files, &Harness::default()) {
        assert!(found.line <= count.max(1), "{found} is behind the end");
    }
}

fn feed_json(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ours = parse_json(&text);
    if let Ok(theirs) = serde_json::from_str::<serde_json::Value>(&text) {
        // Ours is stricter about depth and doubles, and never reads another value.
        if let Ok(node) = ours {
            assert_eq!(node.parse_value(&text), theirs, "{text}");
        }
    } else {
        assert!(ours.is_err(), "accepted what is no JSON: {text}");
    }
    let _ = AgentAnswer::find_in_text(&text);
}

fn feed_codex_files(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(table) = TrustConfig::parse_text(&text) {
        let _ = table.find_hook_state("/h/hooks.json:stop:0:0");
    }
    let _ = parse_start_rule(&text, "/h/autoresearch");
    let _ = judge_release(&text);
}

fn feed_names(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = CommitId::parse(&text);
    let _ = CommitId::from_bytes(bytes);
    if let Some(name) = RefName::parse(&text) {
        assert_eq!(name.as_str(), text);
    }
    assert_eq!(
        path_from_key(&path_to_key(bytes))
            .into_os_string()
            .as_encoded_bytes(),
        bytes
    );
    let _ = RepoPath::new(bytes.to_vec()).to_text();
    if let Ok(span) = parse_span(&text) {
        // In at most two units: what is written is read, and written alike.
        let written = format_span(span);
        let read = parse_span(&written);
        assert_eq!(read.map(format_span), Ok(written), "{text}");
    }
    let _ = TimeOfDay::parse(&text);
    let _ = text.parse::<Quantity>();
    if let Ok(value) = text.parse::<Value>() {
        assert_eq!(
            value.to_string().parse::<Value>().as_ref(),
            Ok(&value),
            "{text}"
        );
        let _ = value.to_double();
    }
}

fn feed_patterns(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let _ = without_classes(&text);
    if let Ok(globs) = Globs::new(std::slice::from_ref(&text)) {
        let _ = globs.matches_path("src/a/b.ts");
        let _ = globs.matches_path(&text);
    }
    if let Ok(pattern) = MatchPattern::new(&text) {
        let _ = pattern.count_in(b"src TODO x\nTODO\n");
    }
}

fn feed_words(bytes: &[u8]) {
    let said = String::from_utf8_lossy(bytes);
    let escaped = text::escape_text(&said);
    assert!(!escaped.chars().any(char::is_control), "{escaped:?}");
    let _ = text::clip_text(&said, 20);
    let shown = excerpt::make_excerpt(&said, &said);
    assert!(shown.len() <= said.len() * 2 + 10_000);
    let scope = [said.to_string()];
    let topic = LessonTopic {
        metric: &said,
        scope: &scope,
    };
    let lesson = Lesson {
        kind: LessonKind::Keep,
        text: &said,
        topic,
        delta: &said,
    };
    let file = lessons::add_lesson(&said, "2026-11-27", &lesson);
    let query = LessonQuery {
        goal: &said,
        topic,
        told: &[],
        today: &said,
    };
    assert!(find_matching_lessons(&file, &query, 5).len() <= 5);
}
