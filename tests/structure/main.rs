//! Prints the structure of Rust workspaces side by side, as a table in Markdown: `cargo run -p autoresearch-tests --bin
//! structure -- FOLDER...`. `tests/measure` adds sizes and times.

mod count;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use count::Structure;

fn main() -> std::io::Result<()> {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let read: Vec<Structure> = folders
        .iter()
        .map(|folder| Structure::read(Path::new(folder)))
        .collect();
    let mut table = String::from("| point |");
    for folder in &folders {
        let _ = write!(table, " {folder} |");
    }
    let _ = write!(table, "\n|---|{}\n", "---|".repeat(folders.len()));
    for (point, describe) in POINTS {
        let _ = write!(table, "| {point} |");
        for structure in &read {
            let _ = write!(table, " {} |", describe(structure));
        }
        table.push('\n');
    }
    std::io::stdout().write_all(table.as_bytes())
}

type Describe = fn(&Structure) -> String;

const POINTS: [(&str, Describe); 7] = [
    ("lines of a function: median, p90, max", |structure| {
        let mut lines: Vec<usize> = structure
            .functions()
            .map(|function| function.lines)
            .collect();
        lines.sort_unstable();
        let at = |part: usize| lines.get(lines.len() * part / 100).copied().unwrap_or(0);
        format!(
            "{}, {}, {}",
            at(50),
            at(90),
            lines.last().copied().unwrap_or(0)
        )
    }),
    ("functions with a name of one word", |structure| {
        let (one_word, all) = structure.count_one_word();
        format!("{} % of {all}", one_word * 100 / all.max(1))
    }),
    ("names that more than one type has", |structure| {
        let (doubles, all) = structure.list_doubles();
        format!("{} of {all}", doubles.len())
    }),
    ("floors", |structure| structure.count_floors().to_string()),
    ("circles of files (files in them)", |structure| {
        let circles = structure.list_circles();
        let files: usize = circles.iter().map(Vec::len).sum();
        format!("{} ({files} of {})", circles.len(), structure.files.len())
    }),
    ("most files in a folder", |structure| {
        structure.count_files_per_folder().to_string()
    }),
    ("lines of test for each line of code", |structure| {
        let hundredths = structure.test_lines * 100 / structure.code_lines.max(1);
        format!(
            "{}.{:02} ({} / {})",
            hundredths / 100,
            hundredths % 100,
            structure.test_lines,
            structure.code_lines
        )
    }),
];
