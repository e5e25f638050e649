//! Owns the reading of a folder that is built into the program.
//! Does not know what is in it.
//! Invariant: the order is that of the paths, on every machine that builds.

use include_dir::Dir;

/// All files below a folder with their paths from there, in the order of the paths.
#[must_use]
pub fn list_embedded_files(folder: &'static Dir<'static>) -> Vec<(&'static str, &'static [u8])> {
    let mut found = Vec::new();
    collect_files(folder, &mut found);
    found.sort_unstable();
    found
}

fn collect_files(folder: &'static Dir<'static>, found: &mut Vec<(&'static str, &'static [u8])>) {
    let files = folder.files();
    found.extend(files.filter_map(|file| Some((file.path().to_str()?, file.contents()))));
    for deeper in folder.dirs() {
        collect_files(deeper, found);
    }
}
