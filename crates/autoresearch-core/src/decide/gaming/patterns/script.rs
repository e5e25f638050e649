//! Owns what is suspicious in JavaScript and TypeScript.
//! Does not say how a row is read; `row` does.
//! Invariant: what honest code does every day stands in no row.

use super::row::Reach::{Always, Library, Module, New};
use super::row::Rows;
use crate::config::SuspectPattern::{
    BehavesByTime, BringsBuild, EmptiesChecks, ExitsEarly, ForgesOutput, HidesCode, KeepsState,
    NamesHarness, OpensNetwork, PatchesClock, PatchesEquality, PutsOffWork, ReadsFrames,
    RemembersAnswers,
};

pub(super) const ROWS: &[Rows] = &[
    (
        RemembersAnswers,
        Module,
        "
        @ = new Map
        @ = new WeakMap
        @ = new Set
        @ = new WeakSet
        @ = { }
        @ = [ ]
        @ : .. = new
        @ : .. = { }
        @ : .. = [ ]
        @ = Object . create ( null )
        let @ ;
        let @ = null
        let @ = undefined
        let @ : .. ;
        var @ ;
        var @ = null
    ",
    ),
    (
        RemembersAnswers,
        Library,
        "
        memoize (
        globalThis . @ =
        globalThis [ .. ] =
    ",
    ),
    (
        NamesHarness,
        Library,
        "
        process . env . NODE_ENV === 'test
        process . env . NODE_ENV == 'test
        process . argv [ 1 ] . includes
        process . argv [ 1 ] . endsWith
        process . argv [ 1 ] . match
        process . argv [ 1 ] ===
        require . main . filename
        process . mainModule
        module . parent . filename
    ",
    ),
    (
        ReadsFrames,
        Always,
        "
        prepareStackTrace
        stackTraceLimit
        Error ( ) . stack
        Error ( .. ) . stack
        Error . stack
        arguments . callee
        . callee . caller
        getCallSites
        callsites (
    ",
    ),
    (
        PatchesClock,
        Always,
        "
        Date . now =
        performance . now =
        process . hrtime =
        process . hrtime . bigint =
        globalThis . performance =
        global . performance =
        globalThis . Date =
        global . Date =
        window . performance =
        defineProperty ( performance
        defineProperty ( Date
        defineProperty ( process
        defineProperty ( globalThis
        defineProperty ( global ,
        Reflect . set ( performance
        Reflect . set ( Date
        Object . assign ( performance
        Object . assign ( Date
        Date . prototype . @ =
        Performance . prototype . @ =
        getPrototypeOf ( performance
    ",
    ),
    (
        PatchesClock,
        Library,
        "
        useFakeTimers (
        ~fake-timers
    ",
    ),
    (
        PatchesEquality,
        Always,
        "
        Object . is =
        assert . @ =
        assert . strict . @ =
        Object . assign ( assert
        Array . prototype . @ =
        Object . prototype . @ =
        String . prototype . @ =
        Number . prototype . @ =
        Map . prototype . @ =
        Set . prototype . @ =
        Function . prototype . @ =
        JSON . stringify =
        JSON . parse =
        Array . isArray =
        Math . abs =
        Number . isFinite =
        defineProperty ( Array . prototype
        defineProperty ( Object . prototype
        Symbol . hasInstance
        require . cache
        Module . _load
        Module . _resolveFilename
        syncBuiltinESMExports
    ",
    ),
    (
        ForgesOutput,
        Always,
        "
        process . stdout . write =
        process . stdout . @ =
        process . stdout . _write
        defineProperty ( process . stdout
        console . log =
        console . info =
        globalThis . console =
        global . console =
        Object . assign ( console
        defineProperty ( console
        writeSync ( 1 ,
        writeFileSync ( 1 ,
        fs . write ( 1 ,
        createWriteStream ( .. fd : 1
    ",
    ),
    (
        ExitsEarly,
        Always,
        "
        process . on ( ^exit
        process . on ( ^beforeExit
        process . once ( ^exit
        process . once ( ^beforeExit
        process . prependListener ( ^exit
        process . reallyExit
        process . kill (
        process . ppid
        process . abort
        process . exit =
        process . binding
        FinalizationRegistry
        unhandledRejection
        uncaughtException
    ",
    ),
    (
        ExitsEarly,
        New,
        "
        process . exit ( )
        process . exit ( 0 )
        exitCode = 0
        import { exit }
    ",
    ),
    (
        KeepsState,
        Library,
        "
        tmpdir (
        homedir (
        process . env . HOME
        process . env . TMPDIR
        process . env . XDG_
        find-cache-dir
        ~find-cache-dir
        ~better-sqlite3
        ^node:sqlite
    ",
    ),
    (
        KeepsState,
        New,
        "
        writeFileSync (
        writeFile (
        appendFileSync (
        appendFile (
        createWriteStream (
        openSync (
        mkdirSync (
        localStorage
    ",
    ),
    (
        BehavesByTime,
        Library,
        "
        Date . now ( ) > #
        Date . now ( ) >= #
        Date . now ( ) < #
        Date . now ( ) %
        Date . now ( ) > Date . parse
        Date . now ( ) > new Date
        new Date ( ) > new Date
        new Date ( ) >= new Date
        new Date ( ) . getHours
        new Date ( ) . getDay
        new Date ( ) . getDate
        new Date ( ) . getMinutes
        new Date ( ) . getSeconds
        performance . now ( ) > #
        process . uptime ( )
        process . pid %
        os . uptime (
        os . loadavg (
        uptime (
        loadavg (
    ",
    ),
    (
        OpensNetwork,
        New,
        "
        await fetch (
        = fetch (
        return fetch (
        > fetch (
        globalThis . fetch (
        !fetch ( ,, ) . then
        'http
        'https
        'net
        'dgram
        'node:http
        'node:https
        'node:net
        'node:dgram
        net . connect
        XMLHttpRequest
        new WebSocket (
        axios
        'undici
    ",
    ),
    (
        HidesCode,
        Always,
        "
        eval ( atob
        eval ( Buffer
        new Function (
        vm . runIn
        runInThisContext
    ",
    ),
    (
        PutsOffWork,
        New,
        "
        new Proxy (
        __defineGetter__ (
        defineProperty ( .. get
        setImmediate (
        queueMicrotask (
        nextTick (
        Promise . resolve ( ) . then (
        new WeakRef (
    ",
    ),
    (
        BringsBuild,
        New,
        "
        utimes (
        utimesSync (
        futimesSync (
        lutimesSync (
        cachedData
        produceCachedData
        enableCompileCache
        ~.tsbuildinfo
        ~node_modules/.cache
    ",
    ),
    (
        EmptiesChecks,
        Always,
        "
        it . skip
        it . only
        it . todo
        it . fails
        test . skip
        test . only
        test . todo
        test . fails
        describe . skip
        describe . only
        describe . todo
        it . skipIf
        test . skipIf
        test . fixme
        suite . skip
        context . skip
        xit (
        xtest (
        xdescribe (
        fit (
        fdescribe (
        expect ( true ) . toBe ( true )
        expect ( true ) . toBeTruthy
        assert ( true
        assert . ok ( true
    ",
    ),
];
