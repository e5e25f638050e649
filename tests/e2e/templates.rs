//! The config examples: what is in the folder is in the binary, and every one of them is a good config.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::testbed::Testbed;

/// The domains that were promised; there may be more.
const DOMAINS: [&str; 20] = [
    "binary-size",
    "build-time",
    "bundle-size",
    "failing-tests",
    "flaky-tests-go",
    "flaky-tests-python",
    "flaky-tests-rust",
    "flaky-tests-typescript",
    "latency",
    "lint",
    "memory",
    "prompt-evaluation",
    "slow-function-go",
    "slow-function-python",
    "slow-function-rust",
    "slow-function-typescript",
    "test-coverage",
    "throughput",
    "training-loss",
    "type-errors",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../templates")
}

/// The files of the `templates` folder that are configs, by domain.
fn in_the_folder() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

fn in_the_binary(bed: &Testbed) -> Vec<String> {
    let report = bed.run(&["config", "example", "--json"]).ok().json();
    report["domains"]
        .as_array()
        .unwrap()
        .iter()
        .map(|domain| domain.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_template_of_the_folder_is_in_the_binary_and_the_other_way_round() {
    let bed = Testbed::new();
    let files: Vec<String> = in_the_folder().into_keys().collect();
    assert_eq!(in_the_binary(&bed), files);
    for domain in DOMAINS {
        assert!(
            files.iter().any(|file| file == domain),
            "{domain} is missing"
        );
    }
}

/// What a person who reads the template should not have to know by heart.
#[test]
fn every_template_says_its_mode_its_limits_and_where_its_trials_are_made() {
    for (domain, text) in in_the_folder() {
        for key in ["mode: ", "iterations: ", "time_limit: ", "isolation: "] {
            let lines = text.lines().filter(|line| line.starts_with(key)).count();
            assert_eq!(lines, 1, "{domain}: {key}");
        }
    }
}

#[test]
fn the_printed_template_is_the_file_but_for_the_place_of_the_schema() {
    let bed = Testbed::new();
    for (domain, text) in in_the_folder() {
        let printed = bed.run(&["config", "example", &domain]).ok().out;
        let (first, rest) = printed.split_once('\n').unwrap();
        assert!(
            first.starts_with("# yaml-language-server: $schema=config.schema.json"),
            "{domain}: {first}"
        );
        assert_eq!(rest, text.split_once('\n').unwrap().1, "{domain}");
        let object = bed
            .run(&["config", "example", &domain, "--json"])
            .ok()
            .json();
        assert_eq!(
            (object["domain"].as_str(), object["text"].as_str()),
            (Some(domain.as_str()), Some(printed.as_str()))
        );
    }
}

#[test]
fn every_template_begins_with_the_line_that_names_the_schema_and_the_schema_is_there() {
    for (domain, text) in in_the_folder() {
        let first = text.lines().next().unwrap();
        let schema = first
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap_or_else(|| panic!("{domain}: {first}"));
        assert!(
            folder().join(schema).is_file(),
            "{domain}: {schema} is not there"
        );
    }
}

#[test]
fn every_template_passes_the_check_without_errors_or_warnings() {
    let bed = Testbed::new();
    for domain in in_the_folder().into_keys() {
        let printed = bed.run(&["config", "example", &domain]).ok().out;
        let file = bed.home.join(format!("{domain}.yaml"));
        std::fs::write(&file, printed).unwrap();
        // Outside a repository: what a template says about files can only be adapted, not checked.
        let report = bed
            .run(&[
                "-C",
                bed.home.to_str().unwrap(),
                "config",
                "check",
                file.to_str().unwrap(),
                "--json",
            ])
            .json();
        assert_eq!(report["problems"], serde_json::json!([]), "{domain}");
        assert_eq!(
            (report["ok"].as_bool(), report["in_repository"].as_bool()),
            (Some(true), Some(false)),
            "{domain}"
        );
    }
}

#[test]
fn the_list_of_templates_says_what_each_is_for() {
    let bed = Testbed::new();
    let list = bed.run(&["config", "example"]).ok().out;
    assert_eq!(list.lines().count(), in_the_folder().len());
    for line in list.lines() {
        let (domain, purpose) = line.split_once(' ').unwrap();
        assert!(!domain.is_empty() && purpose.trim().len() > 10, "{line}");
    }
}

/// The blocks for other linters in the comments at the end of the lint example, each as a whole config.
fn other_linters() -> Vec<String> {
    let text = &in_the_folder()["lint"];
    let (_, comments) = text.split_once("# Another linter?").unwrap();
    let lines: Vec<&str> = comments
        .lines()
        .map(|line| line.trim_start_matches('#').strip_prefix(' ').unwrap_or(""))
        .collect();
    let blocks = lines.split(|line| line.is_empty()).skip(1);
    blocks
        .filter(|block| block.len() > 1)
        .map(|block| {
            let head =
                "goal: Fewer problems\nmetric: {name: problems, direction: lower, target: 0}";
            format!("{head}\n{}\n", block[1..].join("\n"))
        })
        .collect()
}

#[test]
fn the_lines_for_other_linters_in_the_lint_example_make_good_configs() {
    let bed = Testbed::new();
    let configs = other_linters();
    assert_eq!(configs.len(), 3);
    for (config, tool) in configs.iter().zip(["clippy", "ruff", "golangci-lint"]) {
        assert!(config.contains(tool), "{config}");
        let file = bed.home.join(format!("{tool}.yaml"));
        std::fs::write(&file, config).unwrap();
        let home = bed.home.to_str().unwrap();
        let check = [
            "-C",
            home,
            "config",
            "check",
            file.to_str().unwrap(),
            "--json",
        ];
        let report = bed.run(&check).json();
        assert_eq!(report["problems"], serde_json::json!([]), "{config}");
    }
}
