//! Owns the search for work that is put off: done only when somebody compares, shows or counts with the answer.
//! Does not say that it is a cheat; honest objects are lazy too.
//! Invariant: what a file put off before, by the same name, is not told again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::functions::{Code, Function};
use super::tokens::{Language, Token};

/// A method that is followed through so many others of the file.
const MOST_FOLLOWED: usize = 100;
/// And no further after so many tokens.
const MOST_TOKENS: usize = 20_000;

/// What runs when an answer is compared or counted with: honest ones have little to do.
const ASKED: &str = "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __index__ __int__ __float__ __complex__ __bool__ __format__ \
    __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __floordiv__ __rfloordiv__ __mod__ __rmod__ \
    __neg__ __abs__ __round__ __trunc__ __pow__ __array__ valueOf toPrimitive PartialEq PartialOrd Ord Deref DerefMut Add \
    Sub Mul Div Rem Neg Not AsRef Borrow";
/// What runs when it is shown, walked through or dropped: honest ones walk once through what they hold.
const SHOWN: &str = "__str__ __repr__ __bytes__ __hash__ __len__ __iter__ __next__ __getitem__ __contains__ __getattr__ \
    __getattribute__ __del__ __reduce__ toString toJSON toLocaleString inspect iterator then get Display Debug LowerHex \
    Iterator IntoIterator Index Hash Drop Serialize";
const LOOPS: [&str; 3] = ["for", "while", "loop"];
/// What works through many things without a loop of its own.
const WALKS: &str = "sum map filter reduce sorted iter into_iter fold forEach some every flatMap par_iter sort combinations product";
/// What keeps the first answer of a cell of Rust.
const CELLS: [&str; 5] = [
    "get_or_init",
    "get_or_insert_with",
    "borrow_mut",
    "lock",
    "force",
];

/// The functions of a file, and where each name stands.
struct Functions {
    all: Vec<Function>,
    places: BTreeMap<String, Vec<usize>>,
}

impl Functions {
    fn of_code(code: &Code<'_>) -> Self {
        let all = code.find_functions();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, function) in all.iter().enumerate() {
            places.entry(function.name.clone()).or_default().push(at);
        }
        Self { all, places }
    }

    fn list_named(&self, name: &str) -> impl Iterator<Item = &Function> {
        let places = self.places.get(name).into_iter().flatten();
        places.map(|at| &self.all[*at])
    }

    fn knows(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }
}

/// The lines where the code puts work off, of those that are new. What the file was before is asked only where it counts.
pub(super) fn find_put_off<'b>(
    now: &Code<'_>,
    new: &BTreeSet<u32>,
    before: impl FnOnce() -> Code<'b>,
) -> BTreeSet<u32> {
    let functions = Functions::of_code(now);
    let is_new = |span: &Range<usize>| find_new_line(&now.tokens[span.clone()], new).is_some();
    let mut late = list_late(now, &functions, &is_new);
    let mut promises: Vec<&Function> = functions.all.iter().collect();
    promises.retain(|function| {
        is_new(&(function.head.start..function.body.end))
            && gives_promise(now, &functions, function)
    });
    if late.is_empty() && promises.is_empty() {
        return BTreeSet::new();
    }
    let before = before();
    let old = Functions::of_code(&before);
    let known = list_late(&before, &old, &|_| true);
    late.retain(|(name, _)| !known.iter().any(|(other, _)| other == name));
    promises.retain(|function| {
        let mut same = old.list_named(&function.name);
        old.knows(&function.name) && !same.any(|other| gives_promise(&before, &old, other))
    });
    let given = promises.into_iter();
    let given = given.map(|function| function.head.start..function.body.end);
    let spans = late.into_iter().map(|(_, span)| span).chain(given);
    spans
        .filter_map(|span| find_new_line(&now.tokens[span], new))
        .collect()
}

fn find_new_line(tokens: &[Token], new: &BTreeSet<u32>) -> Option<u32> {
    let mut lines = tokens.iter().flat_map(Token::list_lines);
    lines.find(|line| new.contains(line))
}

/// The special methods that have real work to do, by name.
fn list_late(
    code: &Code<'_>,
    functions: &Functions,
    is_wanted: &dyn Fn(&Range<usize>) -> bool,
) -> Vec<(String, Range<usize>)> {
    let is_late = |(name, span): &(String, Range<usize>)| {
        let is_asked = ASKED.split_whitespace().any(|asked| asked == name);
        is_wanted(span) && {
            let work = measure_work(code, functions, span.clone());
            let much = if is_asked { 1 } else { 2 };
            work.loops >= much || work.keeps || (is_asked && (work.walks || work.calls_stored))
        }
    };
    let special = list_special(code, functions);
    special.into_iter().filter(is_late).collect()
}

/// The special methods with their bodies. Those of Rust go by the name of their trait.
fn list_special(code: &Code<'_>, functions: &Functions) -> Vec<(String, Range<usize>)> {
    let is_special = |name: &str| {
        ASKED
            .split_whitespace()
            .chain(SHOWN.split_whitespace())
            .any(|word| word == name)
    };
    if code.language == Language::Rust {
        let implementations = (0..code.tokens.len()).filter(|at| code.is_word(*at, "impl"));
        return implementations
            .filter_map(|at| {
                let open = code.find_block(at)?;
                let given = (at..open).find(|at| code.is_word(*at, "for"))?;
                let name = (at..given)
                    .map(|at| code.word(at))
                    .find(|word| is_special(word))?;
                Some((name.to_owned(), open..code.close_of(open)? + 1))
            })
            .collect();
    }
    let accessor = |function: &Function| {
        let at = function.head.start;
        at > 0 && code.is_word(at - 1, "get") && code.language == Language::Script
    };
    let named = functions.all.iter().filter_map(|function| {
        let name = if accessor(function) {
            "get"
        } else {
            function.name.as_str()
        };
        is_special(name).then(|| (name.to_owned(), function.body.clone()))
    });
    named.collect()
}

#[derive(Default)]
struct Work {
    loops: usize,
    walks: bool,
    /// It calls what the object was given.
    calls_stored: bool,
    /// It keeps what it found, as only late answers need to.
    keeps: bool,
}

/// What a body does, with the functions of the file that it names.
fn measure_work(code: &Code<'_>, functions: &Functions, body: Range<usize>) -> Work {
    let mut done = Work::default();
    let mut waiting = vec![(body, true)];
    let mut followed: BTreeSet<&str> = BTreeSet::new();
    let mut looked_at = 0;
    while let Some((span, is_own)) = waiting.pop()
        && looked_at < MOST_TOKENS
    {
        looked_at += span.len();
        for at in span {
            if code.tokens[at].is_string() {
                continue;
            }
            let word = code.word(at);
            done.loops += usize::from(LOOPS.contains(&word));
            done.walks |= code.is_word(at + 1, "(") && WALKS.split(' ').any(|walk| walk == word);
            done.keeps |= is_own && is_kept(code, at);
            let member = code.word(at + 2);
            let stored = matches!(word, "self" | "this") && code.is_word(at + 1, ".");
            let is_called = match code.language {
                Language::Rust => code.is_word(at + 3, ")") && code.is_word(at + 4, "("),
                _ => code.is_word(at + 3, "("),
            };
            done.calls_stored |= stored && is_called && !functions.knows(member);
            let is_own_name = at > 0 && matches!(code.word(at - 1), "fn" | "def" | "function");
            let is_fresh = followed.len() < MOST_FOLLOWED && !followed.contains(word);
            let is_fresh = is_fresh && !is_own_name;
            if is_fresh && functions.knows(word) {
                followed.insert(word);
                let named = functions.list_named(word);
                waiting.extend(named.map(|function| (function.body.clone(), false)));
            }
        }
    }
    done
}

/// `self.found = `, `this.#found ??= `, `cell.get_or_init(`
fn is_kept(code: &Code<'_>, at: usize) -> bool {
    if code.language == Language::Rust {
        return CELLS.contains(&code.word(at)) && code.is_word(at + 1, "(");
    }
    if !matches!(code.word(at), "self" | "this") || !code.is_word(at + 1, ".") {
        return false;
    }
    let name = at + 2 + usize::from(code.is_word(at + 2, "#"));
    let sign = name + 1;
    let is_first = matches!(code.word(sign), "??" | "||") && code.is_word(sign + 1, "=");
    code.is_word(sign, "=") || is_first || code.word(name) == "__dict__"
}

/// Does it give something that works when it is asked: a generator, a function, a proxy?
fn gives_promise(code: &Code<'_>, functions: &Functions, function: &Function) -> bool {
    let (head, body) = (function.head.clone(), function.body.clone());
    if code.language == Language::Rust {
        let mut given = head.skip_while(|at| !code.is_word(*at, "->"));
        return given.any(|at| {
            matches!(
                code.word(at),
                "impl" | "dyn" | "Lazy" | "LazyCell" | "LazyLock"
            )
        });
    }
    let start = function.head.start;
    let is_async = (start.saturating_sub(2)..head.end).any(|at| code.is_word(at, "async"));
    let is_local = |name: &str| {
        let mut inner = functions.list_named(name);
        inner.any(|inner| body.contains(&inner.head.start))
    };
    let gives = |at: usize| match (code.word(at), code.word(at + 1)) {
        ("yield", _)
        | ("return", "lambda" | "map" | "filter" | "iter" | "partial" | "function" | "async") => {
            true
        }
        ("return", "functools") => code.is_word(at + 3, "partial"),
        ("return", "new") => matches!(code.word(at + 2), "Proxy" | "Promise" | "WeakRef"),
        ("return", "(") if code.language == Language::Python => holds_walk(code, at + 1),
        ("return", "(") => is_arrow(code, at + 1),
        ("return", name) => {
            is_local(name) && !code.is_word(at + 2, "(") || code.is_word(at + 2, "=>")
        }
        _ => false,
    };
    is_async
        || body
            .clone()
            .any(|at| !code.tokens[at].is_string() && gives(at))
}

/// Is it a generator in brackets: `(f(x) for x in xs)`?
fn holds_walk(code: &Code<'_>, open: usize) -> bool {
    let Some(close) = code.close_of(open) else {
        return false;
    };
    let goes_on = |token: &Token| token.line == code.tokens[close].line;
    if code.tokens.get(close + 1).is_some_and(goes_on) {
        return false;
    }
    let mut at = open + 1;
    while at < close {
        if code.is_word(at, "for") {
            return true;
        }
        at = code.close_of(at).unwrap_or(at) + 1;
    }
    false
}

fn is_arrow(code: &Code<'_>, open: usize) -> bool {
    let close = code.close_of(open);
    close.is_some_and(|close| code.is_word(close + 1, "=>"))
}
