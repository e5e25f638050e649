//! The bundle as it is shipped: it is small, it names only what exists, its commands parse, and its launchers find the
//! program wherever it was installed.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a test starts what it likes")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use autoresearch_codex::release::TESTED;
use serde_json::{Value, json};
use tempfile::TempDir;

const MODES: [&str; 7] = ["loop", "plan", "debug", "fix", "security", "ship", "exec"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn bundle() -> PathBuf {
    root().join("skill/codex-autoresearch")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

fn yaml(text: &str) -> Value {
    autoresearch_sys::yaml::parse_yaml(text).unwrap()
}

fn json_file(name: &str) -> Value {
    serde_json::from_str(&read(root().join(name))).unwrap()
}

/// The frontmatter and the body of SKILL.md.
fn skill() -> (Value, String) {
    let text = read(bundle().join("SKILL.md"));
    let (head, body) = text
        .strip_prefix("---\n")
        .unwrap()
        .split_once("\n---\n")
        .unwrap();
    (yaml(head), body.to_owned())
}

/// Every document that a model reads.
fn prose() -> Vec<(String, String)> {
    let modes = MODES.map(|mode| format!("references/{mode}.md"));
    std::iter::once("SKILL.md".to_owned())
        .chain(modes)
        .map(|name| {
            let text = read(bundle().join(&name));
            (name, text)
        })
        .collect()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    text.split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// What stands between backticks outside of fenced blocks, each on one line.
fn spans(text: &str) -> Vec<String> {
    let plain: Vec<&str> = text.split("```").step_by(2).collect();
    plain
        .join("\n")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// The words of a simple command line; quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut found, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == ' ' => found.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    found.push(word);
    found.retain(|word| !word.is_empty());
    found
}

/// Every command line of the program that the bundle shows, with the document that shows it.
fn command_lines() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, text) in prose() {
        let fenced = blocks(&text, "sh")
            .into_iter()
            .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
        found.extend(
            spans(&text)
                .into_iter()
                .chain(fenced)
                .filter(|line| line.starts_with("autoresearch "))
                .map(|line| (name.clone(), line)),
        );
    }
    found
}

/// Does the program understand this call? A call for help counts.
fn parses(words: &[String]) -> Result<(), String> {
    match autoresearch::cli::make_clap_command().try_get_matches_from(words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[test]
fn the_frontmatter_is_valid_and_the_skill_is_small() {
    let (head, body) = skill();
    let known = [
        "name",
        "description",
        "license",
        "compatibility",
        "metadata",
        "allowed-tools",
    ];
    for key in head.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "{key}");
    }
    assert_eq!(head["name"], "codex-autoresearch");
    let description = head["description"].as_str().unwrap();
    assert!(description.chars().count() < 400, "{description}");
    let first = description.split(". ").next().unwrap();
    for trigger in ["autoresearch", "overnight", "tests", "coverage", "resume"] {
        assert!(first.contains(trigger), "{trigger} is not in: {first}");
    }
    assert!(body.len() / 4 < 1_600, "{} tokens", body.len() / 4);
    // An optional question may be assumed as answered after a while; a rule that only prompts keeps `start` inside.
    assert!(body.contains("This go is **required**"));
    assert!(body.contains("`sandbox_permissions: \"require_escalated\"`"));
    for (name, text) in prose().into_iter().skip(1) {
        assert!(text.len() / 4 < 900, "{name}: {} tokens", text.len() / 4);
    }
}

#[test]
fn every_file_that_the_skill_names_exists_and_every_reference_is_named() {
    let (_, body) = skill();
    for span in spans(&body) {
        let word = span.trim_start_matches("<folder>/");
        let path = word.split(' ').next().unwrap();
        // `MODE` stands for each of the modes.
        let is_named = ["references/", "scripts/", "agents/"]
            .iter()
            .any(|top| path.starts_with(top));
        if is_named && !path.contains("MODE") {
            assert!(bundle().join(path).exists(), "{path}");
        }
    }
    let mut files: Vec<String> = fs::read_dir(bundle().join("references"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert!(body.contains("`<folder>/references/MODE.md`"));
    let mut modes = MODES.map(|mode| format!("{mode}.md"));
    modes.sort();
    assert_eq!(files, modes);
    for mode in MODES {
        assert!(body.contains(&format!(" | {mode} |\n")), "{mode}");
    }
}

#[test]
fn every_command_that_the_bundle_shows_parses() {
    let lines = command_lines();
    for needed in [
        "trial", "strategy", "status", "log", "resume", "stop", "finish",
    ] {
        let shown = |(_, line): &(String, String)| words(line).get(1).is_some_and(|w| w == needed);
        assert!(lines.iter().any(shown), "{needed} is shown nowhere");
    }
    for (name, line) in lines {
        let words = words(&line);
        if words
            .iter()
            .any(|word| word.starts_with('$') || word.contains('`'))
        {
            panic!("{name}: `{line}` is not made of plain words");
        }
        assert_eq!(parses(&words), Ok(()), "{name}: {line}");
    }
}

#[test]
fn every_domain_that_the_bundle_names_has_an_example() {
    let domains: Vec<&str> = autoresearch::config::templates::list_templates()
        .iter()
        .map(|template| template.domain)
        .collect();
    for (name, line) in command_lines() {
        if let Some(domain) = line.strip_prefix("autoresearch config example ") {
            assert!(domains.contains(&domain), "{name}: {line}");
        }
    }
    // The page names the command that lists them, as a list would cost every run its tokens.
    let page = read(bundle().join("references/loop.md"));
    assert!(page.contains("`autoresearch config example`"), "{page}");
}

#[test]
fn every_config_that_the_bundle_shows_is_a_good_config() {
    let mut shown = 0;
    for (name, text) in prose() {
        for block in blocks(&text, "yaml") {
            let mut config = yaml(&block);
            let keys = config.as_object_mut().unwrap();
            let rest = json!({
                "goal": "a goal",
                "scope": ["lib/**"],
                "metric": {"name": "n", "direction": "lower"},
                "verify": {"command": "echo 1"},
                "guard": {"command": "true"},
            });
            for (key, value) in rest.as_object().unwrap() {
                keys.entry(key).or_insert_with(|| value.clone());
            }
            let checked = autoresearch_core::config::check_config(&config);
            let problems: Vec<String> = checked
                .problems
                .iter()
                .map(|problem| format!("{problem:?}"))
                .collect();
            assert_eq!(problems, Vec::<String>::new(), "{name}: {block}");
            shown += 1;
        }
    }
    assert!(shown >= 2, "only {shown} configs were found");
}

#[test]
fn every_whole_config_of_the_documents_passes_the_check_without_a_warning() {
    let mut shown = 0;
    for name in ["README.md", "GUIDE.md", "EXAMPLES.md"] {
        for block in blocks(&read(root().join(name)), "yaml") {
            let keys = ["goal:", "scope:", "verify:"];
            if !keys
                .iter()
                .all(|key| block.lines().any(|line| line.starts_with(key)))
            {
                continue;
            }
            let problems = autoresearch_core::config::check_config(&yaml(&block)).problems;
            // The smallest config has no guard, and that is worth a word to whoever starts with it.
            let worse = problems.iter().filter(|problem| problem.place != "guard");
            let worse: Vec<String> = worse.map(|problem| format!("{problem:?}")).collect();
            assert_eq!(worse, Vec::<String>::new(), "{name}: {block}");
            shown += 1;
        }
    }
    assert!(shown >= 8, "only {shown} configs were found");
}

/// A ready-to-copy job as data, and its lines without indentation.
fn ci_job(name: &str) -> (Value, Vec<String>) {
    let text = read(root().join("templates/ci").join(name));
    let lines = text.lines().map(|line| line.trim().to_owned());
    (yaml(&text), lines.collect())
}

/// A call in a shell text, without what the shell does with its output and its status.
fn exec_calls(lines: &[String]) -> Vec<Vec<String>> {
    let calls = lines
        .iter()
        .filter(|line| line.starts_with("autoresearch "));
    calls
        .map(|line| words(line.split(" > ").next().unwrap()))
        .collect()
}

/// Both jobs handle each exit code of `exec`, keep the log, and call a program that understands them.
#[track_caller]
fn is_an_exec_job(name: &str, lines: &[String]) {
    let calls = exec_calls(lines);
    assert_eq!(calls.len(), 1, "{name}");
    assert_eq!(calls[0][1], "exec", "{name}");
    assert_eq!(parses(&calls[0]), Ok(()), "{name}: {:?}", calls[0]);
    for needed in ["--iterations", "--time-limit", "--config"] {
        assert!(calls[0].iter().any(|word| word == needed), "{name}");
    }
    let whole = lines.join("\n");
    for needed in [
        "> result.jsonl || status=$?",
        "autoresearch-results/*/research-results.tsv",
        &format!("codex@{}", TESTED[TESTED.len() - 1]),
        "cargo install --git https://github.com/codex-autoresearch/codex-autoresearch --locked autoresearch",
    ] {
        assert!(whole.contains(needed), "{name}: {needed}");
    }
}

#[test]
fn the_github_job_has_the_keys_that_github_asks_for() {
    let (file, lines) = ci_job("github-actions.yml");
    is_an_exec_job("github-actions.yml", &lines);
    assert!(file["on"].is_object() && file["jobs"].is_object());
    assert_eq!(file["permissions"], json!({"contents": "read"}));
    for (name, job) in file["jobs"].as_object().unwrap() {
        assert!(job["runs-on"].is_string(), "{name}");
        for step in job["steps"].as_array().unwrap() {
            let kinds = [&step["uses"], &step["run"]];
            let given = kinds.iter().filter(|kind| kind.is_string()).count();
            assert_eq!(given, 1, "{name}: {step}");
        }
        assert_eq!(job["steps"][0]["with"]["fetch-depth"], 0, "{name}");
    }
    // The job that runs edited code cannot write the repository, and the one that can runs none.
    let jobs = &file["jobs"];
    assert_eq!(jobs["improve"]["permissions"], Value::Null);
    assert_eq!(
        jobs["improve"]["steps"][0]["with"]["persist-credentials"],
        false
    );
    assert_eq!(jobs["propose"]["needs"], "improve");
    let propose = jobs["propose"]["steps"].to_string();
    assert!(!propose.contains("autoresearch exec") && !propose.contains("OPENAI_API_KEY"));
}

#[test]
fn the_gitlab_job_has_the_keys_that_gitlab_asks_for() {
    let (file, lines) = ci_job("gitlab-ci.yml");
    is_an_exec_job("gitlab-ci.yml", &lines);
    let stages = file["stages"].as_array().unwrap();
    for (name, job) in file.as_object().unwrap() {
        if name == "stages" {
            continue;
        }
        assert!(stages.contains(&job["stage"]), "{name}");
        assert!(job["image"].is_string(), "{name}");
        assert_eq!(job["variables"]["GIT_DEPTH"], "0", "{name}");
        for part in ["before_script", "script"] {
            let lines = job[part].as_array().unwrap();
            assert!(lines.iter().all(Value::is_string), "{name}: {part}");
        }
    }
    // Exit code 1 is a result, 2 is a failure.
    assert_eq!(file["improve"]["allow_failure"], json!({"exit_codes": 1}));
    assert_eq!(file["improve"]["artifacts"]["when"], "always");
}

/// Every shell text of the jobs is read by a shell, which does not run it.
#[test]
fn the_shell_texts_of_the_ci_jobs_are_plain_sh() {
    fn texts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (key.as_str(), value) {
                        ("run", Value::String(text)) => found.push(text.clone()),
                        ("script" | "before_script", Value::Array(lines)) => {
                            let lines = lines.iter().map(|line| line.as_str().unwrap().to_owned());
                            found.extend(lines);
                        }
                        _ => texts(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        texts(&ci_job(name).0, &mut found);
    }
    assert!(found.len() >= 9, "{}", found.len());
    for text in found {
        let output = Command::new("sh")
            .args(["-n", "-c", &text])
            .output()
            .unwrap();
        assert!(output.status.success(), "{text}: {output:?}");
    }
}

#[test]
fn the_interface_file_says_when_the_skill_may_start_by_itself() {
    let interface = yaml(&read(bundle().join("agents/openai.yaml")));
    for key in [
        "display_name",
        "short_description",
        "default_prompt",
        "brand_color",
    ] {
        assert!(interface["interface"][key].is_string(), "{key}");
    }
    assert!(interface["policy"]["allow_implicit_invocation"].is_boolean());
}

/// A manifest at the root would make the skill `plugin:skill` in every copy of, and link into, the whole clone. So the
/// entry of the marketplace carries what the manifest would say, and Codex writes the manifest into its own copy.
#[test]
fn the_plugin_is_whole_without_a_manifest_at_the_root() {
    let market = json_file(".agents/plugins/marketplace.json");
    let plugin = &market["plugins"][0];
    assert_eq!(plugin["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(plugin["name"], skill().0["name"]);
    // A source of git takes committed files only; a local one would copy `target` as well.
    assert_eq!(plugin["source"], json!({"source": "url", "url": "./"}));
    for key in ["skills", "hooks"] {
        assert!(
            root().join(plugin[key].as_str().unwrap()).exists(),
            "{key}: {}",
            plugin[key]
        );
    }
    for name in [
        ".codex-plugin",
        ".claude-plugin",
        ".cursor-plugin",
        "plugin.json",
    ] {
        for folder in [root(), root().join("skill"), bundle()] {
            assert!(!folder.join(name).exists(), "{name}");
        }
    }
}

#[test]
fn the_hooks_call_the_launcher_with_the_event_as_its_word() {
    let hooks = json_file("hooks/hooks.json");
    let script = "skill/codex-autoresearch/scripts/autoresearch-hook";
    assert!(root().join(script).exists());
    for (event, word, timeout) in [
        ("SessionStart", "session-start", 10),
        ("Stop", "stop", 1_000_000),
        ("Interrupt", "interrupt", 3),
    ] {
        let hook = &hooks["hooks"][event][0]["hooks"][0];
        assert_eq!(
            hook["command"],
            format!("sh \"${{PLUGIN_ROOT}}/{script}\" {word}")
        );
        assert_eq!(hook["timeout"], timeout);
    }
    assert_eq!(hooks["hooks"].as_object().unwrap().len(), 3);
}

/// With two skills of one name Codex injects neither, and a whole clone may be copied as the skill.
#[test]
fn the_repository_holds_one_skill() {
    fn skills(below: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(below).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let ours = !["target", ".git", "autoresearch-results"].contains(&name.as_str());
            if entry.file_type().unwrap().is_dir() && ours {
                skills(&entry.path(), found);
            } else if name == "SKILL.md" {
                found.push(entry.path());
            }
        }
    }
    let mut found = Vec::new();
    skills(&root(), &mut found);
    assert_eq!(found, [bundle().join("SKILL.md")]);
}

/// A copy of the launchers, a home, and a place to start from.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir_all(place.skill().join("scripts")).unwrap();
        for name in ["autoresearch", "autoresearch-hook"] {
            let to = place.skill().join("scripts").join(name);
            fs::copy(bundle().join("scripts").join(name), to).unwrap();
        }
        fs::create_dir_all(place.home()).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn skill(&self) -> PathBuf {
        self.path("a clone/skill/codex-autoresearch")
    }

    fn home(&self) -> PathBuf {
        self.path("a home")
    }

    fn launcher(&self) -> PathBuf {
        self.skill().join("scripts/autoresearch")
    }

    /// The sources of the program, in a clone.
    fn crates(&self, clone: &str) {
        let crates = self.path(clone).join("crates/autoresearch");
        fs::create_dir_all(&crates).unwrap();
        fs::write(crates.join("Cargo.toml"), "").unwrap();
    }

    /// A program that says where it lies, what it was given, and what it reads.
    fn program(&self, path: &str) -> PathBuf {
        let program = self.path(path);
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\"\ncat\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    /// A sealed call: nothing of the tester's own machine but the system's programs.
    fn call(&self, launcher: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .arg(launcher)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn wheres(&self) -> String {
        said(self.call(&self.launcher()).arg("--where"))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a call that must succeed says.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout).trim_end().to_owned()
}

/// The one command that a call without a program offers.
fn offered(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(127));
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr).lines().last().unwrap().to_owned()
}

#[test]
fn the_launchers_are_plain_sh_and_may_be_executed() {
    for name in ["autoresearch", "autoresearch-hook"] {
        let path = bundle().join("scripts").join(name);
        assert!(read(&path).starts_with("#!/bin/sh\n"));
        assert_ne!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0);
        said(Command::new("sh").arg("-n").arg(&path));
    }
}

#[test]
fn the_launcher_prefers_the_program_beside_it_then_the_stable_one_then_cargos() {
    let place = Place::new();
    for path in [
        "a home/.cargo/bin/autoresearch",
        "a home/.local/share/codex-autoresearch/bin/autoresearch",
        "a clone/skill/codex-autoresearch/bin/autoresearch",
    ] {
        let program = place.program(path);
        assert_eq!(place.wheres(), program.to_str().unwrap());
        let mut call = place.call(&place.launcher());
        assert_eq!(
            said(call.args(["trial", "-m", "two words"])),
            format!("{}\ntrial\n-m\ntwo words", program.display())
        );
    }
}

#[test]
fn the_launcher_looks_into_cargo_home_before_the_usual_cargo_folder() {
    let place = Place::new();
    place.program("a home/.cargo/bin/autoresearch");
    let program = place.program("my cargo/bin/autoresearch");
    let mut call = place.call(&place.launcher());
    call.arg("--where")
        .env("CARGO_HOME", place.path("my cargo"));
    assert_eq!(said(&mut call), program.to_str().unwrap());
}

#[test]
fn the_launcher_searches_path_last_and_takes_neither_scripts_nor_relative_entries() {
    let place = Place::new();
    // Another copy of the launcher, which would look on PATH in its turn, and one in the current folder.
    let other = place.path("other");
    fs::create_dir_all(&other).unwrap();
    fs::copy(place.launcher(), other.join("autoresearch")).unwrap();
    let real = env!("CARGO_BIN_EXE_autoresearch-sealed");
    symlink(real, place.path("autoresearch")).unwrap();
    let folder = place.path("on path");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("autoresearch");
    let entries = format!(":.:{}:{}:/usr/bin:/bin", other.display(), folder.display());
    let call = || {
        let mut call = place.call(&place.launcher());
        call.env("PATH", &entries);
        call
    };
    offered(&call().arg("--version").output().unwrap());
    symlink(real, &program).unwrap();
    assert_eq!(said(call().arg("--where")), program.to_str().unwrap());
    let version = concat!("autoresearch ", env!("CARGO_PKG_VERSION"));
    assert_eq!(said(call().arg("--version")), version);
    assert_eq!(said(call().arg("--version").env_remove("HOME")), version);
}

#[test]
fn the_launcher_offers_the_one_command_that_builds_the_program() {
    let place = Place::new();
    let call = || {
        place
            .call(&place.launcher())
            .arg("status")
            .output()
            .unwrap()
    };
    assert_eq!(
        offered(&call()),
        "cargo install --git https://github.com/codex-autoresearch/codex-autoresearch --locked autoresearch"
    );
    place.crates("a clone");
    assert_eq!(
        offered(&call()),
        format!(
            "cargo install --path '{}' --locked",
            place.path("a clone/crates/autoresearch").display()
        )
    );
}

/// A new file below a plugin's root takes the trust from its hooks.
#[test]
fn the_command_that_builds_from_an_installed_plugin_writes_nothing_into_the_plugin() {
    let place = Place::new();
    let plugin = "codex/plugins/cache/m/p/1";
    place.crates(plugin);
    let skill = place.path(plugin).join("skill/codex-autoresearch");
    fs::create_dir_all(skill.parent().unwrap()).unwrap();
    fs::rename(place.skill(), &skill).unwrap();
    let output = place
        .call(&skill.join("scripts/autoresearch"))
        .output()
        .unwrap();
    let ending = " --locked --target-dir /tmp/codex-autoresearch-target";
    assert!(offered(&output).ends_with(ending), "{output:?}");
}

#[test]
fn the_launchers_follow_links_to_the_script_and_to_the_folder() {
    let place = Place::new();
    let program = place.program("a clone/skill/codex-autoresearch/bin/autoresearch");
    symlink(place.launcher(), place.path("first")).unwrap();
    symlink("first", place.path("second")).unwrap();
    symlink(place.skill(), place.path("linked")).unwrap();
    for path in ["first", "second", "linked/scripts/autoresearch"] {
        let mut call = place.call(&place.path(path));
        assert_eq!(said(call.arg("--where")), program.to_str().unwrap());
    }
    let mut nearby = place.call(Path::new("autoresearch"));
    nearby.current_dir(place.skill().join("scripts"));
    assert_eq!(said(nearby.arg("--where")), program.to_str().unwrap());
    let script = place.skill().join("scripts/autoresearch-hook");
    symlink(script, place.path("hook")).unwrap();
    let answer = said(place.call(&place.path("hook")).arg("stop"));
    assert_eq!(answer, format!("{}\nhook\nstop", program.display()));
}

#[test]
fn the_hook_launcher_hands_over_its_words_and_its_input() {
    let place = Place::new();
    let input = place.path("input");
    fs::write(&input, "{\"session_id\":\"s\"}\n").unwrap();
    let answer = || {
        let mut call = place.call(&place.skill().join("scripts/autoresearch-hook"));
        call.arg("session-start")
            .stdin(fs::File::open(&input).unwrap());
        said(&mut call)
    };
    let program = place.program("a home/.local/share/codex-autoresearch/bin/autoresearch");
    let session = "{\"session_id\":\"s\"}";
    assert_eq!(
        answer(),
        format!("{}\nhook\nsession-start\n{session}", program.display())
    );
    // The name that the installer gave it, which is a program of its own in an older installation.
    let named = place.program("a home/.local/share/codex-autoresearch/bin/autoresearch-hook");
    assert_eq!(
        answer(),
        format!("{}\nsession-start\n{session}", named.display())
    );
}

/// Exit code 2 and a word on standard error would make Codex go on at each of its stops.
#[test]
fn the_hook_launcher_hides_the_refusal_of_a_program_that_knows_no_hook() {
    let place = Place::new();
    let program = place.program("a home/.cargo/bin/autoresearch");
    fs::write(program, "#!/bin/sh\necho unknown word >&2\nexit 2\n").unwrap();
    let mut call = place.call(&place.skill().join("scripts/autoresearch-hook"));
    assert_eq!(said(call.arg("stop")), "");
}

#[test]
fn the_hook_launcher_without_a_program_ends_well_and_says_and_reads_nothing() {
    let place = Place::new();
    for event in ["session-start", "stop", "interrupt"] {
        let mut call = place.call(&place.skill().join("scripts/autoresearch-hook"));
        // The pipe stays open: a launcher that reads would wait for ever.
        let child = call
            .arg(event)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let pipe = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(pipe);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0));
    }
}
