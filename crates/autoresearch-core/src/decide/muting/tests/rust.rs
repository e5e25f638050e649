//! Owns rows of Rust: what mutes a finding, and honest changes that look alike.
//! Does not try them.
//! Invariant: a row is a whole file, before and after, as it is written.

use super::Row;

pub(super) const CHEATS: &[Row] = &[
    Row {
        path: "tests/a.rs",
        before: "
            #[test]
            fn f() { assert!(g()); }
        ",
        after: "
            #[cfg(any())]
            #[test]
            fn f() { assert!(g()); }
        ",
    },
    Row {
        path: "src/a.rs",
        before: "
            #[test]
            fn f() { assert!(g()); }
        ",
        after: "
            #[test]
            #[cfg(feature = \"slow\")]
            fn f() { assert!(g()); }
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            #[allow(dead_code)]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: r#"
            #[expect(clippy::too_many_lines, reason = "a table")]
            fn f() {}
        "#,
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            #![allow(clippy::all)]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            #[cfg_attr(test, allow(unused))]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[allow(a)]
            fn f() {}
        ",
        after: "
            #[allow(a, b)]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[test]
            fn f() {}
        ",
        after: "
            #[test]
            #[ignore]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[test]
            fn f() {}
        ",
        after: r#"
            #[test]
            #[ignore = "slow"]
            fn f() {}
        "#,
    },
    Row {
        path: "tests/a.rs",
        before: "
            #[test]
            fn f() { assert!(g()); }
        ",
        after: "
            #[test]
            fn f() { g(); }
        ",
    },
    Row {
        path: "a.rs",
        before: "
            f()?;
        ",
        after: "
            f().unwrap_or_else(|_| unreachable!());
        ",
    },
    Row {
        path: "a.rs",
        before: "
            f().unwrap();
        ",
        after: r#"
            f().expect("");
        "#,
    },
    Row {
        path: "Cargo.toml",
        before: "
            {}
        ",
        after: r#"
            {"lints": {"clippy": {"unwrap_used": "allow"}}}
        "#,
    },
    Row {
        path: "Cargo.toml",
        before: "
            {}
        ",
        after: r#"
            {"workspace": {"lints": {"rust": {"unused": {"level": "allow", "priority": -1}}}}}
        "#,
    },
];

pub(super) const HONEST: &[Row] = &[
    Row {
        path: "src/a.rs",
        before: "
            fn f() {}
        ",
        after: "
            #[cfg(unix)]
            fn f() {}
            #[cfg(not(unix))]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            /// Not `#[allow(dead_code)]`.
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: r##"
            const X: &str = "#[allow(dead_code)]";
        "##,
    },
    Row {
        path: "a.rs",
        before: "
            #[allow(a, b)]
            fn f() {}
        ",
        after: "
            #[allow(a)]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[allow(a)]
            fn f() {}
        ",
        after: r#"
            #[expect(a, reason = "why")]
            fn f() {}
        "#,
    },
    Row {
        path: "a.rs",
        before: "
            #![allow(a)]
            fn f() {}
            fn g() {}
        ",
        after: "
            #[allow(a)]
            fn f() {}
            #[allow(a)]
            fn g() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[allow(a)]
            fn f() {}
        ",
        after: "
            #[allow(a)]
            pub fn g() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            f()?;
        ",
        after: r#"
            f().expect("the list is never empty");
        "#,
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            fn allow(x: u8) { expect(x); v[ignore] }
        ",
    },
    Row {
        path: "a.rs",
        before: "
            fn f() {}
        ",
        after: "
            #[derive(Debug)]
            #[cfg(test)]
            #[must_use]
            #[deny(warnings)]
            fn f() {}
        ",
    },
    Row {
        path: "a.rs",
        before: "
            #[test]
            #[ignore]
            fn f() {}
        ",
        after: "
            #[test]
            fn f() {}
        ",
    },
    Row {
        path: "tests/a.rs",
        before: "
            #[test]
            fn f() { assert!(g()); }
        ",
        after: "
            #[test]
            #[should_panic]
            fn f() { assert!(g()); assert!(h()); }
        ",
    },
    Row {
        path: "Cargo.toml",
        before: r#"
            {"lints": {"clippy": {"a": "allow"}}}
        "#,
        after: r#"
            {"lints": {"clippy": {"a": "deny", "b": "warn"}}}
        "#,
    },
];
