//! Owns what is the user's in a bench, and its picture before and after.
//! Does not hold the files of the scope while a run lasts: these are the run's.
//! Invariant: two pictures are equal only where every byte, mode, link, flag, branch and stash is.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::bench::{Bench, write_file};

/// What was found where.
pub(crate) type Picture = BTreeMap<String, String>;

const NINE: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/// The script of verify counts lines; a file that says `stop` makes it fail, one that says `slow` makes it wait.
const COUNT: &str = "grep -q stop src/b && exit 3\ngrep -q slow src/b && sleep 0.2\ncat src/* | grep -c '^any$' || [ $? -eq 1 ]\n";

/// Lines `any` in the files of the scope that no edit of the campaign changes.
pub(crate) const FIXED: u64 = 2;

/// Makes a repository that somebody works in: modified, staged, hidden, untracked and ignored files, a stash, branches.
pub(crate) fn move_in(bench: &Bench) {
    bench.git(&["init", "-q", "-b", "main", "--template="]);
    bench.write("count.sh", COUNT);
    bench.write("guard.sh", "grep -qx ok src/state\n");
    bench.write("src/a", &"any\n".repeat(40));
    bench.write("src/b", "b\n");
    bench.write("src/c", &"any\n".repeat(2));
    bench.write("src/state", "ok\n");
    bench.write(".gitignore", "*.log\n");
    let names = [
        "one", "staged", "stashed", "assumed", "skipped", "mode", "gone",
    ];
    for name in names {
        bench.write(&format!("docs/{name}"), NINE);
    }
    bench.git(&["add", "-A"]);
    bench.git(&["commit", "-qm", "first"]);
    bench.git(&["branch", "other"]);
    bench.git(&["tag", "v1"]);
    bench.write("docs/stashed", "stash\n");
    bench.git(&["stash", "-q"]);
    bench.git(&["update-index", "--assume-unchanged", "docs/assumed"]);
    bench.git(&["update-index", "--skip-worktree", "docs/skipped"]);
    bench.write("docs/one", "mine\n");
    bench.write("docs/assumed", "mine as well\n");
    bench.write("docs/staged", &NINE.replace("1\n", "one\n"));
    bench.git(&["add", "docs/staged"]);
    bench.write("docs/staged", &NINE.replace("9\n", "nine\n"));
    bench.write("docs/intended", "intended\n");
    bench.git(&["add", "-N", "docs/intended"]);
    bench.git(&["rm", "-q", "--cached", "docs/gone"]);
    let mode = bench.places.repo.join("docs/mode");
    std::fs::set_permissions(&mode, std::fs::Permissions::from_mode(0o755)).unwrap();
    bench.write("mine.txt", "untracked\n");
    bench.write("docs/also mine.txt", "untracked too\n");
    bench.write("debug.log", "ignored\n");
    std::os::unix::fs::symlink("nowhere", bench.places.repo.join("docs/link")).unwrap();
    write_file(&bench.base.join("home/notes"), "outside\n");
}

/// The user's files alone, the scope included.
pub(crate) fn picture_files(bench: &Bench) -> Picture {
    let mut found = Picture::new();
    let repo = &bench.places.repo;
    walk(repo, repo, &mut found);
    found
}

/// Everything of the user's, the scope included.
pub(crate) fn picture_all(bench: &Bench) -> Picture {
    let mut found = picture_files(bench);
    let repo = &bench.places.repo;
    let git = |words: &[&str]| bench.git(words);
    for line in git(&["ls-files", "--stage", "-v"]).lines() {
        let (entry, path) = line.split_once('\t').unwrap();
        found.insert(format!("(index) {path}"), entry.to_owned());
    }
    for (path, flags) in read_flags(&git(&["ls-files", "--debug"])) {
        found.insert(format!("(flags) {path}"), flags);
    }
    found.insert("(stash)".to_owned(), git(&["stash", "list"]));
    for name in ["config", "HEAD"] {
        let text = std::fs::read_to_string(repo.join(".git").join(name)).unwrap();
        found.insert(format!("({name})"), text);
    }
    for line in git(&["for-each-ref", "--format=%(refname) %(objectname)"]).lines() {
        let (name, id) = line.split_once(' ').unwrap();
        if !name.contains("/autoresearch/") {
            found.insert(format!("(ref) {name}"), id.to_owned());
        }
    }
    let notes = std::fs::read_to_string(bench.base.join("home/notes")).unwrap();
    found.insert("(home)".to_owned(), notes);
    found
}

/// The same without what is the run's while it lasts: the scope, and the branch that it works on.
pub(crate) fn leave_out_the_runs(whole: &Picture, is_in_place: bool) -> Picture {
    let is_the_users = |name: &&String| {
        let path = name.rsplit(' ').next().unwrap_or(name);
        let is_worked_on = is_in_place && path == "refs/heads/main";
        !path.starts_with("src/") && **name != "(HEAD)" && !is_worked_on
    };
    let theirs = whole.iter().filter(|(name, _)| is_the_users(name));
    theirs
        .map(|(name, seen)| (name.clone(), seen.clone()))
        .collect()
}

/// What differs between two pictures, for people.
pub(crate) fn tell_differences(before: &Picture, now: &Picture) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| before.get(*name) != now.get(*name));
    differing
        .map(|name| format!("{name}: {:?} -> {:?}", before.get(name), now.get(name)))
        .collect()
}

/// The flags of each entry of the index, which `--debug` has in the last line of six.
fn read_flags(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut path = "";
    for line in text.lines() {
        match line.split_once("flags: ") {
            Some((_, flags)) => found.push((path.to_owned(), flags.to_owned())),
            None if !line.starts_with("  ") => path = line,
            None => {}
        }
    }
    found
}

fn walk(root: &Path, at: &Path, found: &mut Picture) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if [".git", "autoresearch-results"].contains(&name.as_str()) {
            continue;
        }
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            walk(root, &path, found);
            continue;
        }
        let seen = match std::fs::read_link(&path) {
            Ok(target) => format!("-> {}", target.display()),
            Err(_) => format!(
                "{:o} {}",
                meta.permissions().mode(),
                String::from_utf8_lossy(&std::fs::read(&path).unwrap())
            ),
        };
        found.insert(name, seen);
    }
}
