//! Owns what is suspicious in Python.
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
        @ = { }
        @ = [ ]
        @ = dict (
        @ = set ( )
        @ = list ( )
        @ = OrderedDict (
        @ = defaultdict (
        @ = deque (
        @ : .. = { }
        @ : .. = [ ]
        @ .. = weakref .
        @ .. = collections .
    ",
    ),
    (
        RemembersAnswers,
        Library,
        "
        lru_cache
        functools . cache
        functools import .. cache
        joblib . Memory
        global @
    ",
    ),
    (
        NamesHarness,
        Library,
        "
        ~pytest in sys . modules
        ~unittest in sys . modules
        ~timeit in sys . modules
        in sys . argv [ 0 ]
        sys . argv [ 0 ] . endswith
        sys . argv [ 0 ] . startswith
        sys . argv [ 0 ] . find
        sys . argv [ 0 ] ==
        sys . orig_argv
        __main__ . __file__
        ~__main__ ] . __file__
    ",
    ),
    (
        ReadsFrames,
        Always,
        "
        _getframe
        _current_frames
        inspect . stack
        inspect . currentframe
        currentframe (
        inspect . getouterframes
        inspect . trace
        . f_back
        . f_locals
        . f_globals
        traceback . extract_stack
        traceback . walk_stack
        extract_stack (
        gc . get_objects
        gc . get_referrers
        sys . settrace
        sys . setprofile
        import __main__
        sys . modules [ '__main__
        import_module ( '__main__
        __import__ ( '__main__
    ",
    ),
    (
        PatchesClock,
        Always,
        "
        time . time =
        time . sleep =
        time . clock =
        time . monotonic =
        @ . perf_counter =
        @ . perf_counter_ns =
        @ . process_time =
        @ . process_time_ns =
        @ . monotonic_ns =
        @ . thread_time =
        @ . time_ns =
        @ . default_timer =
        datetime . datetime =
        sys . modules [ 'time ] =
        sys . modules [ 'timeit ] =
        sys . modules . update
        clock_settime
        freeze_time (
        setattr ( time ,
        setattr ( timeit ,
        setattr ( datetime ,
        time . __dict__
        vars ( time )
    ",
    ),
    (
        PatchesClock,
        Library,
        "
        patch ( ^time.
        patch ( ^timeit.
        patch . object ( time ,
        patch . object ( timeit ,
    ",
    ),
    (
        PatchesEquality,
        Always,
        "
        def __eq__ ,, : return True
        def __ne__ ,, : return False
        def __lt__ ,, : return True
        def __le__ ,, : return True
        def __ge__ ,, : return True
        def __gt__ ,, : return True
        def __instancecheck__ ,, : return True
        __eq__ = lambda .. : True
        __ne__ = lambda .. : False
        @ . __eq__ =
        builtins . @ =
        setattr ( builtins ,
        __builtins__ [
        __builtins__ . @ =
        @ . assertEqual =
        @ . assertTrue =
        @ . assertAlmostEqual =
        @ . assert_equal =
        @ . assert_allclose =
        @ . assert_array_equal =
        @ . assert_frame_equal =
        math . isclose =
        operator . eq =
        np . allclose =
        np . array_equal =
        numpy . allclose =
        numpy . array_equal =
        np . testing . @ =
        unittest . mock . ANY
        mock . ANY
        import ANY
        . outcome = ^passed
        pytest_runtest_makereport
        pytest_collection_modifyitems
        PYTHONOPTIMIZE
        ~PYTHONOPTIMIZE
    ",
    ),
    (
        ForgesOutput,
        Always,
        "
        sys . stdout =
        sys . __stdout__
        sys . stdout . write =
        sys . displayhook =
        setattr ( sys ,
        os . dup2
        dup2 (
        os . write ( 1 ,
        os . fdopen ( 1
        open ( 1 ,
        io . FileIO ( 1
        def __del__ .. print (
    ",
    ),
    (
        ForgesOutput,
        Library,
        "
        redirect_stdout (
        os . dup (
    ",
    ),
    (
        ExitsEarly,
        Always,
        "
        os . _exit
        import _exit
        atexit . register
        atexit . unregister
        import atexit
        from atexit import
        weakref . finalize
        threading . _register_atexit
        os . getppid
        os . killpg
        os . kill (
        os . abort (
        os . execv
        os . execve
        os . execvp
        os . execl
        os . execlp
        os . fork (
        os . forkpty (
        sys . excepthook =
        sys . unraisablehook =
        sys . exitfunc =
        signal . raise_signal
    ",
    ),
    (
        ExitsEarly,
        New,
        "
        sys . exit ( )
        sys . exit ( 0 )
        !exit ( 0 )
        !exit ( )
        !quit ( )
        raise SystemExit ( )
        raise SystemExit ( 0 )
        raise SystemExit ( None )
    ",
    ),
    (
        KeepsState,
        Library,
        "
        tempfile . gettempdir
        gettempdir (
        Path . home (
        expanduser
        'TMPDIR
        'HOME
        SharedMemory (
        user_cache_dir
        joblib . Memory
        diskcache
    ",
    ),
    (
        KeepsState,
        New,
        "
        shelve . open
        dbm . open
        sqlite3 . connect
        pickle . dump (
        marshal . dump (
        joblib . dump (
        json . dump (
        np . save (
        numpy . save (
        . to_pickle (
        . write_bytes (
        . write_text (
        open ( ,, , 'w
        open ( ,, , 'wb
        open ( ,, , 'wt
        open ( ,, , 'w+
        open ( ,, , 'wb+
        open ( ,, , 'w+b
        open ( ,, , 'a
        open ( ,, , 'ab
        open ( ,, , 'at
        open ( ,, , 'a+
        open ( ,, , 'ab+
        open ( ,, , 'x
        open ( ,, , 'xb
        open ( ,, , 'r+
        open ( ,, , 'r+b
        open ( ,, , 'rb+
        open ( ,, mode = 'w
        open ( ,, mode = 'wb
        open ( ,, mode = 'wt
        open ( ,, mode = 'w+
        open ( ,, mode = 'wb+
        open ( ,, mode = 'w+b
        open ( ,, mode = 'a
        open ( ,, mode = 'ab
        open ( ,, mode = 'at
        open ( ,, mode = 'a+
        open ( ,, mode = 'ab+
        . open ( 'w
        . open ( 'wb
        . open ( 'a
        . open ( 'ab
        os . mkdir (
        os . makedirs (
        os . open (
    ",
    ),
    (
        BehavesByTime,
        Library,
        "
        time . time ( ) > #
        time . time ( ) >= #
        time . time ( ) < #
        time . time ( ) <= #
        # < time . time ( )
        time . time ( ) %
        time . time ( ) ) %
        time . time_ns ( ) %
        time . monotonic ( ) > #
        datetime . now ( ) . hour
        datetime . now ( ) . weekday
        datetime . now ( ) . minute
        datetime . now ( ) . day
        datetime . now ( ) . month
        datetime . now ( ) >
        datetime . now ( ) >=
        datetime . now ( ) <
        datetime . now ( @ ) . hour
        datetime . now ( @ ) . weekday
        datetime . now ( @ ) . minute
        datetime . now ( @ ) . day
        datetime . now ( @ ) . month
        datetime . now ( @ ) >
        datetime . now ( @ ) >=
        datetime . now ( @ ) <
        datetime . now ( timezone . utc ) . hour
        datetime . now ( timezone . utc ) . weekday
        datetime . now ( timezone . utc ) . minute
        datetime . now ( timezone . utc ) . day
        datetime . now ( timezone . utc ) . month
        datetime . now ( timezone . utc ) >
        datetime . now ( timezone . utc ) >=
        datetime . now ( timezone . utc ) <
        datetime . now ( tz = timezone . utc ) . hour
        datetime . now ( tz = timezone . utc ) . weekday
        datetime . now ( tz = timezone . utc ) . minute
        datetime . now ( tz = timezone . utc ) . day
        datetime . now ( tz = timezone . utc ) . month
        datetime . now ( tz = timezone . utc ) >
        datetime . now ( tz = timezone . utc ) >=
        datetime . now ( tz = timezone . utc ) <
        datetime . utcnow ( ) . hour
        datetime . utcnow ( ) >
        datetime . utcnow ( ) >=
        date . today ( ) >
        date . today ( ) >=
        date . today ( ) . weekday
        date . today ( ) . day
        time . localtime ( ) .
        time . gmtime ( ) .
        os . getpid ( ) %
        os . getloadavg (
        psutil . boot_time
        ^/proc/uptime
        ^/proc/loadavg
    ",
    ),
    (
        OpensNetwork,
        New,
        "
        import socket
        from socket import
        import requests
        from requests import
        import httpx
        import aiohttp
        import urllib . request
        from urllib . request import
        from urllib import request
        import http . client
        from http . client import
        import xmlrpc
        urlopen (
        socket . create_connection
    ",
    ),
    (
        HidesCode,
        Always,
        "
        exec ( base64
        exec ( zlib
        exec ( bytes
        exec ( codecs
        exec ( marshal
        exec ( ^import
        exec ( \"import
        eval ( base64
        eval ( bytes
        exec ( compile (
        b64decode ( .. exec (
        getattr ( __import__
        sys . meta_path
        sys . path_hooks
        ctypes . pythonapi
    ",
    ),
    (
        PutsOffWork,
        New,
        "
        cached_property
        lazy_object_proxy
        daemon = True
        call_soon (
        call_later (
    ",
    ),
    (
        BringsBuild,
        New,
        "
        os . utime (
        py_compile
        compileall
        cache_from_source
        PycInvalidationMode
        SourcelessFileLoader
        pycache_prefix
        dont_write_bytecode
        ~__pycache__
        ~.pyc
    ",
    ),
    (
        EmptiesChecks,
        Always,
        "
        pytest . skip (
        mark . skip
        mark . skipif
        mark . xfail
        unittest . skip
        unittest . skipIf
        unittest . skipUnless
        @@ skip (
        @@ skipIf (
        @@ skipUnless (
        unittest . expectedFailure
        skipTest (
        SkipTest
        importorskip
        collect_ignore
        collect_ignore_glob
        except ,, AssertionError
        suppress ( ,, AssertionError
        assert True
        assertTrue ( True
        assertFalse ( False
    ",
    ),
];
