//! Owns the reading of files at paths that others choose: an agent, a repository, whoever can write the folder.
//! Does not know what they mean, and writes nothing.
//! Invariant: nothing but a regular file is read, no pipe or device is waited for, and no more than a limit is in memory.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use autoresearch_core::journal::chain::PieceHasher;
use rustix::fs::OFlags;

/// What is more than a note, a config or a script of a person's.
pub const NOTE_BYTES: u64 = 16 << 20;

/// So much of a file is in memory while it is hashed.
const PIECE: usize = 1 << 16;
/// So much of a file is hashed. A sparse file has any length at no cost, and would keep us reading for days.
const MOST_HASHED: u64 = 64 << 30;

/// What is done with a symbolic link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLinks {
    Follow,
    Refuse,
}

/// Opens a regular file as these options say. Whoever put a pipe in its place would have us wait for ever.
pub fn open_with_options(
    options: &mut OpenOptions,
    path: &Path,
    links: FileLinks,
) -> io::Result<File> {
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if links == FileLinks::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("is not a regular file"))
    }
}

/// Opens a regular file to read it, also through a link.
pub fn open_file(path: &Path) -> io::Result<File> {
    open_with_options(OpenOptions::new().read(true), path, FileLinks::Follow)
}

/// Opens a regular file to read it, but no link to one.
pub fn open_unlinked(path: &Path) -> io::Result<File> {
    open_with_options(OpenOptions::new().read(true), path, FileLinks::Refuse)
}

/// All bytes of a regular file, also through a link; an error where it has more than `most`.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_whole(&open_file(path)?, most)
}

/// The same as a text.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read_file(path, most)?);
    text.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// All bytes of an opened file from where it stands; an error where there are more than `most`.
pub fn read_whole(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_into(file, most, &mut bytes)?;
    Ok(bytes)
}

/// The same into memory that is there already, in place of what it holds.
pub fn read_into(mut file: &File, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = file.metadata()?.len().min(most);
    bytes.clear();
    // A length that no memory has room for is a lie, or the reading will say so.
    let _ = bytes.try_reserve_exact(usize::try_from(length).unwrap_or_default());
    file.by_ref().take(most).read_to_end(bytes)?;
    if bytes.len() as u64 == most && file.read(&mut [0])? > 0 {
        return Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("has more than {most} bytes"),
        ));
    }
    Ok(())
}

/// Adds the bytes of a file, which never are all in memory. Of one that is longer than anybody reads, its length and the
/// times of its last change stand for the rest.
pub fn hash_into(mut file: &File, hasher: &mut PieceHasher) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut rest = MOST_HASHED;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            length => {
                hasher.add_piece(&piece[..length]);
                rest = rest.saturating_sub(length as u64);
            }
        }
        if rest == 0 {
            let meta = file.metadata()?;
            let times = [meta.len().cast_signed(), meta.ctime(), meta.ctime_nsec()];
            for number in times {
                hasher.add_piece(&number.to_le_bytes());
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use autoresearch_core::journal::chain::hash_bytes;

    use super::*;

    /// A folder with a file, and with what stands in the place of one.
    fn make_places() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "12345").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("endless")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            at("pipe"),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .unwrap();
        folder
    }

    #[test]
    fn nothing_but_a_regular_file_is_read_and_a_pipe_is_not_waited_for() {
        let folder = make_places();
        let read = |name: &str| read_file(&folder.path().join(name), NOTE_BYTES);
        assert_eq!(read("file").unwrap(), b"12345");
        assert_eq!(read("link").unwrap(), b"12345");
        for name in ["pipe", "endless", "folder"] {
            let error = read(name).unwrap_err();
            assert_eq!(error.to_string(), "is not a regular file", "{name}");
        }
        assert_eq!(read("nothing").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_link_at_the_end_is_refused_where_that_is_asked_for() {
        let folder = make_places();
        let open = |name: &str, links| {
            let path = folder.path().join(name);
            open_with_options(OpenOptions::new().read(true), &path, links).is_ok()
        };
        assert!(open("file", FileLinks::Refuse) && open("link", FileLinks::Follow));
        assert!(!open("link", FileLinks::Refuse));
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_one_that_is_longer_is_an_error() {
        let folder = make_places();
        let path = folder.path().join("file");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        let error = read_text(&path, 4).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "has more than 4 bytes");
    }

    #[test]
    fn what_is_no_text_is_told_from_what_is_not_there() {
        let folder = make_places();
        let path = folder.path().join("file");
        std::fs::write(&path, b"\xff").unwrap();
        let error = read_text(&path, NOTE_BYTES).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_file_of_many_pieces_is_hashed_as_its_bytes_are() {
        let folder = make_places();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..3 * PIECE + 7)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        std::fs::write(&path, &bytes).unwrap();
        let mut hasher = PieceHasher::default();
        hash_into(&open_file(&path).unwrap(), &mut hasher).unwrap();
        assert_eq!(hasher.into_hash(), hash_bytes(&bytes));
    }
}
