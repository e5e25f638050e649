//! Owns the reading of `git status`: what differs between HEAD, index and work tree.
//! Does not judge whose change it is.
//! Invariant: paths are bytes, exactly as git names them; renames are a deletion and an addition.

use std::ffi::OsStr;

use autoresearch_core::git_names::RepoPath;

use super::error::GitError;
use super::program::{Git, Input, join_nul, split_nul};

/// A path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusEntry {
    /// The path from the repository's root.
    pub path: RepoPath,
    pub kind: StatusKind,
}

/// How a path differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusKind {
    Tracked(TrackedChange),
    /// A file that git does not know.
    Untracked,
    /// A folder that is another repository and that git does not know.
    NestedRepository,
    Unmerged,
    /// A file that git ignores, or a folder whose name it ignores.
    Ignored,
}

/// A tracked file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedChange {
    /// Does the index differ from HEAD?
    pub staged: bool,
    /// Does the work tree differ from the index?
    pub unstaged: bool,
    /// Is it a submodule?
    pub submodule: bool,
    /// Mode and object in HEAD, as `update-index --index-info` takes them; the mode is 000000 where HEAD has none.
    pub head: (String, String),
}

impl Git {
    /// Everything that differs. Ignored files are left out, the insides of untracked folders are listed.
    pub fn read_status(&self) -> Result<Vec<StatusEntry>, GitError> {
        self.run_status(&["--ignored=no"])
    }

    /// The same without submodules. Of one git asks a second git, which follows what the submodule itself names: its filters
    /// are programs that nobody has vouched for.
    pub fn read_own_status(&self) -> Result<Vec<StatusEntry>, GitError> {
        self.run_status(&["--ignored=no", "--ignore-submodules=all"])
    }

    /// The same with what is ignored; of an ignored folder only its name. Costs git no more.
    pub fn read_status_with_ignored(&self) -> Result<Vec<StatusEntry>, GitError> {
        self.run_status(&["--ignored=matching"])
    }

    /// The folders that git ignores as a whole, from the root, without a slash at their end. A check of a config asks this in
    /// repositories that nobody has vouched for: no file is compared, so no filter that the repository names is run.
    pub fn list_ignored_folders(&self) -> Result<Vec<String>, GitError> {
        let arguments = [
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            "--exclude-standard",
            "--directory",
        ];
        let listed = self.run_git(arguments.map(OsStr::new), Input::Nothing)?;
        // A folder is listed also where git ignores no more than every file in it.
        let folders: Vec<Vec<u8>> = split_nul(&listed.stdout)
            .filter(|path| path.ends_with(b"/"))
            .collect();
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        // This command knows no literal paths; behind `./` no name is read as a pattern.
        let input: Vec<Vec<u8>> = folders
            .iter()
            .map(|path| [b"./", &path[..]].concat())
            .collect();
        let literal = [("GIT_LITERAL_PATHSPECS", OsStr::new("0"))];
        let check = ["check-ignore", "-z", "--stdin"].map(OsStr::new);
        let ignored = match self.run_with_env(check, Input::Bytes(&join_nul(&input)), &literal) {
            Err(GitError::Failed { stderr, .. }) if stderr.is_empty() => return Ok(Vec::new()),
            answer => answer?,
        };
        Ok(split_nul(&ignored.stdout)
            .filter_map(|path| String::from_utf8(path).ok())
            .filter_map(|path| Some(path.strip_prefix("./")?.strip_suffix('/')?.to_owned()))
            .collect())
    }

    /// What git ignores, from the root and without a slash at the end: each path with the word whether it is a folder. A
    /// folder is one path where nothing but ignored files is in it; with `every_file` its files are listed instead. No
    /// file is compared here either.
    pub fn list_ignored(&self, every_file: bool) -> Result<Vec<(RepoPath, bool)>, GitError> {
        let arguments = [
            "ls-files",
            "-z",
            "--others",
            "--ignored",
            "--exclude-standard",
        ];
        let folders = (!every_file).then_some("--directory");
        let listed = self.run_git(
            arguments.into_iter().chain(folders).map(OsStr::new),
            Input::Nothing,
        )?;
        let told = split_nul(&listed.stdout).map(|path| match path.strip_suffix(b"/") {
            Some(folder) => (RepoPath::new(folder), true),
            None => (RepoPath::new(path), false),
        });
        let mut kept: Vec<(RepoPath, bool)> = Vec::new();
        // Of a folder in which a pattern ignores each file, git lists the files too, right behind it.
        for (path, is_folder) in told {
            let inside = |(above, is_folder): &(RepoPath, bool)| {
                *is_folder
                    && path
                        .as_bytes()
                        .strip_prefix(above.as_bytes())
                        .is_some_and(|rest| rest.starts_with(b"/"))
            };
            if !kept.last().is_some_and(inside) {
                kept.push((path, is_folder));
            }
        }
        Ok(kept)
    }

    // A submodule is shown as the user's settings have it; a trial that changes these settings is void.
    fn run_status(&self, more: &[&str]) -> Result<Vec<StatusEntry>, GitError> {
        let usual = [
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--no-renames",
        ];
        let arguments = [&usual, more].concat();
        let output = self.run_git(arguments.iter().map(OsStr::new), Input::Nothing)?;
        let entries = output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|line| !line.is_empty() && line[0] != b'#');
        entries
            .map(|line| {
                parse_entry(line).ok_or_else(|| GitError::Unexpected {
                    arguments: arguments.join(" "),
                    answer: String::from_utf8_lossy(line).into_owned(),
                })
            })
            .collect()
    }
}

fn parse_entry(line: &[u8]) -> Option<StatusEntry> {
    let (fields, kind) = match line[0] {
        b'1' => (9, None),
        b'u' => (11, Some(StatusKind::Unmerged)),
        b'?' if line.ends_with(b"/") => (2, Some(StatusKind::NestedRepository)),
        b'?' => (2, Some(StatusKind::Untracked)),
        b'!' => (2, Some(StatusKind::Ignored)),
        _ => return None,
    };
    let parts: Vec<&[u8]> = line.splitn(fields, |byte| *byte == b' ').collect();
    let path = RepoPath::new(*parts.get(fields - 1)?);
    let text = |at: usize| String::from_utf8_lossy(parts[at]).into_owned();
    let kind = kind.unwrap_or_else(|| {
        let letter = |at: usize| parts[1].get(at).copied().unwrap_or(b'.');
        StatusKind::Tracked(TrackedChange {
            staged: letter(0) != b'.',
            unstaged: letter(1) != b'.',
            submodule: parts[2].first() == Some(&b'S'),
            head: (text(3), text(6)),
        })
    });
    Some(StatusEntry { path, kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::scratch::ScratchRepository;

    #[test]
    fn what_git_ignores_is_listed_by_folders_or_by_files() {
        let repository = ScratchRepository::with_files(&["src/a", ".gitignore"]);
        repository.write(".gitignore", "out/\n*.log\n");
        for name in ["out/deep/x", "out/y", "src/z.log", "logs/w.log", "new"] {
            repository.write(name, "");
        }
        let show = |every_file: bool| {
            let listed = repository.git.list_ignored(every_file).unwrap();
            let lines = listed.into_iter().map(|(path, is_folder)| {
                let mark = if is_folder { "/" } else { "" };
                format!("{}{mark}", path.as_str().unwrap())
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(show(false), ["logs/", "out/", "src/z.log"]);
        assert_eq!(
            show(true),
            ["logs/w.log", "out/deep/x", "out/y", "src/z.log"]
        );
    }

    #[test]
    fn lines_of_every_kind_are_read() {
        let hash = "0123456789012345678901234567890123456789";
        let entry =
            parse_entry(format!("1 .M N... 100644 100644 100755 {hash} {hash} a b\nc").as_bytes())
                .unwrap();
        assert_eq!(entry.path.as_bytes(), b"a b\nc");
        let StatusKind::Tracked(tracked) = entry.kind else {
            panic!()
        };
        assert!(!tracked.staged && tracked.unstaged && !tracked.submodule);
        assert_eq!(tracked.head, ("100644".to_owned(), hash.to_owned()));
        assert_eq!(
            parse_entry(b"? new file").unwrap().kind,
            StatusKind::Untracked
        );
        assert_eq!(
            parse_entry(b"? nested/").unwrap().kind,
            StatusKind::NestedRepository
        );
        assert_eq!(
            parse_entry(format!("u UU N... 1 2 3 4 {hash} {hash} {hash} x").as_bytes())
                .unwrap()
                .kind,
            StatusKind::Unmerged
        );
        assert_eq!(parse_entry(b"! target/").unwrap().kind, StatusKind::Ignored);
        assert_eq!(parse_entry(b"x"), None);
    }

    #[test]
    fn the_two_letters_say_what_is_staged_and_a_submodule_is_told_from_a_file() {
        let hash = "0123456789012345678901234567890123456789";
        for (letters, submodule, expected) in [
            ("M.", "N...", (true, false, false)),
            (".D", "N...", (false, true, false)),
            ("AM", "N...", (true, true, false)),
            (".M", "S.M.", (false, true, true)),
        ] {
            let line = format!("1 {letters} {submodule} 000000 100644 100644 {hash} {hash} a");
            let StatusKind::Tracked(change) = parse_entry(line.as_bytes()).unwrap().kind else {
                panic!("{line}")
            };
            let found = (change.staged, change.unstaged, change.submodule);
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_ends_too_early_is_no_entry_and_a_path_may_be_any_bytes() {
        for line in [&b"1 .M N... 100644"[..], b"u UU N... 1 2", b"?", b"2 R. x"] {
            assert_eq!(parse_entry(line), None);
        }
        let odd = parse_entry(b"? a\xff b").unwrap();
        assert_eq!(odd.path.as_bytes(), b"a\xff b");
    }
}
