//! Owns rows of JavaScript and TypeScript: what mutes a finding, and honest changes that look alike.
//! Does not try them.
//! Invariant: a row is a whole file, before and after, as it is written.

use super::Row;

pub(super) const CHEATS: &[Row] = &[
    Row {
        path: "a.ts",
        before: "
            const x: any = f();
        ",
        after: "
            type Loose = any;
            const x: Loose = f();
            const y = <T extends any>(x: T) => x;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // @ts-ignore
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // @ts-expect-error: later
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // @ts-nocheck
            f(x);
        ",
    },
    Row {
        path: "a.tsx",
        before: "
            <A x={f} />;
        ",
        after: "
            {/* @ts-ignore */}
            <A x={f} />;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            /* eslint-disable */
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // eslint-disable-next-line no-console -- why
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            f(x); // eslint-disable-line
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // biome-ignore lint/suspicious/noExplicitAny: why
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            f(x as any);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            f(x as unknown as T);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            const f = (x: string) => x;
        ",
        after: "
            const f = (x: any) => x;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            type F = () => string;
        ",
        after: "
            type F = () => any;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x.y);
        ",
        after: "
            f(x!.y);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            const isT = (x: U): x is T => 't' in x;
        ",
        after: "
            const isT = (x: U): x is T => true;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f();
        ",
        after: "
            try { f(); } catch {}
        ",
    },
    Row {
        path: "a.test.ts",
        before: "
            it('adds', () => {});
        ",
        after: "
            it.skip('adds', () => {});
        ",
    },
    Row {
        path: "a.test.ts",
        before: "
            it('adds', () => {});
        ",
        after: "
            xit('adds', () => {});
        ",
    },
];

pub(super) const HONEST: &[Row] = &[
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // never write @ts-ignore or eslint-disable here
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: r#"
            const text = "// @ts-ignore";
        "#,
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            const text = `as any, x!.y`;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            // @ts-ignore
            f(x);
        ",
        after: "
            // @ts-expect-error
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            // @ts-ignore
            f(x);
            g();
        ",
        after: "
            g();
            // @ts-ignore
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            /* eslint-disable no-x */
            f(x);
        ",
        after: "
            // eslint-disable-next-line no-x
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // prettier-ignore
            f(x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            const anyOf = company.any; many(any => 1);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            await Promise.any(xs);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x as any);
        ",
        after: "
            const y: any = x;
            f(y);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x as any);
        ",
        after: "
            f(x as T);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            if (!x || x != y || x !== z) f(!x);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            const ok = x
            !y;
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            function isT(x: U): x is T { return 't' in x; }
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f();
        ",
        after: "
            try { f(); } catch (e) { log(e); throw e; }
        ",
    },
    Row {
        path: "a.ts",
        before: "
            fit();
        ",
        after: "
            export function fit(box) { return box; }
            fit(2);
        ",
    },
    Row {
        path: "a.tsx",
        before: "
            <p>a</p>;
        ",
        after: "
            <p>Hello! any &amp; all</p>;
        ",
    },
    Row {
        path: "a.js",
        before: "
            f(x);
        ",
        after: "
            f(x.any, y.is, z.as);
        ",
    },
    Row {
        path: "a.test.ts",
        before: "
            it('adds', () => {});
        ",
        after: "
            it('skips', () => { list.skip(1); });
        ",
    },
    Row {
        path: "a.test.ts",
        before: "
            it('a', () => { expect(f(1)).toBe(1); });
            it('b', () => { expect(f(2)).toBe(2); });
        ",
        after: "
            it.each([1, 2])('%d', (x) => { expect(f(x)).toBe(x); });
        ",
    },
    Row {
        path: "a.test.ts",
        before: "
            f(x);
        ",
        after: "
            f(x!.y);
        ",
    },
    Row {
        path: "a.ts",
        before: "
            f(x);
        ",
        after: "
            // biome-ignore format: a table
            f(x);
        ",
    },
];
