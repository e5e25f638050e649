//! Every template is tried on a small repository of its domain: `config try` accepts it, and its metric reacts to the scope.
//!
//! `tests/templates/NAME.yaml` holds the files of the repository and what of the template is adapted, which is nothing but what
//! its comments name. Programs that a plain machine lacks are stand-ins, in `tests/templates/stand-ins`. With a folder of real
//! ones in `REAL_TOOLS` these come first: `REAL_TOOLS=/path/bin cargo nextest run -p autoresearch-tests templates_tried`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_sys::yaml::parse_yaml;
use serde_json::Value;

use crate::testbed::Testbed;

/// Each template, with what `config try` says of its metric.
macro_rules! tried {
    ($($name:ident $domain:literal $said:literal)+) => {
        const TRIED: &[&str] = &[$($domain),+];
        $(
            #[test]
            fn $name() {
                assert_said(&try_template($domain), $said);
            }
        )+
    };
}

/// A time and a memory may differ from tree to tree on a busy machine, beyond what six runs showed: then no more is asked than
/// that verify worked in a fresh tree.
#[track_caller]
fn assert_said(told: &str, said: &str) {
    let metric = said.split(' ').next().unwrap();
    let varies = metric.ends_with("_ms") || metric == "peak_bytes";
    let whether = format!(
        "guard pass: whether {metric} reacts to the files of the scope is not checked: {metric} is "
    );
    let is_busy =
        varies && told.starts_with(&whether) && told.contains(" in a fresh work tree, not ");
    assert!(is_busy || told == format!("guard pass: {said}"), "{told}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates")
}

/// A repository of the template's domain.
struct Example {
    domain: &'static str,
    document: Value,
}

impl Example {
    fn read(domain: &'static str) -> Self {
        let file = folder().join(format!("{domain}.yaml"));
        let text = std::fs::read_to_string(&file).unwrap();
        let document = parse_yaml(&text).unwrap_or_else(|error| panic!("{domain}: {error}"));
        Self { domain, document }
    }

    /// Commits the files, and lays those of `ignored` beside them.
    fn lay_out(&self) -> Testbed {
        let bed = Testbed::bare();
        for (name, text) in self.list_texts("files") {
            bed.write(&name, &text);
        }
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "first"]);
        bed.write(".git/info/exclude", "node_modules\n.venv\n");
        self.plant_faults(&bed);
        for (name, text) in self.list_texts("outside") {
            std::fs::write(bed.home.join(name), text).unwrap();
        }
        // What is installed has settings of its own, and no pattern of a template is to meet them.
        for name in [
            "package.json",
            "tsconfig.json",
            "pyproject.toml",
            "conftest.py",
        ] {
            for folder in ["node_modules/other", ".venv/lib/other"] {
                bed.write(&format!("{folder}/{name}"), "");
            }
        }
        if let Some(real) = std::env::var_os("REAL_TOOLS").map(PathBuf::from)
            && std::fs::read_to_string(bed.path(".gitignore"))
                .is_ok_and(|text| text.contains("node_modules"))
        {
            let modules = real.join("node_modules").canonicalize().unwrap();
            let mut copy = std::process::Command::new("cp");
            copy.arg("-aT").arg(modules).arg(bed.path("node_modules"));
            assert!(copy.status().unwrap().success());
        }
        bed
    }

    /// Makes the patches as the comment of the template says: edit, `git diff`, undo.
    fn plant_faults(&self, bed: &Testbed) {
        let faults = self.document["faults"].as_array();
        for (number, fault) in faults.into_iter().flatten().enumerate() {
            let [file, from, to] = [0, 1, 2].map(|at| fault[at].as_str().unwrap());
            let text = bed.read(file);
            assert!(text.contains(from), "{}: no `{from}`", self.domain);
            bed.write(file, &text.replacen(from, to, 1));
            let patch = bed.git(&["diff"]);
            bed.write(file, &text);
            bed.write(&format!("checks/faults/{number}.patch"), &patch);
        }
        if faults.is_some() {
            bed.git(&["add", "-A"]);
            bed.git(&["commit", "-qm", "faults"]);
        }
    }

    fn list_texts(&self, key: &str) -> BTreeMap<String, String> {
        let fields = self.document[key].as_object();
        let fields = fields.into_iter().flatten();
        let to_text = |value: &Value| value.as_str().unwrap().to_owned();
        fields
            .map(|(name, text)| (name.clone(), to_text(text)))
            .collect()
    }

    /// The template as it is printed, adapted.
    fn adapt(&self, bed: &Testbed) -> String {
        let mut text = bed.run(&["config", "example", self.domain]).ok().out;
        for pair in self.document["adapt"].as_array().into_iter().flatten() {
            let [from, to] = [0, 1].map(|at| pair[at].as_str().unwrap());
            assert!(text.contains(from), "{}: no `{from}`", self.domain);
            text = text.replace(from, to);
        }
        text
    }

    fn list_variables(&self, bed: &Testbed) -> BTreeMap<String, String> {
        let mut path = vec![folder().join("stand-ins/bin")];
        if let Some(real) = std::env::var_os("REAL_TOOLS") {
            path.insert(0, real.into());
        }
        path.extend(std::env::split_paths(&bed.env()["PATH"]));
        let joined = std::env::join_paths(path).unwrap();
        let mut variables = self.list_texts("variables");
        for value in variables.values_mut() {
            *value = value.replace("REPO", bed.repo.to_str().unwrap());
        }
        // rustup looks below the home, which is the bench's.
        let rustup = std::env::var("RUSTUP_HOME");
        let rustup = rustup.or_else(|_| std::env::var("HOME").map(|home| home + "/.rustup"));
        variables.insert("RUSTUP_HOME".to_owned(), rustup.unwrap());
        variables.insert("PATH".to_owned(), joined.into_string().unwrap());
        variables
    }
}

/// What `config try` says of an adapted template, in one line.
fn try_template(domain: &'static str) -> String {
    let example = Example::read(domain);
    let bed = example.lay_out();
    bed.write("../home/config.yaml", &example.adapt(&bed));
    let config = bed.home.join("config.yaml");
    let variables = example.list_variables(&bed);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let words = ["config", "try", config.to_str().unwrap()];
    let told = bed.run_with(&words, &variables);
    assert_eq!(told.code, 0, "{domain}: {told:?}");
    let lines = || told.out.lines();
    let said = |word: &str| {
        lines()
            .find_map(|line| line.strip_prefix(word))
            .unwrap()
            .trim()
    };
    let mut warnings = lines().filter(|line| line.starts_with("warning:"));
    // A repository has one of the files of settings that a template protects, and not all of them.
    assert!(
        warnings.all(|line| line.contains(": protect[") && line.contains("matches no file")),
        "{told}"
    );
    assert_eq!(bed.git(&["status", "--porcelain"]), "", "{domain}");
    format!("guard {}: {}", said("guard "), said("verdict "))
}

tried! {
    the_flaky_tests_of_python "flaky-tests-python" "failed_runs reacts to the files of the scope"
    the_flaky_tests_of_rust "flaky-tests-rust" "failed_runs reacts to the files of the scope"
    the_flaky_tests_of_go "flaky-tests-go" "failed_runs reacts to the files of the scope"
    the_flaky_tests_of_typescript "flaky-tests-typescript" "failed_runs reacts to the files of the scope"
    a_slow_function_of_python "slow-function-python" "cpu_ms reacts to the files of the scope"
    a_slow_function_of_rust "slow-function-rust" "cpu_ms reacts to the files of the scope"
    a_slow_function_of_go "slow-function-go" "cpu_ms reacts to the files of the scope"
    a_slow_function_of_typescript "slow-function-typescript" "cpu_ms reacts to the files of the scope"
    the_size_of_a_binary "binary-size" "binary_bytes reacts to the files of the scope"
    the_time_of_a_build "build-time" "build_ms reacts to the files of the scope"
    the_size_of_a_bundle "bundle-size" "gzip_bytes reacts to the files of the scope"
    failing_tests "failing-tests" "failing reacts to the files of the scope"
    the_latency_of_a_service "latency" "p95_ms reacts to the files of the scope"
    the_problems_of_a_linter "lint" "problems reacts to the files of the scope"
    the_memory_of_a_job "memory" "peak_bytes reacts to the files of the scope"
    the_cases_of_a_prompt "prompt-evaluation" "pass_rate reacts to the files of the scope"
    the_coverage_of_tests "test-coverage" "line_coverage reacts to the files of the scope"
    the_throughput_of_a_parser "throughput" "mb_per_s reacts to the files of the scope"
    the_loss_of_a_training "training-loss" "val_bpb reacts to the files of the scope"
    errors_of_types "type-errors" "type_errors reacts to the files of the scope"
}

/// The names of the YAML files of a folder, without their ending.
fn list_names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "yaml"))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_template_has_an_example_repository_and_is_tried() {
    let mut tried = TRIED.to_vec();
    tried.sort_unstable();
    assert_eq!(list_names(&folder()), tried);
    assert_eq!(list_names(&folder().join("../../templates")), tried);
}

/// Less strict assertions are as many as before, and no run fails by them: only a planted fault tells them from good ones.
#[test]
fn the_guard_of_flaky_tests_notices_a_test_that_asks_less() {
    let example = Example::read("flaky-tests-python");
    let bed = example.lay_out();
    let config = format!("tag: demo\n{}", example.adapt(&bed)).replace("runs: 4", "runs: 8");
    bed.write("../home/config.yaml", &config);
    let variables = example.list_variables(&bed);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let file = bed.home.join("config.yaml");
    bed.run_with(&["start", "--config", file.to_str().unwrap()], &variables)
        .ok();
    let in_utc = bed.read("src/shop.py").replace(
        "timestamp(seconds)",
        "timestamp(seconds, datetime.timezone.utc)",
    );
    bed.write("src/shop.py", &in_utc);
    let strict = bed.read("tests/test_shop.py").replace(
        "is_known():\n    assert",
        "is_known():\n    shop.KNOWN.clear()\n    assert",
    );
    let weak = strict.replace("(\"tea\") == 3", "(\"tea\") > 0");
    assert_ne!(weak, strict);
    bed.write("tests/test_shop.py", &weak);
    let trial = |words: &[&str]| {
        let words = [&["trial"], words, &["--json"]].concat();
        bed.run_with(&words, &variables).json()
    };
    let report = trial(&["-m", "no zone, no order, and less strict"]);
    assert_eq!(report["verdict"], "rework", "{report}");
    let tail = report["tail"].as_str().unwrap();
    let told = "the tests do not notice checks/faults/1.patch";
    assert!(tail.ends_with(told), "{report}");
    bed.write("tests/test_shop.py", &strict);
    let report = trial(&["--rework", "-m", "as strict as before"]);
    assert_eq!(report["verdict"], "keep", "{report}");
}
