//! Owns which files are what a build makes: a commit of source has no reason to bring them.
//! Does not read files.
//! Invariant: a picture or another file of data is none.

/// Endings of what compilers write.
const ENDINGS: [&str; 16] = [
    "pyc",
    "pyo",
    "pyd",
    "so",
    "dylib",
    "dll",
    "exe",
    "o",
    "obj",
    "a",
    "rlib",
    "rmeta",
    "class",
    "jar",
    "node",
    "tsbuildinfo",
];
/// What the files of programs begin with.
const MAGICS: [&str; 3] = ["\u{7f}ELF", "MZ", "\0asm"];

/// Is this a program, a library or bytecode, as a build would have made it?
pub(super) fn is_built(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let is_named = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    let is_program = text.contains('\0') && MAGICS.iter().any(|magic| text.starts_with(magic));
    !text.is_empty() && (is_named || is_program)
}
