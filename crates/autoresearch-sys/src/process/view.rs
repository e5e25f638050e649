//! Owns the view of a work tree: a job sees it where the user's checkout is, with folders of that checkout beside its files.
//! Does not choose which folders, nor make the tree.
//! Invariant: what a job writes below these folders goes to a folder of ours, and the user's checkout stays as it is.
//!
//! A build folder, an editable installation or a workspace link holds the path of the checkout that made it, so that a
//! plain copy or link in another place measures that checkout and not the tree. Here the tree itself comes to that path,
//! in a mount namespace of the job, and the folders lie over it as overlays: read from the checkout, written elsewhere.
//! The system takes all of it away when the last process of the job has ended.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Below our place for a folder: what jobs wrote in it.
const WRITTEN: &str = "written";

/// A work tree as a job is to see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeView {
    /// The work tree, which holds the files that git tracks.
    pub tree: PathBuf,
    /// The user's checkout, at whose path the job sees the tree.
    pub checkout: PathBuf,
    /// Folders of the checkout that the job sees too, relative to it.
    pub folders: Vec<PathBuf>,
    /// A folder of ours for what the job writes to them, on the tree's file system or another; it stays from job to job.
    pub writes: PathBuf,
}

impl TreeView {
    /// Where the job finds what is at this path of the tree.
    #[must_use]
    pub fn translate_path(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.tree)
            .map_or_else(|_| path.to_owned(), |below| self.checkout.join(below))
    }

    /// Does this path of the checkout lie in one of the folders?
    #[must_use]
    pub fn lists_path(&self, path: &Path) -> bool {
        self.find_folder(path).is_some()
    }

    /// The same, and is that folder there?
    #[must_use]
    pub fn shows_path(&self, path: &Path) -> bool {
        let found = self.find_folder(path);
        found.is_some_and(|(folder, _)| self.checkout.join(folder).is_dir())
    }

    /// What a job wrote at this path of the checkout: all jobs see it there from then on.
    #[must_use]
    pub fn find_written(&self, path: &Path) -> Option<PathBuf> {
        let (folder, inner) = self.find_folder(path)?;
        let written = self.place_of(folder).join(WRITTEN).join(inner);
        written.symlink_metadata().is_ok().then_some(written)
    }

    /// The folder in which a path of the checkout lies, and the path in it.
    fn find_folder<'a>(&'a self, path: &'a Path) -> Option<(&'a Path, &'a Path)> {
        let below = path.strip_prefix(&self.checkout).ok()?;
        self.folders
            .iter()
            .find_map(|folder| Some((&**folder, below.strip_prefix(folder).ok()?)))
    }

    /// Our place for one of the folders.
    fn place_of(&self, folder: &Path) -> PathBuf {
        let name = flatten_name(folder.as_os_str().as_bytes());
        self.writes.join("folders").join(name)
    }

    /// Where the user's git folder can be found while the tree covers it.
    fn git_place(&self) -> PathBuf {
        self.writes.join("git")
    }
}

/// A path as the name of one folder; two paths never give the same.
fn flatten_name(path: &[u8]) -> PathBuf {
    let mut name = Vec::new();
    for byte in path {
        match byte {
            b'/' => name.extend(b"%s"),
            b'%' => name.extend(b"%%"),
            other => name.push(*other),
        }
    }
    PathBuf::from(OsString::from_vec(name))
}

/// Makes this process, and all that it starts, see the view. For a process with one thread, before it starts anything.
pub(super) fn open_view(view: &TreeView) -> io::Result<()> {
    system::open_view(view).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "the work tree could not be shown at {}: {error}",
                view.checkout.display()
            ),
        )
    })
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use crate::process::view::TreeView;

    pub(super) fn open_view(_: &TreeView) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system has no mount namespaces",
        ))
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{self, File};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    use nix::mount::{MsFlags, mount};
    use nix::sched::CloneFlags;
    use rustix::fs::{Mode, OFlags};
    use rustix::process::geteuid;

    use crate::git::is_behind_link;
    use crate::process::namespaces::{bind_path, enter_namespaces};
    use crate::process::view::{TreeView, WRITTEN};
    use crate::regular_files::{NOTE_BYTES, read_file};

    pub(super) fn open_view(view: &TreeView) -> io::Result<()> {
        let is_below = |path: &Path| path.starts_with(&view.checkout);
        if is_below(&view.tree) || is_below(&view.writes) {
            return Err(io::Error::other(
                "our own files would be covered; `trees:` names another place for them",
            ));
        }
        let git_link = move_git_link(view)?;
        let is_root = geteuid().is_root();
        enter_namespaces(CloneFlags::empty())?;
        // Opened in the namespace, whose mounts alone an overlay can use, and before the tree covers them.
        let folders = view.folders.iter().map(|folder| Layer::open(view, folder));
        let folders = folders.collect::<io::Result<Vec<_>>>()?;
        if git_link.is_some() {
            bind_path(&view.checkout.join(".git"), &view.git_place())?;
        }
        bind_path(&view.tree, &view.checkout)?;
        if let Some(link) = git_link {
            bind_path(&link, &view.checkout.join(".git"))?;
        }
        folders.iter().try_for_each(|layer| layer.lay_over(is_root))
    }

    /// The tree's `.git` names a folder inside the checkout's, which the tree is about to cover. Writes the file that is
    /// to be seen in its place; `None` when git keeps its folder elsewhere.
    fn move_git_link(view: &TreeView) -> io::Result<Option<PathBuf>> {
        let text = read_file(&view.tree.join(".git"), NOTE_BYTES)?;
        let named = text.strip_prefix(b"gitdir: ").map(<[u8]>::trim_ascii_end);
        let named =
            named.ok_or_else(|| io::Error::other("the tree has no `.git` file of git's"))?;
        let named = Path::new(std::ffi::OsStr::from_bytes(named));
        let Ok(below) = named.strip_prefix(view.checkout.join(".git")) else {
            return Ok(None);
        };
        let place = view.git_place();
        fs::create_dir_all(&place)?;
        let link = view.writes.join("git-link");
        let mut moved = b"gitdir: ".to_vec();
        moved.extend(place.join(below).into_os_string().into_vec());
        moved.push(b'\n');
        fs::write(&link, moved)?;
        Ok(Some(link))
    }

    /// One folder of the checkout, held open before the tree covers it.
    struct Layer {
        place: PathBuf,
        below: File,
        above: File,
        work: File,
    }

    impl Layer {
        fn open(view: &TreeView, folder: &Path) -> io::Result<Self> {
            let open = |path: &Path| -> io::Result<File> {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let opened = rustix::fs::open(path, flags, Mode::empty());
                opened.map(File::from).map_err(|error| {
                    io::Error::new(
                        io::Error::from(error).kind(),
                        format!("{}: {error}", path.display()),
                    )
                })
            };
            let ours = view.place_of(folder);
            let (above, work) = (ours.join(WRITTEN), ours.join("work"));
            fs::create_dir_all(&above)?;
            fs::create_dir_all(&work)?;
            // Where it will be seen, there has to be something to cover. What a trial left there may lead out of the tree.
            let covered = view.tree.join(folder);
            if is_behind_link(&view.tree, folder) || covered.is_symlink() {
                return Err(io::Error::other(format!(
                    "a symbolic link stands in the way of {} in the tree",
                    folder.display()
                )));
            }
            fs::create_dir_all(covered)?;
            Ok(Self {
                place: view.checkout.join(folder),
                below: open(&view.checkout.join(folder))?,
                above: open(&above)?,
                work: open(&work)?,
            })
        }

        /// The descriptors stand for the paths: the tree covers one of these, and any could hold a comma or a colon.
        fn lay_over(&self, is_root: bool) -> io::Result<()> {
            let name = |file: &File| format!("/proc/self/fd/{}", file.as_raw_fd());
            let attributes = if is_root { "" } else { ",userxattr" };
            let options = format!(
                "lowerdir={},upperdir={},workdir={}{attributes}",
                name(&self.below),
                name(&self.above),
                name(&self.work)
            );
            let kind = Some(Path::new("overlay"));
            let mounted = mount(
                kind,
                &self.place,
                kind,
                MsFlags::empty(),
                Some(options.as_str()),
            );
            mounted.map_err(|error| {
                io::Error::new(
                    io::Error::from(error).kind(),
                    format!("no overlay over {}: {error}", self.place.display()),
                )
            })
        }
    }
}
