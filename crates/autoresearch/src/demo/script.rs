//! Owns the moves of the scripted proposer.
//! Does not know what comes of them.
//! Invariant: the moves show every kind of row: keep, discard, failed guard, crash, void trial, refine, pivot.

use autoresearch_core::decide::ladder::Strategy;

pub(super) struct ScriptMove {
    /// What is edited first.
    pub edits: Vec<ScriptEdit>,
    /// What the proposer says.
    pub message: &'static str,
    /// What it asks for.
    pub kind: MoveKind,
}

/// What a move asks for.
pub(super) enum MoveKind {
    Trial {
        /// Of a trial whose guard failed?
        rework: bool,
    },
    /// Giving up the trial whose guard failed.
    Drop,
    Strategy(Strategy),
    /// Nothing: the proposer restores what it must not touch.
    Tidy,
}

/// An edit of one file.
pub(super) struct ScriptEdit {
    pub file: &'static str,
    change: TextChange,
}

enum TextChange {
    /// The first words `any`, this many, become another type.
    Narrow(usize, &'static str),
    /// A text becomes another.
    Replace(&'static str, &'static str),
    /// A text is added at the end.
    Append(&'static str),
    Remove,
}

const fn make_narrow_edit(file: &'static str, count: usize, with: &'static str) -> ScriptEdit {
    ScriptEdit {
        file,
        change: TextChange::Narrow(count, with),
    }
}

const fn make_replace_edit(file: &'static str, from: &'static str, to: &'static str) -> ScriptEdit {
    ScriptEdit {
        file,
        change: TextChange::Replace(from, to),
    }
}

impl ScriptEdit {
    /// The file's new text; `None` when it goes.
    pub(super) fn apply_to(&self, before: &str) -> Option<String> {
        match self.change {
            TextChange::Narrow(count, with) => Some(replace_any_words(before, count, with)),
            TextChange::Replace(from, to) => Some(before.replacen(from, to, 1)),
            TextChange::Append(text) => Some(format!("{before}{text}")),
            TextChange::Remove => None,
        }
    }
}

fn replace_any_words(before: &str, count: usize, with: &str) -> String {
    let mut left = count;
    let mut after = String::with_capacity(before.len());
    for piece in before.split_inclusive(|letter: char| !letter.is_alphanumeric()) {
        match piece.strip_prefix("any") {
            Some(rest)
                if left > 0
                    && rest.chars().count() <= 1
                    && !rest.starts_with(char::is_alphanumeric) =>
            {
                after.push_str(with);
                after.push_str(rest);
                left -= 1;
            }
            _ => after.push_str(piece),
        }
    }
    after
}

fn make_trial_move(message: &'static str, edits: Vec<ScriptEdit>) -> ScriptMove {
    ScriptMove {
        edits,
        message,
        kind: MoveKind::Trial { rework: false },
    }
}

const HANDLERS: &str = "src/api/handlers.ts";
const CLIENT: &str = "src/api/client.ts";
const CACHE: &str = "src/store/cache.ts";
const EVENTS: &str = "src/store/events.ts";
const FORMAT: &str = "src/util/format.ts";
const GUARDS: &str = "src/util/guards.ts";

/// All moves, in order.
pub(super) fn list_moves() -> Vec<ScriptMove> {
    [
        list_first_moves(),
        list_dead_end_moves(),
        list_way_out_moves(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The moves on the noisy metric: an edit that does nothing, one that helps, and one that does nothing again.
pub(super) fn list_noisy_moves() -> Vec<ScriptMove> {
    let cost = "src/bench/cost.txt";
    let trial = |edit, message| ScriptMove {
        edits: vec![edit],
        message,
        kind: MoveKind::Trial { rework: false },
    };
    vec![
        trial(
            ScriptEdit {
                file: cost,
                change: TextChange::Append("# inlined\n"),
            },
            "a placebo: inline a function that is called once",
        ),
        trial(
            make_replace_edit(cost, "cost 100", "cost 88"),
            "render the list once and not twice",
        ),
        trial(
            ScriptEdit {
                file: cost,
                change: TextChange::Append("# unrolled\n"),
            },
            "a placebo: unroll a loop of three",
        ),
    ]
}

fn list_first_moves() -> Vec<ScriptMove> {
    vec![
        make_trial_move(
            "type-narrow the API handlers",
            vec![make_narrow_edit(HANDLERS, 6, "unknown")],
        ),
        make_trial_move(
            "collect the shared shapes in one file",
            vec![ScriptEdit {
                file: "src/shapes.ts",
                change: TextChange::Append(
                    "export type Shapes = [any, any, any, any, any, any, any, any];\n",
                ),
            }],
        ),
        make_trial_move(
            "give the formatters real types",
            vec![make_narrow_edit(FORMAT, 3, "string")],
        ),
        make_trial_move(
            "switch off noImplicitAny and drop the annotations",
            vec![
                make_narrow_edit(GUARDS, 4, "unknown"),
                make_replace_edit("tsconfig.json", "true", "false"),
            ],
        ),
        ScriptMove {
            edits: vec![make_replace_edit("tsconfig.json", "false", "true")],
            message: "",
            kind: MoveKind::Tidy,
        },
        make_trial_move(
            "fold index.ts into the handlers",
            vec![ScriptEdit {
                file: "src/index.ts",
                change: TextChange::Remove,
            }],
        ),
        make_trial_move(
            "generic transport",
            vec![
                make_narrow_edit(CLIENT, 5, "Json"),
                make_replace_edit(CLIENT, "export class Client {", "export class Client {{"),
            ],
        ),
        ScriptMove {
            edits: vec![],
            message: "",
            kind: MoveKind::Drop,
        },
        ScriptMove {
            edits: vec![],
            message: "file by file is too coarse; from here on only leaf modules, one type at a time",
            kind: MoveKind::Strategy(Strategy::Refine),
        },
    ]
}

fn list_dead_end_moves() -> Vec<ScriptMove> {
    vec![
        make_trial_move(
            "rename the cache's entry type",
            vec![
                make_replace_edit(CACHE, "type Entry", "type CacheEntry"),
                make_replace_edit(CACHE, "<string, Entry>", "<string, CacheEntry>"),
            ],
        ),
        make_trial_move(
            "overloads for the listeners",
            vec![ScriptEdit {
                file: EVENTS,
                change: TextChange::Append(
                    "\nexport function once(listener: any): any {\n  return listener as any;\n}\n",
                ),
            }],
        ),
    ]
}

fn list_way_out_moves() -> Vec<ScriptMove> {
    vec![
        ScriptMove {
            edits: vec![],
            message: "abandoned: rewriting annotations in place; instead: one Json type, used everywhere",
            kind: MoveKind::Strategy(Strategy::Pivot),
        },
        make_trial_move(
            "a Json type for the client",
            vec![make_narrow_edit(CLIENT, 8, "Json")],
        ),
        make_trial_move(
            "unknown at the store's edges",
            vec![
                make_narrow_edit(CACHE, 9, "unknown"),
                make_replace_edit(CACHE, "entry?.value as", "(entry?.value as"),
            ],
        ),
        ScriptMove {
            edits: vec![make_replace_edit(
                CACHE,
                "(entry?.value as",
                "entry?.value as",
            )],
            message: "the bracket that was left open",
            kind: MoveKind::Trial { rework: true },
        },
        make_trial_move("typed events", vec![make_narrow_edit(EVENTS, 7, "unknown")]),
        make_trial_move(
            "the last handlers, formatters and guards",
            vec![
                make_narrow_edit(HANDLERS, 8, "Json"),
                make_narrow_edit(FORMAT, 2, "string"),
                make_narrow_edit(GUARDS, 4, "unknown"),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests;
