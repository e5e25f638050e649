//! Owns what is suspicious in Rust.
//! Does not say how a row is read; `row` does.
//! Invariant: what honest code does every day stands in no row.

use super::row::Reach::{Always, Library, New};
use super::row::Rows;
use crate::config::SuspectPattern::{
    BehavesByTime, BringsBuild, EmptiesChecks, ExitsEarly, ForgesOutput, HidesCode, KeepsState,
    NamesHarness, OpensNetwork, PatchesClock, PatchesEquality, PutsOffWork, ReadsFrames,
    RemembersAnswers,
};

pub(super) const ROWS: &[Rows] = &[
    (
        RemembersAnswers,
        Library,
        "
        static mut
        static .. Mutex
        static .. RwLock
        static .. OnceLock
        static .. OnceCell
        static .. LazyLock
        static .. %Atomic
        thread_local !
        lazy_static !
    ",
    ),
    (
        NamesHarness,
        Library,
        "
        current_exe (
        cfg ! ( test )
        cfg ! ( bench )
        args ( ) . next ( )
        args_os ( ) . next ( )
        args ( ) . nth ( 0 )
        ^/proc/self/cmdline
        ^/proc/self/exe
    ",
    ),
    (
        ReadsFrames,
        Always,
        "
        Backtrace :: capture
        Backtrace :: force_capture
        backtrace :: trace
        backtrace :: Backtrace
        Location :: caller ( ) . file
        Location :: caller ( ) . line
        ^/proc/self/maps
        ^/proc/self/mem
    ",
    ),
    (
        PatchesClock,
        Always,
        "
        fn clock_gettime
        fn gettimeofday
        fn clock_settime
        ^clock_gettime
        ^gettimeofday
        struct Instant
        struct SystemTime
        type Instant
        as Instant
        mod time {
        macro_rules ! elapsed
    ",
    ),
    (
        PatchesEquality,
        Always,
        "
        fn eq ( ,, ) -> bool { true }
        fn ne ( ,, ) -> bool { false }
        fn partial_cmp ( .. Some ( Ordering :: Equal ) }
        fn cmp ( .. -> Ordering { Ordering :: Equal }
        macro_rules ! assert
        macro_rules ! assert_eq
        macro_rules ! assert_ne
        macro_rules ! debug_assert
        macro_rules ! panic
    ",
    ),
    (
        ForgesOutput,
        Always,
        "
        macro_rules ! println
        macro_rules ! print
        dup2 (
        from_raw_fd ( 1
        fn drop ( .. println !
        fn drop ( .. print !
        fn drop ( .. stdout (
        fn write ( .. c_int
        ^.init_array
        ^.fini_array
        ~init_array
        ~fini_array
    ",
    ),
    (
        ExitsEarly,
        Always,
        "
        fn atexit
        atexit (
        fn _exit
        _exit (
        libc :: exit
        libc :: kill
        fn getppid
        extern .. fn exit (
        extern .. fn kill (
        getppid (
        parent_id (
    ",
    ),
    (
        ExitsEarly,
        New,
        "
        process :: exit ( 0 )
        !exit ( 0 )
        link_section
        CommandExt
        panic :: set_hook
        panic :: take_hook
        ExitCode :: SUCCESS . exit_process
    ",
    ),
    (
        KeepsState,
        Library,
        "
        temp_dir (
        home_dir (
        cache_dir (
        var ( ^HOME
        var_os ( ^HOME
        var ( ^XDG
        var ( ^TMPDIR
        shm_open
    ",
    ),
    (
        KeepsState,
        New,
        "
        fs :: write (
        File :: create (
        File :: create_new (
        File :: options (
        OpenOptions
        create_dir
        create_dir_all
        fs :: rename
    ",
    ),
    (
        BehavesByTime,
        Library,
        "
        UNIX_EPOCH ) ,, > #
        UNIX_EPOCH ) ,, >= #
        UNIX_EPOCH ) ,, % #
        UNIX_EPOCH . elapsed ( ) ,, > #
        UNIX_EPOCH . elapsed ( ) ,, % #
        process :: id ( ) %
        subsec_nanos ( ) %
        ^/proc/uptime
        ^/proc/loadavg
        ^/proc/stat
    ",
    ),
    (
        OpensNetwork,
        New,
        "
        TcpStream
        UdpSocket
        UnixStream
        UnixDatagram
        TcpListener
        reqwest
        ureq
    ",
    ),
    (
        HidesCode,
        Always,
        "
        global_asm !
        dlopen (
        libloading
    ",
    ),
    (
        PutsOffWork,
        New,
        "
        LazyCell
        OnceCell <
        once_cell :: unsync
    ",
    ),
    (
        BringsBuild,
        New,
        "
        set_modified (
        set_times (
        set_file_mtime
        set_file_times
        utimensat
        utime (
        ~rerun-if-changed
    ",
    ),
    (
        EmptiesChecks,
        Always,
        "
        [ ignore ]
        [ ignore =
        [ should_panic
        cfg ( any ( )
        cfg ( FALSE
        assert ! ( true
    ",
    ),
];
