//! The house rules that the compiler cannot check: import edges, file heads and lengths, documents that tell the truth.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "structure/count.rs"]
mod count;

mod promises;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use count::Structure;

/// No source file of the crates is longer.
const MAX_LINES: usize = 670;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn files(below: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "autoresearch-results"].contains(&name.as_str()) {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root().join("crates"), ".rs", &mut found);
    found.sort();
    found
}

#[test]
fn every_file_opens_with_what_it_owns_and_stays_short() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! ") || text.starts_with("#!"),
            "{} has no head",
            path.display()
        );
        assert!(
            text.lines().count() <= MAX_LINES,
            "{} has {} lines",
            path.display(),
            text.lines().count()
        );
    }
}

/// Words between backticks that look like a path of this repository.
fn named_paths(text: &str) -> Vec<String> {
    let tops = [
        "crates/",
        "tests/",
        "templates/",
        "skill/",
        "hooks/",
        ".ci/",
    ];
    let ours = |word: &&str| {
        tops.iter().any(|top| word.starts_with(top)) && !word.contains(['*', '<', ' ', '{'])
    };
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(ours)
        .map(|word| word.split(':').next().unwrap_or(word).to_owned())
        .collect()
}

#[test]
fn paths_named_in_documents_exist() {
    let mut documents = Vec::new();
    files(&root(), ".md", &mut documents);
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for path in named_paths(&text) {
            assert!(
                root().join(&path).exists(),
                "{} names {path}, which does not exist",
                document.display()
            );
        }
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or(link);
            let local = !target.is_empty() && !target.contains("://");
            assert!(
                !local || document.parent().unwrap().join(target).exists(),
                "{} links to {target}",
                document.display()
            );
        }
    }
}

#[test]
fn the_modules_of_the_map_are_those_of_the_crates() {
    let map = std::fs::read_to_string(root().join("crates/ARCHITECTURE.md")).unwrap();
    for path in sources() {
        let below = path.strip_prefix(root().join("crates")).unwrap();
        let mut parts = below.with_extension("");
        parts = parts.components().skip(1).collect();
        let Ok(module) = parts.strip_prefix("src") else {
            continue;
        };
        let (room, inside) = {
            let mut words = module.components();
            let room = words
                .next()
                .unwrap()
                .as_os_str()
                .to_string_lossy()
                .into_owned();
            (room, words.as_path().display().to_string())
        };
        if ["lib", "bin"].contains(&room.as_str()) || inside.ends_with("tests") {
            continue;
        }
        let named = |word: &str| map.contains(&format!("`{word}`"));
        assert!(named(&room), "ARCHITECTURE.md does not mention `{room}`");
        assert!(
            inside.is_empty() || ["cli", "demo"].contains(&room.as_str()) || named(&inside),
            "ARCHITECTURE.md does not mention `{inside}`"
        );
    }
}

#[test]
fn no_two_files_use_each_other_by_whatever_way() {
    let structure = Structure::read(&root());
    let circles = structure.list_circles();
    assert!(structure.count_floors() > 5);
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The modules of the crates, each with the rooms that it is in: `night/driver/before_turn`.
fn modules() -> BTreeSet<String> {
    let below = root().join("crates");
    let found = sources().into_iter().filter_map(|path| {
        let inside: PathBuf = path
            .strip_prefix(&below)
            .ok()?
            .components()
            .skip(1)
            .collect();
        let module = inside.strip_prefix("src").ok()?.with_extension("");
        Some(module.display().to_string())
    });
    found.collect()
}

/// Words between backticks that could be modules: `night/driver`, and in the tables of the map `driver` as well.
fn named_modules(text: &str, with_plain_words: bool) -> Vec<&str> {
    let words = text.split('`').skip(1).step_by(2);
    let shaped = words.filter(|word| {
        let letters = |letter: char| letter.is_ascii_lowercase() || letter == '_' || letter == '/';
        word.chars().all(letters) && (word.contains('/') || with_plain_words)
    });
    shaped.collect()
}

#[test]
fn the_modules_that_the_pages_name_exist() {
    let modules = modules();
    let exists = |word: &str| {
        let ending = format!("/{word}");
        modules
            .iter()
            .any(|module| module == word || module.ends_with(&ending))
            || modules
                .iter()
                .any(|module| module.starts_with(&format!("{word}/")))
    };
    // Files of a run, and folders that are not code of ours.
    let others = ["/proc", "/tmp", "driver/lock", "node_modules", "turn/"];
    let map = read("crates/ARCHITECTURE.md");
    let (_, tables) = map.split_once("## Code map").unwrap();
    let (tables, _) = tables.split_once("## What holds").unwrap();
    let rows: String = tables
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    for word in named_modules(&rows, true) {
        assert!(
            exists(word),
            "the map names `{word}`, which is not a module"
        );
    }
    for page in ["journal", "trust", "processes", "decisions"] {
        let text = read(&format!("crates/docs/{page}.md"));
        for word in named_modules(&text, false) {
            assert!(
                exists(word) || others.contains(&word),
                "{page}.md names `{word}`, which is not a module"
            );
        }
    }
}

#[test]
fn the_files_that_answer_the_questions_exist() {
    let text = read("crates/docs/where.md");
    let rows: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| Who"))
        .collect();
    assert_eq!(rows.len(), 27);
    for row in rows {
        for word in row
            .rsplit('|')
            .nth(1)
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
        {
            let (package, module) = word.split_once('/').unwrap();
            let file = format!("crates/{package}/src/{module}.rs");
            assert!(root().join(&file).exists(), "where.md names {file}");
        }
    }
}

#[test]
fn the_map_fits_on_two_screens() {
    let lines = read("crates/ARCHITECTURE.md").lines().count();
    assert!(
        lines <= 120,
        "crates/ARCHITECTURE.md has {lines} lines: move details to a page of crates/docs"
    );
}

#[test]
fn names_lengths_and_packages_stay_within_the_houses_limits() {
    let structure = Structure::read(&root());
    let (one_word, all) = structure.count_one_word();
    assert!(all > 1_000, "only {all} functions were found");
    assert!(
        one_word * 4 <= all,
        "{one_word} of {all} function names have one word: name them by verb and object"
    );
    let (doubles, names) = structure.list_doubles();
    assert!(
        doubles.len() * 50 <= names,
        "types that share a name: {doubles:?}"
    );
    let longest = structure
        .functions()
        .max_by_key(|function| function.lines)
        .unwrap();
    assert!(
        longest.lines <= 75,
        "{} has {} lines",
        longest.name,
        longest.lines
    );
    let most = structure.count_files_per_folder();
    assert!(most <= 20, "{most} files in one folder: make rooms");
    let (code, tests) = (structure.code_lines, structure.test_lines);
    assert!(
        tests * 20 >= code * 23,
        "{tests} lines of test for {code} lines of code: at least 1.15 for each"
    );
    let packages = read("Cargo.lock")
        .lines()
        .filter(|line| line.starts_with("name = "))
        .count();
    assert!(packages <= 180, "{packages} packages");
}

/// The limits of the house for what is shipped: one program, stripped. Where no release was built, its profile is all there
/// is to look at.
/// Where a file is opened without `regular_files`, and why that is no path of somebody else's.
const OWN_OPENINGS: [(&str, &str); 10] = [
    (
        "autoresearch-codex/src/config/files.rs",
        "a folder, to sync it",
    ),
    (
        "autoresearch-codex/src/install/safety.rs",
        "a folder, to lock it",
    ),
    (
        "autoresearch-sys/src/replacement.rs",
        "a folder, to sync it",
    ),
    ("autoresearch-sys/src/store/disk.rs", "a folder, to sync it"),
    ("autoresearch-sys/src/store/lock.rs", "a folder, to lock it"),
    (
        "autoresearch-sys/src/process/descendants.rs",
        "the kernel's words on a process",
    ),
    (
        "autoresearch-sys/src/git/locks.rs",
        "the kernel's words on a process",
    ),
    (
        "autoresearch-sys/src/store/trust.rs",
        "the kernel's words on this process",
    ),
    (
        "autoresearch-sys/src/regular_files.rs",
        "the home of all others",
    ),
    (
        "autoresearch/src/config.rs",
        "a person may name a pipe for the config",
    ),
];

#[test]
fn a_path_that_others_choose_is_read_as_a_regular_file_of_a_limited_length() {
    let openers = [
        "fs::read(",
        "fs::read_to_string(",
        "File::open(",
        "OpenOptions::new().read(",
    ];
    let mut found = BTreeSet::new();
    for path in sources() {
        let below = path.strip_prefix(root().join("crates")).unwrap();
        let name = below.to_string_lossy().into_owned();
        let tests = ["/tests", "/benches/", "scratch.rs", "/bench.rs"];
        if tests.iter().any(|part| name.contains(part)) {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        if openers.iter().any(|opener| source.contains(opener)) {
            found.insert(name);
        }
    }
    let known = OWN_OPENINGS.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(
        found,
        known.collect(),
        "use `autoresearch_sys::regular_files`"
    );
}

#[test]
fn the_release_is_one_stripped_program_of_at_most_16_mb() {
    let manifest = read("Cargo.toml");
    let (_, release) = manifest.split_once("[profile.release]").unwrap();
    for key in ["strip = true", "lto = \"thin\"", "codegen-units = 1"] {
        assert!(release.contains(key), "the release profile lacks `{key}`");
    }
    let product = read("crates/autoresearch/Cargo.toml");
    assert_eq!(product.matches("[[bin]]").count(), 1, "one program");
    if let Ok(program) = root().join("target/release/autoresearch").metadata() {
        let size = program.len();
        assert!(size <= 16_000_000, "the program has {size} bytes");
    }
}

#[test]
fn the_version_is_in_the_changelog() {
    let changelog = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_readme_names_the_releases_of_codex_that_the_tests_run_against() {
    let named = format!(
        "Tested with Codex {}.",
        autoresearch_codex::release::format_tested_releases()
    );
    assert!(read("README.md").contains(&named), "{named}");
}

/// Both targets are one suite: a module that only one of them has would be tested with one release only.
#[test]
fn the_two_targets_of_the_codex_tests_have_the_same_modules() {
    let modules = |file: &str| {
        let text = read(file);
        let lines = text.lines().filter(|line| line.starts_with("mod "));
        lines.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let newest = modules("tests/codex/main.rs");
    assert!(newest.len() > 10);
    assert_eq!(newest, modules("tests/codex/previous.rs"));
}

/// The commands that do something, as a person types them.
fn leaves(command: &autoresearch::cli::ClapCommand, words: &str, found: &mut Vec<String>) {
    for sub in command.get_subcommands() {
        let words = format!("{words} {}", sub.get_name()).trim().to_owned();
        if sub.has_subcommands() {
            leaves(sub, &words, found);
        } else {
            found.push(words);
        }
    }
}

/// What each row means with the real CLI is tried in `tests/codex/permissions.rs`.
#[test]
fn the_table_of_who_may_do_what_has_a_row_for_each_command_and_is_what_the_rule_says() {
    let text = read("crates/docs/trust.md");
    let (_, section) = text.split_once("## Who may do what").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let mut table: Vec<(String, String)> = Vec::new();
    for line in rows {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, command, who, why, _] = cells.as_slice() else {
            panic!("{line}")
        };
        assert!(
            ["sandbox", "rule", "prompt", "person"].contains(who),
            "{line}"
        );
        assert!(!why.is_empty(), "{line}");
        table.push((command.trim_matches('`').to_owned(), (*who).to_owned()));
    }
    let mut commands = Vec::new();
    leaves(&autoresearch::cli::make_clap_command(), "", &mut commands);
    let mut rows: Vec<String> = table.iter().map(|(command, _)| command.clone()).collect();
    rows.sort();
    commands.sort();
    assert_eq!(rows, commands, "each command has one row");
    // A rule matches the first words, so all commands of a word are allowed or none.
    let first = |command: &'_ str| command.split(' ').next().unwrap().to_owned();
    let words = |wanted: bool| -> BTreeSet<String> {
        let rows = table.iter().filter(|(_, who)| (who == "rule") == wanted);
        rows.map(|(command, _)| first(command)).collect()
    };
    let allowed = words(true);
    assert_eq!(allowed.intersection(&words(false)).count(), 0);
    let rule: BTreeSet<String> = autoresearch_codex::config::rules::ALLOWED
        .map(ToOwned::to_owned)
        .into();
    assert_eq!(
        allowed, rule,
        "the words of the rule are the rows that say so"
    );
}

#[test]
fn the_guide_names_each_command() {
    let guide = read("GUIDE.md");
    let mut commands = Vec::new();
    leaves(&autoresearch::cli::make_clap_command(), "", &mut commands);
    assert!(commands.len() > 25, "{commands:?}");
    for command in commands {
        let is_named = ["autoresearch ", "`"].into_iter().any(|before| {
            let name = format!("{before}{command}");
            let mut ends = guide
                .match_indices(&name)
                .map(|(at, _)| &guide[at + name.len()..]);
            ends.any(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-'))
        });
        assert!(is_named, "GUIDE.md does not name `{command}`");
    }
}

#[test]
fn the_readmes_two_commands_are_what_ci_runs() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    for command in ["cargo run --release -- demo", "tests/run"] {
        assert!(
            readme.contains(&format!("```sh\n{command}\n```")),
            "the README has no block `{command}`"
        );
        assert!(
            ci.lines().any(|line| line == command),
            ".ci/run does not run `{command}`"
        );
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// Turns of phrase that readers of English as a second language stumble over, each with its plain form.
const PLAIN: &[(&str, &str)] = &[
    ("gone on with", "resumed, continued"),
    ("did not do its part", "failed"),
    ("so many tokens", "this many tokens"),
    ("so many turns", "this many turns"),
    ("so many trials", "this many trials"),
    ("(s)", "format_count: `1 trial`, `2 trials`"),
    ("(es)", "format_count: `1 process`, `2 processes`"),
    ("is no name", "is not a valid name"),
    ("is no amount", "is not an amount"),
    ("is no time", "is not a time"),
    ("is no success", "is not success"),
    ("begun anew", "started again"),
    ("made anew", "rebuilt"),
    ("put right", "fix"),
    ("puts right", "fixes"),
    ("mended", "fixed, repaired"),
    ("mend", "fix"),
    ("cut short", "interrupted"),
    ("of the run's own", "separate"),
    ("a repository of its own", "another repository"),
    ("a branch of their own", "another branch"),
    ("wrong call", "usage error"),
    ("lacks something", "missing requirement"),
    ("a fault of this program", "internal error"),
    ("time of the day", "time of day"),
    ("keeps from being written", "is read-only"),
    ("better weather", "the service is back"),
    ("bystander", "file of the user's"),
    ("what can go", "what can be removed"),
    ("at its deadline of", "timed out after"),
];

/// The text literals of Rust source, without comments. `mod tests` at the end of a file is left out.
fn string_literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let (mut literals, mut letters) = (Vec::new(), code.chars().peekable());
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            // A character such as '"' must not open a text; a lifetime has no second quotation mark.
            if letters.peek() == Some(&'\\') {
                letters.by_ref().take(2).for_each(drop);
            } else if letters.peek() == Some(&'"') {
                letters.next();
            }
        } else if letter == '"' {
            literals.push(read_literal(&mut letters));
        }
    }
    literals
}

/// The rest of a literal that has been opened, with its line breaks joined as the compiler does.
fn read_literal(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => while letters.next_if(|next| next.is_whitespace()).is_some() {},
                Some(escaped) => text.extend(['\\', escaped]),
                None => break,
            },
            letter => text.push(letter),
        }
    }
    text
}

/// Does a phrase stand in a text, and not only as part of longer words such as `recommend`?
fn has_phrase(text: &str, phrase: &str) -> bool {
    let is_letter = |letter: Option<char>| letter.is_some_and(char::is_alphabetic);
    text.match_indices(phrase).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + phrase.len()..]);
        let inside = phrase.starts_with(char::is_alphabetic) && is_letter(before.chars().last());
        !inside && !is_letter(after.chars().next())
    })
}

#[test]
fn what_people_and_agents_read_is_plain_english() {
    let mut texts: Vec<(PathBuf, String)> = Vec::new();
    for path in sources() {
        let shipped = path.components().any(|part| part.as_os_str() == "src");
        if shipped && !path.ends_with("tests.rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            texts.extend(
                string_literals(&source)
                    .into_iter()
                    .map(|text| (path.clone(), text)),
            );
        }
    }
    assert!(texts.len() > 1_000, "only {} texts were found", texts.len());
    for room in ["skill", "templates"] {
        let mut found = Vec::new();
        files(&root().join(room), "", &mut found);
        for path in found {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.push((path, text.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    let mut faults = Vec::new();
    for (path, text) in &texts {
        for (phrase, plain) in PLAIN {
            if has_phrase(&text.to_lowercase(), phrase) {
                faults.push(format!("{}: `{phrase}` -> {plain}", path.display()));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}
