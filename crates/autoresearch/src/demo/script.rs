//! Owns the moves of the scripted proposer.
//! Does not know what comes of them.
//! Invariant: the moves show every kind of row: keep, discard, failed guard, crash, void trial, refine, pivot.

use autoresearch_core::decide::ladder::Strategy;

/// One move.
pub struct Move {
    /// What is edited first.
    pub edits: Vec<Edit>,
    /// What the proposer says.
    pub message: &'static str,
    /// What it asks for.
    pub kind: Kind,
}

/// What a move asks for.
pub enum Kind {
    /// A trial.
    Trial {
        /// Of a trial whose guard failed?
        rework: bool,
    },
    /// Giving up the trial whose guard failed.
    Drop,
    /// A strategy row.
    Strategy(Strategy),
    /// Nothing: the proposer puts right what it must not have touched.
    Tidy,
}

/// An edit of one file.
pub struct Edit {
    /// The file.
    pub file: &'static str,
    change: Change,
}

enum Change {
    /// The first so many words `any` become another type.
    Narrow(usize, &'static str),
    /// A text becomes another.
    Replace(&'static str, &'static str),
    /// A text is added at the end.
    Append(&'static str),
    /// The file goes.
    Remove,
}

const fn narrow(file: &'static str, count: usize, with: &'static str) -> Edit {
    Edit {
        file,
        change: Change::Narrow(count, with),
    }
}

const fn replace(file: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit {
        file,
        change: Change::Replace(from, to),
    }
}

impl Edit {
    /// The file's new text; `None` when it goes.
    pub fn apply(&self, before: &str) -> Option<String> {
        match self.change {
            Change::Narrow(count, with) => Some(narrow_words(before, count, with)),
            Change::Replace(from, to) => Some(before.replacen(from, to, 1)),
            Change::Append(text) => Some(format!("{before}{text}")),
            Change::Remove => None,
        }
    }
}

fn narrow_words(before: &str, count: usize, with: &str) -> String {
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

fn trial(message: &'static str, edits: Vec<Edit>) -> Move {
    Move {
        edits,
        message,
        kind: Kind::Trial { rework: false },
    }
}

const HANDLERS: &str = "src/api/handlers.ts";
const CLIENT: &str = "src/api/client.ts";
const CACHE: &str = "src/store/cache.ts";
const EVENTS: &str = "src/store/events.ts";
const FORMAT: &str = "src/util/format.ts";
const GUARDS: &str = "src/util/guards.ts";

/// All moves, in order.
pub fn moves() -> Vec<Move> {
    [first_steps(), dead_end(), way_out()]
        .into_iter()
        .flatten()
        .collect()
}

fn first_steps() -> Vec<Move> {
    vec![
        trial(
            "type-narrow the API handlers",
            vec![narrow(HANDLERS, 6, "unknown")],
        ),
        trial(
            "collect the shared shapes in one file",
            vec![Edit {
                file: "src/shapes.ts",
                change: Change::Append(
                    "export type Shapes = [any, any, any, any, any, any, any, any];\n",
                ),
            }],
        ),
        trial(
            "give the formatters real types",
            vec![narrow(FORMAT, 3, "string")],
        ),
        trial(
            "switch off noImplicitAny and drop the annotations",
            vec![
                narrow(GUARDS, 4, "unknown"),
                replace("tsconfig.json", "true", "false"),
            ],
        ),
        Move {
            edits: vec![replace("tsconfig.json", "false", "true")],
            message: "",
            kind: Kind::Tidy,
        },
        trial(
            "fold index.ts into the handlers",
            vec![Edit {
                file: "src/index.ts",
                change: Change::Remove,
            }],
        ),
        trial(
            "generic transport",
            vec![
                narrow(CLIENT, 5, "Json"),
                replace(CLIENT, "export class Client {", "export class Client {{"),
            ],
        ),
        Move {
            edits: vec![],
            message: "",
            kind: Kind::Drop,
        },
        Move {
            edits: vec![],
            message: "file by file is too coarse; from here on only leaf modules, one type at a time",
            kind: Kind::Strategy(Strategy::Refine),
        },
    ]
}

fn dead_end() -> Vec<Move> {
    vec![
        trial(
            "rename the cache's entry type",
            vec![
                replace(CACHE, "type Entry", "type CacheEntry"),
                replace(CACHE, "<string, Entry>", "<string, CacheEntry>"),
            ],
        ),
        trial(
            "overloads for the listeners",
            vec![Edit {
                file: EVENTS,
                change: Change::Append(
                    "\nexport function once(listener: any): any {\n  return listener as any;\n}\n",
                ),
            }],
        ),
    ]
}

fn way_out() -> Vec<Move> {
    vec![
        Move {
            edits: vec![],
            message: "abandoned: rewriting annotations in place; instead: one Json type, used everywhere",
            kind: Kind::Strategy(Strategy::Pivot),
        },
        trial(
            "a Json type for the client",
            vec![narrow(CLIENT, 8, "Json")],
        ),
        trial(
            "unknown at the store's edges",
            vec![
                narrow(CACHE, 9, "unknown"),
                replace(CACHE, "entry?.value as", "(entry?.value as"),
            ],
        ),
        Move {
            edits: vec![replace(CACHE, "(entry?.value as", "entry?.value as")],
            message: "the bracket that was left open",
            kind: Kind::Trial { rework: true },
        },
        trial("typed events", vec![narrow(EVENTS, 7, "unknown")]),
        trial(
            "the last handlers, formatters and guards",
            vec![
                narrow(HANDLERS, 8, "Json"),
                narrow(FORMAT, 2, "string"),
                narrow(GUARDS, 4, "unknown"),
            ],
        ),
    ]
}
