//! Owns the lines in which two commits differ, each file with its whole text.
//! Does not judge them.
//! Invariant: every file is text, whatever its attributes or its bytes say, and nothing outside the two commits has a say.

use autoresearch_core::decide::gaming::ChangedFile;
use autoresearch_core::git_names::{CommitId, RepoPath};
use git2::{DiffOptions, ObjectType, Oid, Patch};

use super::repository::{History, HistoryError};

/// So many lines around a change that one part holds the whole file.
const WHOLE: u32 = 100_000_000;

impl History {
    /// The files that `to` changes since `from`, in the order of their names. A file that was moved is a new one.
    pub fn read_changed_files(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<Vec<ChangedFile>, HistoryError> {
        if let Some(git) = self.asked_git() {
            let mut files = Vec::new();
            for path in git.ask_changed_paths(from, to)? {
                let mut file = FileLines::of_path(&path);
                file.is_old = git.ask_mode(from, &path)?.is_some();
                file.read_patch(&git.read_whole_difference(from, to, &path)?);
                files.push(file.into_changed());
            }
            return Ok(files);
        }
        let paths = self.changed_paths(from, to)?;
        let files = paths.iter().map(|path| self.read_lines(from, to, path));
        let files = files.collect::<Result<Vec<_>, _>>();
        let files = files.map_err(|source| HistoryError::Read {
            what: format!("the difference of {from} and {to}"),
            source,
        })?;
        Ok(files.into_iter().map(FileLines::into_changed).collect())
    }

    /// Compares the bytes of one file. A difference that libgit2 makes of two trees is one of every folder, and it reads the
    /// user's whole index for attributes that have no say here.
    fn read_lines(
        &self,
        from: &CommitId,
        to: &CommitId,
        path: &RepoPath,
    ) -> Result<FileLines, git2::Error> {
        let (before, after) = (self.read_bytes(from, path)?, self.read_bytes(to, path)?);
        let mut file = FileLines::of_path(path);
        file.is_old = before.is_some();
        let mut options = DiffOptions::new();
        options.force_text(true).context_lines(WHOLE);
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let mut compared = Patch::from_buffers(&before, None, &after, None, Some(&mut options))?;
        compared.print(&mut |_, _, line| {
            file.take_line(line.origin(), line.content());
            true
        })?;
        Ok(file)
    }

    /// The bytes of a file or a link in a commit, and the words for a submodule that git shows; `None` where neither is.
    fn read_bytes(
        &self,
        commit: &CommitId,
        path: &RepoPath,
    ) -> Result<Option<Vec<u8>>, git2::Error> {
        let commit = Oid::from_str(commit.as_str())?;
        let tree = self.repository.find_commit(commit)?.tree()?;
        let Ok(entry) = tree.get_path(path.as_path()) else {
            return Ok(None);
        };
        Ok(match entry.kind() {
            Some(ObjectType::Blob) => {
                let blob = self.repository.find_blob(entry.id())?;
                Some(blob.content().to_vec())
            }
            Some(ObjectType::Commit) => {
                Some(format!("Subproject commit {}\n", entry.id()).into_bytes())
            }
            _ => None,
        })
    }
}

/// A file whose difference is read line by line.
struct FileLines {
    is_old: bool,
    before: Vec<u8>,
    after: Vec<u8>,
    changed: ChangedFile,
    /// The number of the last line of what it is now.
    line: u32,
}

impl FileLines {
    fn of_path(path: &RepoPath) -> Self {
        Self {
            is_old: false,
            before: Vec::new(),
            after: Vec::new(),
            changed: ChangedFile::at_path(path),
            line: 0,
        }
    }

    fn take_line(&mut self, origin: char, content: &[u8]) {
        match origin {
            ' ' => {
                self.line += 1;
                self.before.extend_from_slice(content);
                self.after.extend_from_slice(content);
            }
            '+' => {
                self.line += 1;
                self.changed.added.insert(self.line);
                self.after.extend_from_slice(content);
            }
            '-' => {
                let text = String::from_utf8_lossy(content);
                self.changed.removed.push(text.trim_end().to_owned());
                self.before.extend_from_slice(content);
            }
            _ => {}
        }
    }

    /// Reads the patch of this file as git prints it.
    fn read_patch(&mut self, patch: &[u8]) {
        let lines = patch.split_inclusive(|byte| *byte == b'\n');
        let hunk = lines.skip_while(|line| !line.starts_with(b"@@"));
        let mut last = ' ';
        for line in hunk {
            let Some((origin, content)) = line.split_first() else {
                continue;
            };
            let origin = char::from(*origin);
            if origin == '\\' {
                // The line before has no end.
                self.open_last_line(last);
            }
            self.take_line(origin, content);
            last = origin;
        }
    }

    fn open_last_line(&mut self, origin: char) {
        if origin != '-' {
            self.after.pop();
        }
        if origin != '+' {
            self.before.pop();
        }
    }

    fn into_changed(self) -> ChangedFile {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ChangedFile {
            before: self.is_old.then(|| text(&self.before)),
            after: text(&self.after),
            ..self.changed
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::git::scratch::ScratchRepository;

    /// A repository with two commits, and what the second changed, read by libgit2 and by the git program.
    fn read_both_ways() -> [Vec<ChangedFile>; 2] {
        let repository =
            ScratchRepository::with_files(&["kept", "edited", "gone", "runs", "deep/er/same"]);
        repository.write(".gitattributes", "*.py binary\n");
        repository.write("edited", "one\ntwo\nthree\n");
        repository.write("sub/a b.py", "x = 1\ny = 2");
        repository.run(&["add", "-A"]);
        let first = repository.commit("first");
        repository.write("edited", "one\nzwei\nthree\nfour\n");
        repository.write("sub/a b.py", "x = 1\ny = 2\nz\0 = 3");
        repository.write("new", "-- all\n++ of it\n");
        repository.write("deep/er/new", "deep\n");
        repository.run(&["rm", "-q", "gone"]);
        std::os::unix::fs::symlink("kept", repository.root().join("link")).unwrap();
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(repository.root().join("runs"), runs).unwrap();
        repository.run(&["add", "-A"]);
        let second = repository.commit("second");
        let history = History::open_folder(repository.root()).unwrap();
        let places = repository.git.read_surroundings().unwrap();
        let asked = History::from_asked_git(repository.git.at_folder(repository.root()), places);
        let asked = asked.unwrap();
        [history, asked].map(|history| history.read_changed_files(&first, &second).unwrap())
    }

    #[test]
    fn every_file_comes_with_its_text_before_and_now_and_the_numbers_of_its_new_lines() {
        let [files, asked] = read_both_ways();
        assert_eq!(files, asked, "libgit2 and the program");
        let shown: Vec<String> = files
            .iter()
            .map(|file| {
                format!(
                    "{}: {:?} -> {:?}, added {:?}, removed {:?}",
                    file.path, file.before, file.after, file.added, file.removed
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
            deep/er/new: None -> "deep\n", added {1}, removed []
            edited: Some("one\ntwo\nthree\n") -> "one\nzwei\nthree\nfour\n", added {2, 4}, removed ["two"]
            gone: Some("gone\n") -> "", added {}, removed ["gone"]
            link: None -> "kept", added {1}, removed []
            new: None -> "-- all\n++ of it\n", added {1, 2}, removed []
            runs: Some("") -> "", added {}, removed []
            sub/a b.py: Some("x = 1\ny = 2") -> "x = 1\ny = 2\nz\0 = 3", added {2, 3}, removed ["y = 2"]
            "#);
    }
}
