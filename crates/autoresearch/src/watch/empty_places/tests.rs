//! Which places count, in work trees that are made for each case.

use serde_json::json;

use super::*;

/// A work tree below a folder of its own, with these files.
struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    fn new(files: &[&str]) -> Self {
        let bed = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(bed.root()).unwrap();
        for name in files {
            bed.write(name);
        }
        bed
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("trees/tree")
    }

    fn write(&self, name: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }

    fn choose(&self, verify: &str, scope: &[&str]) -> (EmptyPlaces, Globs) {
        let config = json!({
            "goal": "g", "scope": scope, "metric": {"name": "m", "direction": "lower"},
            "verify": {"command": verify},
        });
        let config = autoresearch_core::config::check_config(&config)
            .config
            .unwrap();
        let root = self.root();
        let home = Some(self.folder.path().to_owned());
        let site = CommandSite { root: &root, home };
        let places = choose_places(&site, None, &config).unwrap();
        assert_eq!(
            list_filled(&root, &places, &Globs::new(&config.scope).unwrap()),
            Vec::<String>::new()
        );
        (places, Globs::new(&config.scope).unwrap())
    }

    /// Is a file noticed that comes to be after the choice?
    #[track_caller]
    fn notices(&self, verify: &str, scope: &[&str], name: &str) -> bool {
        let (places, globs) = self.choose(verify, scope);
        self.write(name);
        let found = list_filled(&self.root(), &places, &globs);
        let path = self.root().join(name);
        std::fs::remove_file(path).unwrap();
        assert!(found.len() <= 1, "{verify}: {found:?}");
        found
            .iter()
            .any(|found| found.ends_with("it was not there at start)"))
    }
}

#[test]
fn what_verify_would_find_first_or_besides_is_noticed() {
    let bed = Bed::new(&[
        "src/a",
        "bench/run.py",
        "checks/v.sh",
        "checks/m.js",
        "Makefile",
        "package.json",
        "tests/t.py",
    ]);
    for (verify, name) in [
        (
            "[ -f local.env ] && . ./local.env; sh checks/v.sh",
            "local.env",
        ),
        (
            "[ -s extra.json ] && cat extra.json; wc -l src/a",
            "extra.json",
        ),
        ("python3 -m bench.run", "bench/run/__init__.py"),
        ("python3 -m bench.run", "bench/__init__.py"),
        ("python3 -m bench.run", "bench.py"),
        (
            "python3 -m bench.run",
            "bench/run.cpython-312-x86_64-linux-gnu.so",
        ),
        ("python3 -m bench.run", "bench/run.so"),
        ("python3 -m pytest tests", "pytest.py"),
        ("pytest tests", "tests/conftest.py"),
        ("pytest tests", "pytest.ini"),
        ("node checks/m", "checks/m"),
        ("node checks/m.js", "checks/node_modules"),
        ("sh checks/v.sh", "checks/node_modules"),
        ("node checks/m.js", "node_modules"),
        ("make -s check", "GNUmakefile"),
        ("npm run bench", ".npmrc"),
        ("cargo bench", ".cargo/config.toml"),
        ("cargo bench", "rust-toolchain"),
        ("just check", "justfile"),
        ("sh checks/*.sh", "checks/w.sh"),
        ("cat checks/*.txt src/a | wc -l", "checks/w.txt"),
        ("sh $PWD/checks/*.sh", "checks/w.sh"),
        ("sh checks/v.sh", "../node_modules"),
        ("sh checks/v.sh", "../package.json"),
        ("sh checks/v.sh", "../.cargo/config.toml"),
    ] {
        assert!(bed.notices(verify, &["src/**"], name), "{verify}: {name}");
    }
}

#[test]
fn what_trials_may_decide_and_what_verify_makes_is_not_noticed() {
    let bed = Bed::new(&["src/a", "src/Makefile", "checks/v.sh"]);
    for (verify, scope, name) in [
        // The scope names it, or holds it and nothing executes it.
        (
            "[ -f local.env ] && . ./local.env; wc -l src/a",
            "local.env",
            "local.env",
        ),
        (
            "[ -f src/b.txt ] && cat src/b.txt; wc -l src/a",
            "src/**",
            "src/b.txt",
        ),
        ("cat src/*.txt | wc -l", "src/**", "src/b.txt"),
        ("make -C src", "src/**", "src/GNUmakefile"),
        ("cargo bench", "**", ".cargo/config.toml"),
        // The command writes or removes it.
        ("./bench > out.txt; tail -1 out.txt", "src/**", "out.txt"),
        ("sh build/run.sh; rm -rf build", "src/**", "build/run.sh"),
        // Another program may.
        (
            "./bench --json out.txt; tail -1 out.txt",
            "src/**",
            "out.txt",
        ),
        // Programs are not looked for in the folder.
        ("grep -c any src/a", "src/**", "grep"),
        // It is a sign of another program.
        (
            "test ! -e ../flag.txt && wc -l src/a",
            "src/**",
            "../flag.txt",
        ),
        // Nobody looks there.
        ("sh checks/v.sh", "src/**", "checks/other.sh"),
        ("sh checks/v.sh", "src/**", "../../package.json"),
    ] {
        assert!(
            !bed.notices(verify, &["src/a", scope], name),
            "{verify}: {name}"
        );
    }
}

#[test]
fn a_file_in_the_scope_that_would_be_executed_in_the_stead_of_a_pinned_one_is_noticed() {
    let bed = Bed::new(&["bench/run.py", "src/a"]);
    let scope = ["src/**", "bench/**", "!bench/run.py"];
    assert!(bed.notices("python3 -m bench.run", &scope, "bench/run/__init__.py"));
    assert!(!bed.notices(
        "python3 -m bench.run",
        &["src/**", "bench/run.py", "bench/run.pyc"],
        "bench/run.pyc"
    ));
}

#[test]
fn a_folder_on_the_way_may_come_to_be_and_a_link_may_not() {
    let bed = Bed::new(&["src/a", "checks/v.sh"]);
    let (places, scope) = bed.choose("sh checks/v.sh; [ -f deep/er/x ] || true", &["src/**"]);
    std::fs::create_dir_all(bed.root().join("deep")).unwrap();
    assert_eq!(
        list_filled(&bed.root(), &places, &scope),
        Vec::<String>::new()
    );
    std::fs::rename(bed.root().join("checks"), bed.root().join("other")).unwrap();
    std::os::unix::fs::symlink("other", bed.root().join("checks")).unwrap();
    assert_eq!(
        list_filled(&bed.root(), &places, &scope),
        ["checks (a link on the way to verify's files)"]
    );
}

#[test]
fn what_verify_filled_on_the_untouched_tree_is_dropped() {
    let bed = Bed::new(&["src/a"]);
    let verify = "make -s; sh build/run.sh; cat logs/*.log";
    let (mut places, scope) = bed.choose(verify, &["src/**"]);
    bed.write("build/run.sh");
    bed.write("logs/a.log");
    drop_filled(&bed.root(), &mut places);
    bed.write("logs/b.log");
    assert_eq!(
        list_filled(&bed.root(), &places, &scope),
        Vec::<String>::new()
    );
    bed.write("GNUmakefile");
    assert_eq!(list_filled(&bed.root(), &places, &scope).len(), 1);
}
