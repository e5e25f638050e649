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

#[cfg(test)]
mod tests {
    use super::*;

    static FOLDER: Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/src/git");

    #[test]
    fn every_file_of_a_folder_is_listed_once_in_the_order_of_the_paths_with_its_bytes() {
        let listed = list_embedded_files(&FOLDER);
        assert!(listed.is_sorted());
        let this = include_bytes!("git/history/repository.rs").as_slice();
        assert!(
            listed.contains(&("history/repository.rs", this)),
            "also from a folder below"
        );
        let names: std::collections::BTreeSet<_> = listed.iter().map(|(path, _)| path).collect();
        assert_eq!(names.len(), listed.len());
        assert!(names.contains(&"commit.rs") && !names.contains(&"history"));
    }
}
