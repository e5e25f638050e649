//! Owns rows of other languages, and of coverage: what mutes a finding, and honest changes that look alike.
//! Does not try them.
//! Invariant: a row is a whole file, before and after, as it is written.

use super::Row;

pub(super) const CHEATS: &[Row] = &[
    Row {
        path: "a.go",
        before: "
            f()
        ",
        after: "
            f() //nolint:errcheck // why
        ",
    },
    Row {
        path: "a.go",
        before: "
            f()
        ",
        after: "
            //lint:ignore SA1000 why
            f()
        ",
    },
    Row {
        path: "a_test.go",
        before: "
            func TestA(t *testing.T) {
            }
        ",
        after: r#"
            func TestA(t *testing.T) {
            	t.Skip("later")
            }
        "#,
    },
    Row {
        path: "A.java",
        before: "
            void f() {}
        ",
        after: r#"
            @SuppressWarnings("unchecked")
            void f() {}
        "#,
    },
    Row {
        path: "A.java",
        before: "
            f();
        ",
        after: "
            f(); // NOSONAR
        ",
    },
    Row {
        path: "A.java",
        before: "
            @Test
            void f() {}
        ",
        after: "
            @Disabled
            @Test
            void f() {}
        ",
    },
    Row {
        path: "A.kt",
        before: "
            fun f() {}
        ",
        after: r#"
            @Suppress("UNUSED")
            fun f() {}
        "#,
    },
    Row {
        path: "A.cs",
        before: "
            F();
        ",
        after: "
            #pragma warning disable CS0168
            F();
        ",
    },
    Row {
        path: "A.cs",
        before: "
            F();
        ",
        after: r#"
            [SuppressMessage("a", "b")]
            F();
        "#,
    },
    Row {
        path: "A.cs",
        before: "
            [Fact]
            void F() {}
        ",
        after: r#"
            [Fact(Skip = "later")]
            void F() {}
        "#,
    },
    Row {
        path: "a.rb",
        before: "
            f
        ",
        after: "
            f # rubocop:disable Style/X
        ",
    },
    Row {
        path: "a_spec.rb",
        before: "
            it 'a' do
            end
        ",
        after: "
            xit 'a' do
            end
        ",
    },
    Row {
        path: "a.php",
        before: "
            f();
        ",
        after: "
            /** @phpstan-ignore-next-line */
            f();
        ",
    },
    Row {
        path: "a.php",
        before: "
            f();
        ",
        after: "
            /**
             * @psalm-suppress MixedCall
             */
            f();
        ",
    },
    Row {
        path: "a.sh",
        before: "
            f $x
        ",
        after: "
            # shellcheck disable=SC2086
            f $x
        ",
    },
    Row {
        path: "a.cpp",
        before: "
            f();
        ",
        after: "
            f(); // NOLINT(bugprone-x)
        ",
    },
    Row {
        path: "a.cpp",
        before: "
            f();
        ",
        after: r#"
            #pragma GCC diagnostic ignored "-Wunused"
            f();
        "#,
    },
    Row {
        path: "a.swift",
        before: "
            f()
        ",
        after: "
            f() // swiftlint:disable:this force_cast
        ",
    },
    Row {
        path: "a.dart",
        before: "
            f();
        ",
        after: "
            // ignore: avoid_print
            f();
        ",
    },
    Row {
        path: "Dockerfile",
        before: "
            RUN x
        ",
        after: "
            # hadolint ignore=DL3008
            RUN x
        ",
    },
    Row {
        path: "a.py",
        before: "
            def f():
        ",
        after: "
            def f():  # pragma: no cover
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f();
        ",
        after: "
            /* istanbul ignore next */
            f();
        ",
    },
    Row {
        path: "a.js",
        before: "
            f();
        ",
        after: "
            /* c8 ignore start */
            f();
        ",
    },
];

pub(super) const HONEST: &[Row] = &[
    Row {
        path: "a.go",
        before: "
            f()
        ",
        after: "
            // The nolint rule is not used here.
            f()
        ",
    },
    Row {
        path: "A.java",
        before: "
            f();
        ",
        after: r#"
            @Override
            void suppress() { String s = "@SuppressWarnings"; }
        "#,
    },
    Row {
        path: "A.cs",
        before: "
            F();
        ",
        after: "
            #pragma warning restore CS0168
            F();
        ",
    },
    Row {
        path: "a.rb",
        before: "
            f
        ",
        after: "
            # We never write rubocop:disable
            f.skip('#noqa')
        ",
    },
    Row {
        path: "a.sh",
        before: "
            f $x
        ",
        after: r#"
            # shellcheck source=lib.sh
            f "$x"
        "#,
    },
    Row {
        path: "a.cpp",
        before: "
            f();
        ",
        after: "
            // No lint here.
            #pragma once
            f();
        ",
    },
    Row {
        path: "a.yml",
        before: "
            a: 1
        ",
        after: "
            a: '# yamllint disable'
            b: it's # fine
        ",
    },
];
