//! Owns what programs look for besides the files that a command names, and in which order: modules, scripts without their
//! ending, rules that a tool finds by itself.
//! Does not look at the disk, and does not read a command.
//! Invariant: the places of a search stand in the order in which the program takes them.

/// Why a file is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchKind {
    /// The command says so, or the tool takes what is measured from it.
    Executed,
    /// The tool looks for it by itself.
    Default,
}

/// Where a program looks for one file: it takes the first place that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSearch {
    pub kind: SearchKind,
    /// Paths from the folder of the command. A `*` stands for any letters in a name.
    pub places: Vec<String>,
}

impl FileSearch {
    pub(super) fn execute(places: &[&str], path: &str) -> Self {
        let places = places.iter().map(|ending| format!("{path}{ending}"));
        Self {
            kind: SearchKind::Executed,
            places: places.collect(),
        }
    }
}

/// What Python looks for in a folder before it takes `NAME.py`.
const PYTHON_ENDINGS: [&str; 4] = ["/__init__.py", ".*so", ".py", ".pyc"];
/// What node looks for where a script is given without its ending.
const NODE_ENDINGS: [&str; 8] = [
    "",
    ".js",
    ".json",
    ".node",
    "/package.json",
    "/index.js",
    "/index.json",
    "/index.node",
];
/// What Python looks for where a script is a folder.
const PYTHON_FOLDER: [&str; 2] = ["/__main__.py", "/__main__.pyc"];

/// The rules that tools look for by themselves: the programs, and the files. A bar stands between two searches; the places
/// of one stand in their order. Behind a `!` are rules of what is tested, which are executed.
const DEFAULTS: [(&str, &str); 17] = [
    ("make gmake", "GNUmakefile makefile Makefile"),
    ("bmake", "BSDmakefile makefile Makefile"),
    ("just", "justfile .justfile Justfile JUSTFILE"),
    (
        "task",
        "Taskfile.yml taskfile.yml Taskfile.yaml taskfile.yaml Taskfile.dist.yml",
    ),
    ("rake", "rakefile Rakefile rakefile.rb Rakefile.rb"),
    (
        "npm npx pnpm pnpx yarn bun bunx",
        "package.json | .npmrc | .yarnrc.yml | .yarnrc | pnpm-workspace.yaml | .pnpmfile.cjs | bunfig.toml",
    ),
    (
        "node nodejs tsx ts-node jest vitest mocha ava",
        "package.json",
    ),
    ("tsc tsx ts-node jest vitest", "tsconfig.json"),
    ("deno", "deno.json deno.jsonc"),
    (
        "cargo rustc rustup",
        ".cargo/config .cargo/config.toml | rust-toolchain rust-toolchain.toml",
    ),
    (
        "pytest py.test",
        "! pytest.toml | .pytest.toml | pytest.ini | .pytest.ini | conftest.py",
    ),
    (
        "pytest py.test tox nox",
        "pyproject.toml | tox.ini | setup.cfg",
    ),
    (
        "jest",
        "jest.config.js | jest.config.ts | jest.config.mjs | jest.config.cjs | jest.config.json",
    ),
    (
        "vitest",
        "vitest.config.ts | vitest.config.js | vitest.config.mjs | vitest.config.mts | vite.config.ts | vite.config.js",
    ),
    (
        "eslint",
        "eslint.config.js eslint.config.mjs eslint.config.cjs eslint.config.ts | .eslintrc.js | .eslintrc.json | .eslintrc.yml | .eslintrc | .eslintignore",
    ),
    ("ruff", ".ruff.toml ruff.toml pyproject.toml"),
    ("mypy", "mypy.ini .mypy.ini pyproject.toml setup.cfg"),
];

/// What Python looks for behind `-m`: the packages on the way, then the module.
pub(super) fn list_module_searches(module: &str) -> Vec<FileSearch> {
    let path = module.replace('.', "/");
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    let mut searches: Vec<FileSearch> = above
        .chain([path.as_str()])
        .map(|part| FileSearch::execute(&PYTHON_ENDINGS, part))
        .collect();
    searches.push(FileSearch::execute(&PYTHON_FOLDER, &path));
    searches
}

/// What an interpreter takes for this script.
pub(super) fn list_script_searches(program: &str, script: &str) -> Vec<FileSearch> {
    let path = script.trim_end_matches('/');
    if super::programs::is_listed("node nodejs tsx ts-node electron", program) {
        vec![FileSearch::execute(&NODE_ENDINGS, path)]
    } else if super::programs::is_listed("python pypy", program) && !has_ending(path, "py") {
        vec![FileSearch::execute(&PYTHON_FOLDER, path)]
    } else {
        Vec::new()
    }
}

/// What a tool looks for by itself.
pub(super) fn list_default_searches(program: &str) -> Vec<FileSearch> {
    let rows = DEFAULTS.iter();
    rows.filter(|(programs, _)| super::programs::is_listed(programs, program))
        .flat_map(|(_, files)| {
            let (kind, files) = match files.strip_prefix('!') {
                Some(files) => (SearchKind::Executed, files),
                None => (SearchKind::Default, *files),
            };
            files.split('|').map(move |places| FileSearch {
                kind,
                places: places.split_whitespace().map(ToOwned::to_owned).collect(),
            })
        })
        .collect()
}

fn has_ending(path: &str, ending: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, found)| found == ending)
}

/// pytest reads a `conftest.py` in each folder from its root to what it is given.
pub(super) fn list_conftests(given: &str) -> Vec<FileSearch> {
    let path = given
        .split("::")
        .next()
        .unwrap_or(given)
        .trim_end_matches('/');
    let is_file = has_ending(path, "py");
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    folders
        .chain((!is_file).then_some(path))
        .filter(|folder| !folder.is_empty())
        .map(|folder| FileSearch::execute(&["/conftest.py"], folder))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(searches: &[FileSearch]) -> Vec<String> {
        searches
            .iter()
            .map(|search| search.places.join(" "))
            .collect()
    }

    #[test]
    fn a_module_is_looked_for_as_a_package_first_and_so_is_each_package_on_the_way() {
        assert_eq!(
            show(&list_module_searches("bench.run")),
            [
                "bench/__init__.py bench.*so bench.py bench.pyc",
                "bench/run/__init__.py bench/run.*so bench/run.py bench/run.pyc",
                "bench/run/__main__.py bench/run/__main__.pyc",
            ]
        );
    }

    #[test]
    fn node_takes_the_file_before_its_endings_and_these_before_a_folder() {
        let found = list_script_searches("node", "checks/m");
        assert_eq!(
            found[0].places[..5],
            [
                "checks/m",
                "checks/m.js",
                "checks/m.json",
                "checks/m.node",
                "checks/m/package.json"
            ]
        );
        assert_eq!(list_script_searches("ruby", "checks/m"), []);
        assert_eq!(list_script_searches("python", "checks/m.py"), []);
    }

    #[test]
    fn a_tool_has_its_own_rules_and_those_of_tests_count_as_executed() {
        assert_eq!(
            show(&list_default_searches("make")),
            ["GNUmakefile makefile Makefile"]
        );
        let found = list_default_searches("pytest");
        let executed = found
            .iter()
            .filter(|search| search.kind == SearchKind::Executed);
        assert_eq!(executed.count(), 5);
        assert!(found.iter().any(|search| search.places == ["setup.cfg"]));
        assert_eq!(list_default_searches("grep"), []);
    }

    #[test]
    fn each_folder_on_the_way_to_a_test_has_a_conftest() {
        assert_eq!(
            show(&list_conftests("tests/unit/test_a.py::test_b")),
            ["tests/conftest.py", "tests/unit/conftest.py"]
        );
        assert_eq!(show(&list_conftests("tests/")), ["tests/conftest.py"]);
        assert_eq!(list_conftests("test_a.py"), []);
    }
}
