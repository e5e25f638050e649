//! Owns how two commits differ, as git tells it: the lines of each file, and the whole text.
//! Does not decide which of the two is older.
//! Invariant: no pager, no colour, and no program that the repository or the user's settings name for differences.

use std::ffi::OsStr;

use autoresearch_core::git_names::{CommitId, RepoPath};

use super::error::GitError;
use super::program::{Git, Input, split_nul};

/// By how many lines a file differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDifference {
    pub path: RepoPath,
    /// Lines added and removed; none of a file that is not text.
    pub lines: Option<(usize, usize)>,
}

impl Git {
    /// The files in which two commits differ.
    pub fn list_differences(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<Vec<FileDifference>, GitError> {
        let what = ["-r", "-z", "--no-renames", "--numstat"];
        let printed = self.compare_trees(&what, from, to)?;
        Ok(split_nul(&printed)
            .map(|item| parse_numbers(&item))
            .collect())
    }

    /// The difference of two commits as a patch.
    pub fn read_difference(&self, from: &CommitId, to: &CommitId) -> Result<Vec<u8>, GitError> {
        self.compare_trees(&["-r", "-p", "--find-renames"], from, to)
    }

    /// The difference of two commits at one path, with the whole file around it.
    pub(super) fn read_whole_difference(
        &self,
        from: &CommitId,
        to: &CommitId,
        path: &RepoPath,
    ) -> Result<Vec<u8>, GitError> {
        let what = ["-r", "-p", "--text", "--no-renames", "-U100000000"];
        let sealed = ["--no-ext-diff", "--no-textconv", "--no-color"];
        let words = [
            &["diff-tree"],
            &what[..],
            &sealed,
            &[from.as_str(), to.as_str(), "--"],
        ]
        .concat();
        let arguments = words.into_iter().map(OsStr::new).chain([path.as_os_str()]);
        Ok(self.run_git(arguments, Input::Nothing)?.stdout)
    }

    fn compare_trees(
        &self,
        what: &[&str],
        from: &CommitId,
        to: &CommitId,
    ) -> Result<Vec<u8>, GitError> {
        let sealed = [
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--submodule=short",
        ];
        let arguments = [&["diff-tree"], what, &sealed, &[from.as_str(), to.as_str()]].concat();
        let output = self.run_git(arguments.into_iter().map(OsStr::new), Input::Nothing)?;
        Ok(output.stdout)
    }
}

/// Reads `<added>\t<removed>\t<path>`; a file that is not text has dashes for its numbers.
fn parse_numbers(item: &[u8]) -> FileDifference {
    let mut parts = item.splitn(3, |byte| *byte == b'\t');
    let mut number = || {
        let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
        text.parse::<usize>().ok()
    };
    let lines = number().zip(number());
    FileDifference {
        path: RepoPath::new(parts.next().unwrap_or_default()),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::scratch::ScratchRepository;

    #[test]
    fn numbers_are_read_of_any_name_and_a_binary_file_has_none() {
        let parse = |item: &[u8]| {
            let found = parse_numbers(item);
            (found.path, found.lines)
        };
        assert_eq!(
            parse(b"3\t1\tsrc/a b"),
            (RepoPath::new(b"src/a b"), Some((3, 1)))
        );
        assert_eq!(
            parse(b"0\t2\ta\tb\n\xff"),
            (RepoPath::new(b"a\tb\n\xff"), Some((0, 2)))
        );
        assert_eq!(
            parse(b"-\t-\tpicture.png"),
            (RepoPath::new(b"picture.png"), None)
        );
    }

    #[test]
    fn no_program_of_the_repository_or_of_the_settings_sees_a_difference() {
        let repository = ScratchRepository::with_files(&["a"]);
        let git = &repository.git;
        let touch = format!("touch {}", repository.beside("was-run").display());
        repository.run(&["config", "diff.external", &touch]);
        repository.run(&["config", "diff.evil.textconv", &touch]);
        repository.run(&["config", "diff.evil.command", &touch]);
        repository.run(&["config", "color.ui", "always"]);
        repository.run(&["config", "core.pager", &touch]);
        repository.write(".gitattributes", "* diff=evil\n");
        repository.run(&["add", ".gitattributes"]);
        let first = repository.commit("first");
        repository.write("a", "new\n");
        repository.run(&["add", "a"]);
        let second = repository.commit("second");
        let text = String::from_utf8(git.read_difference(&first, &second).unwrap()).unwrap();
        assert!(
            text.ends_with("+new\n") && !text.contains('\u{1b}'),
            "{text}"
        );
        let files = git.list_differences(&first, &second).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(
            (
                files[0].path.as_bytes(),
                files[0].lines.map(|lines| lines.0)
            ),
            (&b"a"[..], Some(1))
        );
        assert!(!repository.beside("was-run").exists());
    }
}
