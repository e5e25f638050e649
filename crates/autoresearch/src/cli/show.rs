//! Owns how a trial that is shown again reaches a terminal or a program: its story, its figures, its patch, its outputs.
//! Does not look at the run.
//! Invariant: what somebody else wrote cannot move the cursor of a terminal, and a pipe gets a patch byte for byte.

use std::process::ExitCode;

use autoresearch_core::metric::screen::draw_lines;
use autoresearch_core::words::text::escape_line;

use super::print::{Printer, are_colours_wanted, read_terminal_width};
use crate::look::show::{ShownName, ShownOutput, ShownPart, TrialView, read_trial};
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// How many lines of each output are shown.
const LINES: usize = 40;

/// What is asked for.
#[derive(clap::Args, Debug)]
pub(super) struct ShowWords {
    /// The number of the trial, as the log has it; 0 is the baseline, 5b a worker of a batch
    #[arg(value_name = "N")]
    pub trial: ShownName,
    /// Show what it changed, as a patch
    #[arg(long, conflicts_with_all = ["stat", "output"])]
    pub diff: bool,
    /// Show the files that it changed, with the number of lines
    #[arg(long, conflicts_with = "output")]
    pub stat: bool,
    /// Show the end of what verify and the guard printed
    #[arg(long)]
    pub output: bool,
}

pub(super) fn show_trial(
    world: &World,
    place: &Place,
    printer: &Printer,
    words: &ShowWords,
) -> Result<ExitCode> {
    let part = match (words.diff, words.stat, words.output) {
        (true, ..) => ShownPart::Patch,
        (_, true, _) => ShownPart::Figures,
        (.., true) => ShownPart::Outputs,
        _ => ShownPart::Story,
    };
    let view = read_trial(world, place, words.trial, part)?;
    match part {
        ShownPart::Figures if !printer.json => printer.print_text(&format_figures(&view)),
        ShownPart::Outputs if !printer.json => {
            let outputs = view.outputs.unwrap_or_default();
            let texts: Vec<String> = outputs.iter().map(format_output).collect();
            printer.print_text(&texts.join("\n"))
        }
        ShownPart::Patch if !printer.json => {
            if read_terminal_width().is_none() {
                return printer.print_bytes(&view.patch);
            }
            let patch = view.diff.unwrap_or_default();
            printer.print_text(&format_patch(&patch, are_colours_wanted(world)))
        }
        _ => printer.print_report(&view),
    }
}

fn format_figures(view: &TrialView) -> String {
    let lines: Vec<String> = view.files.iter().map(|file| format!("{file}\n")).collect();
    format!("{}{}\n", lines.concat(), view.format_sum())
}

/// The last lines of an output as a terminal would show them.
fn format_output(output: &ShownOutput) -> String {
    let lines: Vec<String> = draw_lines(&output.tail)
        .map(|line| escape_line(&line.text))
        .collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let cut = last.len() < lines.len() || (output.tail.len() as u64) < output.bytes;
    let what = if cut {
        format!(": the end of {} bytes", output.bytes)
    } else {
        String::new()
    };
    format!("== {}{what}\n{}\n", output.name, last.join("\n"))
}

/// A patch for a terminal.
fn format_patch(patch: &str, coloured: bool) -> String {
    let mut in_hunk = false;
    let lines = patch.lines().map(|line| {
        if line.starts_with("diff --git ") {
            in_hunk = false;
        } else if line.starts_with("@@") {
            in_hunk = true;
        }
        let plain = escape_line(line);
        let colour = match line.as_bytes().first() {
            _ if !coloured => None,
            Some(b'@') => Some("36"),
            Some(b'+') if in_hunk => Some("32"),
            Some(b'-') if in_hunk => Some("31"),
            _ if !in_hunk => Some("1"),
            _ => None,
        };
        match colour {
            Some(colour) => format!("\u{1b}[{colour}m{plain}\u{1b}[m\n"),
            None => plain + "\n",
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-old \u{1b}[2J\n+new\n same\n\\ No newline at end of file\ndiff --git a/b b/b\nBinary files a/b and b/b differ\n";

    #[test]
    fn a_patch_has_the_colours_that_git_gives_it_and_none_of_its_own() {
        let shown = format_patch(PATCH, true).replace('\u{1b}', "ESC");
        insta::assert_snapshot!(shown, @r"
        ESC[1mdiff --git a/a b/aESC[m
        ESC[1m--- a/aESC[m
        ESC[1m+++ b/aESC[m
        ESC[36m@@ -1 +1 @@ESC[m
        ESC[31m-old \u{1b}[2JESC[m
        ESC[32m+newESC[m
         same
        \ No newline at end of file
        ESC[1mdiff --git a/b b/bESC[m
        ESC[1mBinary files a/b and b/b differESC[m
        ");
        assert!(!format_patch(PATCH, false).contains('\u{1b}'));
    }

    #[test]
    fn the_end_of_an_output_is_what_a_terminal_would_show_and_says_that_it_is_the_end() {
        let output = |text: &str, bytes: u64| ShownOutput {
            name: "verify-1.out".to_owned(),
            bytes,
            tail: text.to_owned(),
        };
        let whole = output("\u{1b}[32m10%\rdone\u{1b}[0m\n", 17);
        assert_eq!(format_output(&whole), "== verify-1.out\ndone\n");
        let many: Vec<String> = (0..100).map(|number| format!("{number}\n")).collect();
        let many = many.concat();
        let shown = format_output(&output(&many, many.len() as u64));
        assert!(
            shown.starts_with("== verify-1.out: the end of 290 bytes\n60\n"),
            "{shown}"
        );
        assert!(format_output(&output("end\n", 9_000)).contains("the end of 9000 bytes"));
    }
}
