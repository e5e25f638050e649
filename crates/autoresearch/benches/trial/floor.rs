//! Owns the floor: the git commands, verify and the syncs that a trial cannot do without, as a shell script.
//! Does not check, decide or remember anything, and writes no views.
//! Invariant: the git commands are those of `trial`, `undo` and `git`, in their order; each record is synced twice.

use std::path::Path;
use std::process::{Command, Output};

use autoresearch_sys::error::Failure;
use autoresearch_sys::store::{Disk, FOLDER, RealDisk};

use crate::Stop;
use crate::bed::Kind;

/// The bytes of one record with its newline, about.
const RECORD: usize = 450;

/// `floor.sh discard|keep TWIN`: one trial.
pub(crate) const SCRIPT: &str = r#"
set -eu
kind=$1
cd "$2"
files=autoresearch-results/bench
export GIT_LITERAL_PATHSPECS=1 GIT_ADVICE=0 GIT_TERMINAL_PROMPT=0
read -r line <"$files/line"
read -r head <"$files/head"

replace() { # file, bytes
    printf '%s\n' "$2" >"$1.new"
    sync -d "$1.new"
    mv "$1.new" "$1"
    sync "${1%/*}"
}
record() {
    printf '%s\n' "$line" >>"$files/vault/anchor.log"
    sync -d "$files/vault/anchor.log"
    printf '%s\n' "$line" >>"$files/journal.jsonl"
    sync -d "$files/journal.jsonl"
}
status() {
    git status --porcelain=v2 -z --untracked-files=all --no-renames --ignore-submodules=none >"$files/status"
}

status
record
printf 'src/number\0' | git update-index -z --add --remove --replace --stdin
tree=$(git write-tree)
commit=$(printf 'experiment: floor\n\nAutoresearch-Run: bench\n' |
    git commit-tree --no-gpg-sign -p "$head" -F - "$tree")
git update-ref -m 'autoresearch: trial' HEAD "$commit" "$head"
/bin/sh -c 'sh measure.sh' >"$files/verify.out" 2>"$files/verify.err"
status
record
if [ "$kind" = keep ]; then
    replace "$files/lessons.md" "$line"
    printf '%s\n' "$commit" >"$files/head"
else
    status
    git read-tree -m -u "$commit" "$head"
    git update-ref -m 'autoresearch: undo trial' HEAD "$head" "$commit"
    git ls-files -z --modified --deleted -- src/number >"$files/modified"
    record
fi
"#;

/// Prepares the twin: files of a run that never was.
pub(crate) fn make(twin: &Path) -> Result<(), Stop> {
    let files = twin.join(FOLDER).join("bench");
    std::fs::create_dir_all(files.join("vault"))?;
    std::fs::write(twin.join(FOLDER).join(".gitignore"), "*\n")?;
    std::fs::write(files.join("line"), "x".repeat(RECORD) + "\n")?;
    std::fs::write(files.join("journal.jsonl"), "")?;
    let output = Command::new("git")
        .arg("-C")
        .arg(twin)
        .args(["rev-parse", "HEAD"])
        .output()?;
    check(&output)?;
    Ok(std::fs::write(files.join("head"), output.stdout)?)
}

/// The syncs of one trial without anything else: what no program can save on this disk.
pub(crate) fn syncs(twin: &Path, kind: Kind) -> Result<(), Stop> {
    let files = twin.join(FOLDER).join("bench");
    let bytes = vec![b'x'; RECORD];
    let (anchor, journal) = (files.join("vault/anchor.log"), files.join("journal.jsonl"));
    for _ in 0..kind.records() {
        for file in [&anchor, &journal] {
            RealDisk.append_bytes(file, &bytes)?;
            RealDisk.sync_file(file)?;
        }
    }
    if kind == Kind::Keep {
        RealDisk.replace_file(&files.join("lessons.md"), &bytes)?;
    }
    Ok(())
}

/// The shell's way to read and hash a file.
pub(crate) fn sha256sum(file: &Path) -> Result<(), Stop> {
    check(&Command::new("sha256sum").arg(file).output()?)
}

/// Stops at a command that failed.
pub(crate) fn check(output: &Output) -> Result<(), Stop> {
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

/// A failure of the tool, with all that it says.
pub(crate) fn stop(failure: Failure) -> Stop {
    let mut words = vec![failure.error];
    words.extend(failure.causes);
    words.extend(failure.hint);
    words.join(": ").into()
}
