//! Owns rows of Python: what mutes a finding, and honest changes that look alike.
//! Does not try them.
//! Invariant: a row is a whole file, before and after, as it is written.

use super::Row;

pub(super) const CHEATS: &[Row] = &[
    Row {
        path: "a.py",
        before: "
            from typing import TypeVar, cast
            x = f()
        ",
        after: "
            from typing import TypeVar, cast
            x = cast(int, f())
        ",
    },
    Row {
        path: "a.py",
        before: "
            import typing as t
            x = f()
        ",
        after: "
            import typing as t
            x = t.cast('list[int]', f())
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = f()  # type: ignore
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = f()  # type: ignore[arg-type]  # why
        ",
    },
    Row {
        path: "a.py",
        before: "
            import os
        ",
        after: "
            import os  # noqa: F401
        ",
    },
    Row {
        path: "a.py",
        before: "
            import os
        ",
        after: "
            import os  # NOQA
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = f()  # a word  # noqa
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            # pylint: disable=invalid-name
            x = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            # mypy: ignore-errors
            x = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = f()  # pyright: ignore[reportCall]
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = f()  # nosec B101
        ",
    },
    Row {
        path: "a.py",
        before: "
            x: int = f()
        ",
        after: "
            x: Any = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            def f() -> int:
                return g()
        ",
        after: "
            def f() -> typing.Any:
                return g()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            x = cast(Any, f())
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            try:
                x = f()
            except Exception:
                pass
        ",
    },
    Row {
        path: "tests/test_a.py",
        before: "
            def test_a():
                assert f()
        ",
        after: "
            @pytest.mark.skip
            def test_a():
                assert f()
        ",
    },
    Row {
        path: "tests/test_a.py",
        before: "
            def test_a():
                assert f()
        ",
        after: "
            def test_a():
                f()
        ",
    },
];

pub(super) const HONEST: &[Row] = &[
    Row {
        path: "a.py",
        before: "
            from sqlalchemy import cast
            x = f()
        ",
        after: "
            from sqlalchemy import cast
            x = cast(f(), Integer)
        ",
    },
    Row {
        path: "a.py",
        before: "
            from typing import Any, cast
            x = cast(Any, f())
        ",
        after: "
            from typing import cast
            x = cast(int, f())
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = 1
        ",
        after: "
            x = 1  # no `# type: ignore` here, and noqa is not wanted
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = 1
        ",
        after: "
            x = '# type: ignore'
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = 1
        ",
        after: r#"
            def f():
                """Say `# noqa` to mute it.

                # type: ignore
                """
        "#,
    },
    Row {
        path: "a.py",
        before: "
            x = 1
        ",
        after: "
            x = 1  # type: ignored by nobody
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()  # type: ignore
        ",
        after: "
            x = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()  # type: ignore
        ",
        after: "
            x = f()  # type: ignore[arg-type]
        ",
    },
    Row {
        path: "a.py",
        before: "
            import os  # noqa
        ",
        after: "
            import os  # noqa: F401
        ",
    },
    Row {
        path: "a.py",
        before: "
            import os  # noqa: F401, E501
        ",
        after: "
            import os  # noqa: F401
        ",
    },
    Row {
        path: "a.py",
        before: "
            # ruff: noqa: F401
            import a
            import b
        ",
        after: "
            import a  # noqa: F401
            import b  # noqa: F401
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()  # noqa
            y = 1
        ",
        after: "
            y = 1
            if y:
                x = f()  # noqa
        ",
    },
    Row {
        path: "a.py",
        before: "
            x: int = f()
        ",
        after: "
            x: dict[str, Any] = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = 1
        ",
        after: "
            from typing import Any
            any_of = any(x for x in y)
        ",
    },
    Row {
        path: "a.py",
        before: "
            x: Any = f()
        ",
        after: "
            y: Any = f()
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            try:
                x = f()
            except FileNotFoundError:
                pass
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            try:
                x = f()
            except Exception:
                log(x)
                raise
        ",
    },
    Row {
        path: "a.py",
        before: "
            x = f()
        ",
        after: "
            # fmt: off
            x = f()  # isort: skip
        ",
    },
    Row {
        path: "tests/test_a.py",
        before: "
            def test_a():
                assert f()
        ",
        after: "
            def test_b():
                assert f()
        ",
    },
    Row {
        path: "tests/test_a.py",
        before: "
            def test_a():
                assert f(1)
            def test_b():
                assert f(2)
        ",
        after: "
            @pytest.mark.parametrize('x', [1, 2])
            def test_a(x):
                assert f(x)
        ",
    },
    Row {
        path: "tests/test_a.py",
        before: "
            @pytest.mark.skip
            def test_a():
                assert f()
        ",
        after: "
            def test_a():
                assert f()
        ",
    },
    Row {
        path: "skip.py",
        before: "
            x = 1
        ",
        after: "
            def skip(x):
                return x.skip(1)
        ",
    },
];
