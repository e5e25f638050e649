//! Owns the list of the skill bundle's files, as a constant that the library includes.
//! Does not read what is in them.
//! Invariant: every file below `skill/codex-autoresearch` is in the list; those below `scripts` are executable.

use std::fmt::Write;
use std::path::{Path, PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script in variables where it is"
)]
fn variable(name: &str) -> PathBuf {
    std::env::var_os(name).unwrap_or_default().into()
}

fn files(below: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let root = variable("CARGO_MANIFEST_DIR").join("../../skill/codex-autoresearch");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut found = Vec::new();
    files(&root, &mut found)?;
    found.sort();
    let mut list = String::from("pub(crate) const FILES: &[BundleFile] = &[\n");
    for path in found {
        let name = path
            .strip_prefix(&root)
            .unwrap_or(&path)
            .display()
            .to_string();
        let executable = name.starts_with("scripts/");
        let _ = writeln!(
            list,
            "    BundleFile {{ name: {name:?}, executable: {executable}, bytes: include_bytes!({:?}) }},",
            path.display().to_string()
        );
    }
    list.push_str("];\n");
    std::fs::write(variable("OUT_DIR").join("bundle.rs"), list)
}
