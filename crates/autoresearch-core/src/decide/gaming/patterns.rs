//! Owns the table of what is suspicious: what every language has, and which rows are a language's.
//! Does not say how a row is read; `row` does.
//! Invariant: what nobody runs has no row.

mod python;
mod row;
mod rust;
mod script;

use self::row::Rows;
pub(super) use self::row::{Reach, Rule};
use super::tokens::Language;
use crate::config::SuspectPattern::{
    BringsBuild, EmptiesChecks, ExitsEarly, ForgesOutput, KeepsState, NamesHarness, OpensNetwork,
    PatchesClock, ReadsFrames, RemembersAnswers,
};

/// The rules for a language.
pub(super) fn list_rules(language: Language) -> impl Iterator<Item = Rule> {
    let own: &[Rows] = match language {
        Language::Python => python::ROWS,
        Language::Script => script::ROWS,
        Language::Rust => rust::ROWS,
        Language::Shell => SHELL,
        Language::Hashed | Language::Other => OTHER,
        Language::Data | Language::Prose => &[],
    };
    let code: &[Rows] = match language {
        Language::Data | Language::Prose => &[],
        _ => CODE,
    };
    let everywhere: &[Rows] = match language {
        Language::Prose => &[],
        _ => EVERYWHERE,
    };
    let rows = own.iter().chain(code).chain(everywhere);
    rows.flat_map(|(pattern, reach, lines)| {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|code| Rule {
            pattern: *pattern,
            reach: *reach,
            code,
        })
    })
}

/// Code and data of any kind.
const EVERYWHERE: &[Rows] = &[
    (
        NamesHarness,
        Reach::Library,
        "
        %PYTEST_
        %JEST_WORKER_ID
        %NEXTEST
        %VITEST
        %AUTORESEARCH
        %HYPERFINE_
        %CODSPEED
        %npm_lifecycle_
    ",
    ),
    (
        PatchesClock,
        Reach::Always,
        "
        %LD_PRELOAD
        %DYLD_INSERT_LIBRARIES
        %faketime
        %FAKETIME
        ~libfaketime
    ",
    ),
];

/// Code in any language.
const CODE: &[Rows] = &[
    (
        ForgesOutput,
        Reach::Always,
        "
        \"METRIC
        ^/proc/self/fd
        ^/proc/thread-self/fd
        ^/dev/stdout
        ^/dev/fd/1
        ~\"primary
    ",
    ),
    (
        KeepsState,
        Reach::Library,
        "
        '/tmp
        ^/tmp/
        '/var/tmp
        ^/var/tmp/
        ^/dev/shm
        ^~/.cache
        ~XDG_CACHE_HOME
        ~XDG_STATE_HOME
        ~XDG_RUNTIME_DIR
    ",
    ),
];

const SHELL: &[Rows] = &[
    (
        ExitsEarly,
        Reach::Always,
        "
        kill $PPID
        kill .. $PPID
        kill .. ~$PPID
        kill ~$PPID
    ",
    ),
    (
        NamesHarness,
        Reach::Library,
        "
        ~/proc/$PPID
        / proc / $PPID
    ",
    ),
    (
        KeepsState,
        Reach::Library,
        "
        / tmp /
        / var / tmp
        / dev / shm
    ",
    ),
    (
        ForgesOutput,
        Reach::Always,
        "
        / proc / self / fd
        / proc / $PPID / fd
        echo METRIC
        printf METRIC
    ",
    ),
    (
        OpensNetwork,
        Reach::New,
        "
        curl
        wget
        nc
        / dev / tcp
    ",
    ),
    (
        BringsBuild,
        Reach::New,
        "
        touch -
        make - t
        make - o
    ",
    ),
    (
        EmptiesChecks,
        Reach::New,
        "
        || true
        || :
    ",
    ),
];

const OTHER: &[Rows] = &[
    (
        RemembersAnswers,
        Reach::Library,
        "
        sync . Map
        sync . Once
        static .. Map <
        static .. HashMap
        static .. std :: map
        static .. unordered_map
        $@ ||=
        ThreadLocal
    ",
    ),
    (
        ExitsEarly,
        Reach::New,
        "
        exit ( 0 )
        _exit ( 0 )
        atexit (
        os . Exit ( 0 )
        System . exit ( 0 )
        at_exit
        register_shutdown_function
    ",
    ),
    (
        PatchesClock,
        Reach::Always,
        "
        clock_gettime ( .. {
        gettimeofday ( .. {
    ",
    ),
    (
        ForgesOutput,
        Reach::Always,
        "
        dup2 (
        System . setOut
        os . Stdout =
        $stdout =
    ",
    ),
    (
        ReadsFrames,
        Reach::Always,
        "
        runtime . Caller
        runtime . Callers
        getStackTrace
        caller_locations
        debug_backtrace
    ",
    ),
    (
        EmptiesChecks,
        Reach::Always,
        "
        t . Skip (
        t . Skipf (
        t . SkipNow (
        @@ Disabled
        @@ Ignore
        [ Ignore ]
        [ Ignore (
        Fact ( Skip =
        Theory ( Skip =
        markTestSkipped (
        markTestIncomplete (
        GTEST_SKIP (
        xit
        xdescribe
        xcontext
    ",
    ),
];
