//! Owns `Globs`: the gitignore-style patterns of scope and protect, matched on paths from the repository's root.
//! Does not look at the file system: a path is a text.
//! Invariant: `src/**/*.ts` matches `src/a.ts` and `src/x/y/a.ts` and never `other/src/a.ts`.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// A list of patterns. The last one that matches a path decides, so `!pattern` takes paths out again.
#[derive(Clone, Debug)]
pub struct Globs {
    set: GlobSet,
    /// For each glob of the set: does it put paths in (true) or take them out?
    includes: Vec<bool>,
    prefixes: Vec<String>,
    /// Patterns without wildcards: what they match by themselves.
    literal: GlobSet,
    /// The folders that patterns name without wildcards, such as `data` in `data/`, `data/**` and `**/data/*`.
    folders: GlobSet,
}

/// A pattern that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern `{pattern}`: {reason}")]
pub struct GlobError {
    /// The pattern as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Globs {
    pub fn new(patterns: &[String]) -> Result<Self, GlobError> {
        let mut builder = GlobSetBuilder::new();
        let mut includes = Vec::new();
        let mut prefixes = Vec::new();
        let (mut literal, mut folders) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let (bare, include) = pattern
                .strip_prefix('!')
                .map_or((pattern.as_str(), true), |bare| (bare, false));
            for glob in compile_pattern(bare).map_err(|reason| GlobError {
                pattern: pattern.clone(),
                reason,
            })? {
                builder.add(glob);
                includes.push(include);
            }
            if include {
                prefixes.push(find_literal_prefix(&to_rooted_pattern(bare)));
                note_literal_names(bare, &mut literal, &mut folders);
            }
        }
        let build = |builder: GlobSetBuilder| {
            builder.build().map_err(|error| GlobError {
                pattern: patterns.join(" "),
                reason: error.to_string(),
            })
        };
        Ok(Self {
            set: build(builder)?,
            includes,
            prefixes,
            literal: build(literal)?,
            folders: build(folders)?,
        })
    }

    /// Does a pattern name this very file, without a wildcard (`train.py`, `/src/a.ts`, `src/{a,b}.ts`), and do the
    /// patterns match it?
    #[must_use]
    pub fn names_file(&self, path: &str) -> bool {
        self.matches_path(path) && self.literal.is_match(path)
    }

    /// Does a pattern name this very folder, such as `data/` or `**/data/**`?
    #[must_use]
    pub fn names_folder(&self, path: &str) -> bool {
        self.folders.is_match(path)
    }

    /// Is this path (from the repository's root, `/` between its parts) matched?
    #[must_use]
    pub fn matches_path(&self, path: &str) -> bool {
        self.set
            .matches(path)
            .last()
            .is_some_and(|index| self.includes[*index])
    }

    /// The folders or files below which every match lies, without wildcards; an empty text is the whole repository.
    #[must_use]
    pub fn literal_prefixes(&self) -> &[String] {
        &self.prefixes
    }
}

/// Notes what a pattern names without wildcards. A pattern that does not compile was refused before.
fn note_literal_names(bare: &str, literal: &mut GlobSetBuilder, folders: &mut GlobSetBuilder) {
    let add = |text: &str, builder: &mut GlobSetBuilder| {
        if let Ok(glob) = build_glob(text) {
            builder.add(glob);
        }
    };
    if is_literal(bare) && !bare.ends_with('/') {
        add(&to_rooted_pattern(bare), literal);
    }
    let mut folder = bare.trim_end_matches('/');
    while let Some(shorter) = folder
        .strip_suffix("/**")
        .or_else(|| folder.strip_suffix("/*"))
    {
        folder = shorter;
    }
    let rest = folder.strip_prefix("**/").unwrap_or(folder);
    if is_literal(rest) && !rest.is_empty() {
        let anywhere = folder.len() != rest.len() && !rest.starts_with('/');
        let pattern = if folder == bare.trim_end_matches('/') {
            to_rooted_pattern(bare)
        } else {
            rest.trim_start_matches('/').to_owned()
        };
        add(&pattern, folders);
        if anywhere {
            add(&format!("**/{rest}"), folders);
        }
    }
}

/// Is a pattern without wildcards? Alternatives in braces are names that were written out.
#[must_use]
pub fn is_literal(pattern: &str) -> bool {
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '*' | '?' | '[' => return false,
            _ => {}
        }
    }
    true
}

/// The pattern with its square brackets taken as letters: `app/[slug]` names a folder in some frameworks, and is a
/// character class in a pattern. `None` when it has no class.
#[must_use]
pub fn without_classes(pattern: &str) -> Option<String> {
    let mut plain = String::new();
    let mut found = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                plain.push(letter);
                plain.extend(letters.next());
                continue;
            }
            '[' | ']' => {
                plain.push('\\');
                found = true;
            }
            _ => {}
        }
        plain.push(letter);
    }
    found.then_some(plain)
}

fn build_glob(text: &str) -> Result<Glob, String> {
    let glob = GlobBuilder::new(text)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    glob.map_err(|error| error.kind().to_string())
}

/// One pattern becomes two globs: the path itself, and everything below it when it is a folder.
fn compile_pattern(bare: &str) -> Result<Vec<Glob>, String> {
    let pattern = to_rooted_pattern(bare);
    if pattern.is_empty() {
        return Err("is empty".to_owned());
    }
    if pattern.split('/').any(|part| part == ".." || part == ".") {
        return Err(
            "`.` and `..` are not allowed: patterns start at the repository's root".to_owned(),
        );
    }
    let below = build_glob(&format!("{}/**", pattern.trim_end_matches('/')))?;
    if bare.ends_with('/') {
        Ok(vec![below])
    } else {
        Ok(vec![build_glob(&pattern)?, below])
    }
}

/// gitignore's rule: a pattern without a slash in its middle or at its start matches at any depth.
fn to_rooted_pattern(bare: &str) -> String {
    let body = bare.strip_suffix('/').unwrap_or(bare);
    match body.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None if body.contains('/') || body.is_empty() => body.to_owned(),
        None => format!("**/{body}"),
    }
}

fn find_literal_prefix(pattern: &str) -> String {
    let wild = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
    pattern
        .split('/')
        .take_while(wild)
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(patterns: &[&str]) -> Globs {
        Globs::new(&patterns.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn double_stars_match_at_every_depth_below_the_folder_and_nowhere_else() {
        let scope = globs(&["src/**/*.ts"]);
        assert!(scope.matches_path("src/a.ts"));
        assert!(scope.matches_path("src/x/y/a.ts"));
        assert!(!scope.matches_path("other/src/a.ts"));
        assert!(!scope.matches_path("src/a.tsx"));
        assert!(!scope.matches_path("a.ts"));
    }

    #[test]
    fn patterns_follow_gitignore() {
        assert!(globs(&["*.py"]).matches_path("deep/down/a.py"));
        assert!(globs(&["/*.py"]).matches_path("a.py"));
        assert!(!globs(&["/*.py"]).matches_path("deep/a.py"));
        assert!(globs(&["src"]).matches_path("src/x/y"));
        assert!(globs(&["lib/"]).matches_path("lib/a"));
        assert!(!globs(&["/lib/"]).matches_path("lib"));
        assert!(globs(&["src/*.c"]).matches_path("src/a.c"));
        assert!(!globs(&["src/*.c"]).matches_path("src/x/a.c"));
        assert!(globs(&["**"]).matches_path("any/thing"));
        assert!(globs(&["a [b].txt", r"c\[d\].txt"]).matches_path("c[d].txt"));
    }

    #[test]
    fn the_last_match_decides() {
        let scope = globs(&["src/**", "!src/gen/**", "src/gen/keep.rs"]);
        assert!(scope.matches_path("src/a.rs"));
        assert!(!scope.matches_path("src/gen/a.rs"));
        assert!(scope.matches_path("src/gen/keep.rs"));
        assert!(!globs(&[]).matches_path("a"));
    }

    #[test]
    fn literal_prefixes_name_the_folders_to_walk() {
        assert_eq!(
            globs(&["data/set/**/*.csv", "*.lock", "tests/"]).literal_prefixes(),
            ["data/set", "", ""]
        );
        assert_eq!(
            globs(&["/tests/", "a/b.txt"]).literal_prefixes(),
            ["tests", "a/b.txt"]
        );
    }

    #[test]
    fn a_file_is_named_by_a_pattern_without_wildcards_alone() {
        let scope = globs(&[
            "train.py",
            "/src/a.ts",
            "lib/{b,c}.js",
            r"app/\[id\]/page.tsx",
        ]);
        for path in [
            "train.py",
            "deep/train.py",
            "src/a.ts",
            "lib/c.js",
            "app/[id]/page.tsx",
        ] {
            assert!(scope.names_file(path), "{path}");
        }
        for patterns in [
            &["**"][..],
            &["src/*.ts"],
            &["src"],
            &["src/"],
            &["src/a.ts", "!src/**"],
            &["src/[a].ts"],
        ] {
            assert!(!globs(patterns).names_file("src/a.ts"), "{patterns:?}");
        }
    }

    #[test]
    fn a_folder_is_named_when_no_wildcard_stands_in_for_it() {
        for pattern in [
            "data/",
            "data",
            "data/**",
            "/data/*",
            "**/data/**",
            "**/data",
            "/data",
        ] {
            assert!(globs(&[pattern]).names_folder("data"), "{pattern}");
        }
        assert!(
            globs(&["data/"]).names_folder("x/data")
                && globs(&["**/data/**"]).names_folder("x/data")
        );
        assert!(
            !globs(&["/data/"]).names_folder("x/data")
                && !globs(&["data/**"]).names_folder("x/data")
        );
        for pattern in [
            "**",
            "*",
            "*.json",
            "package.json",
            "**/*.json",
            "d*/**",
            "data/x/**",
        ] {
            assert!(!globs(&[pattern]).names_folder("data"), "{pattern}");
        }
    }

    #[test]
    fn brackets_can_be_taken_as_letters() {
        let plain = without_classes("app/[slug]/[...rest]/*.tsx").unwrap();
        assert_eq!(plain, r"app/\[slug\]/\[...rest\]/*.tsx");
        assert!(globs(&[&plain]).matches_path("app/[slug]/[...rest]/page.tsx"));
        assert!(!globs(&["app/[slug]/**"]).matches_path("app/[slug]/page.tsx"));
        assert_eq!(without_classes(r"app/\[slug\]"), None);
    }

    #[test]
    fn a_pattern_that_leaves_the_repository_is_refused() {
        for pattern in ["", "../x", "a/../b", "./a", "a[", "!"] {
            assert!(Globs::new(&[pattern.to_owned()]).is_err(), "{pattern}");
        }
    }

    #[test]
    fn each_pattern_matches_what_gitignore_would() {
        for (pattern, matched, others) in [
            (
                "a",
                &["a", "x/a", "a/b", "x/a/b/c"][..],
                &["b", "aa", "a.b"][..],
            ),
            ("/a", &["a", "a/b"], &["x/a"]),
            ("a/", &["a/b", "x/a/b"], &["a", "x/a"]),
            ("a/b", &["a/b", "a/b/c"], &["x/a/b", "a/x/b"]),
            ("a/*", &["a/b", "a/b/c"], &["a", "x/a/b"]),
            (
                "*.rs",
                &["a.rs", "x/a.rs", "a.rs/b", ".rs"],
                &["a.rsx", "rs"],
            ),
            ("/*.rs", &["a.rs"], &["x/a.rs"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["x/a/b", "a/bb"]),
            ("a/**", &["a/b", "a/b/c"], &["b/a"]),
            ("**/a/*.rs", &["a/b.rs", "x/a/b.rs"], &["a/x/b.rs"]),
            ("a?c", &["abc", "x/abc"], &["ac", "a/c", "abbc"]),
            ("[ab].rs", &["a.rs", "x/b.rs"], &["c.rs", "ab.rs"]),
            ("[!a].rs", &["b.rs"], &["a.rs"]),
            ("{a,b}/c", &["a/c", "b/c/d"], &["c", "ab/c"]),
            (r"a\*", &["a*"], &["ab"]),
            ("größe.txt", &["größe.txt", "x/größe.txt"], &["grosse.txt"]),
        ] {
            let globs = globs(&[pattern]);
            for path in matched {
                assert!(globs.matches_path(path), "{pattern} and {path}");
            }
            for path in others {
                assert!(!globs.matches_path(path), "{pattern} and {path}");
            }
        }
    }

    #[test]
    fn a_refusal_names_the_pattern_as_it_is_written_and_what_is_wrong_with_it() {
        let roots = "`.` and `..` are not allowed: patterns start at the repository's root";
        for (pattern, reason) in [
            ("", "is empty"),
            ("/", "is empty"),
            ("!", "is empty"),
            ("..", roots),
            ("./a", roots),
            ("!a/../b", roots),
            ("a/.", roots),
            ("a[", "unclosed character class; missing ']'"),
            (
                "{a",
                "unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
            ),
        ] {
            let patterns = ["fine".to_owned(), pattern.to_owned()];
            let error = Globs::new(&patterns).unwrap_err();
            assert_eq!(error.to_string(), format!("pattern `{pattern}`: {reason}"));
        }
    }

    #[test]
    fn wildcards_make_a_pattern_no_name_unless_they_are_escaped() {
        for (pattern, literal) in [
            ("", true),
            ("a/b.c", true),
            ("{a,b}", true),
            (r"a\*", true),
            (r"a\\", true),
            ("a*", false),
            ("a?", false),
            ("[a]", false),
            (r"\\*", false),
        ] {
            assert_eq!(is_literal(pattern), literal, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_patterns_are_compiled_or_refused(patterns in proptest::collection::vec("[!a-c/*?.\\[\\]{},\\\\]{0,10}", 0..4), path in "[a-c/.]{0,10}") {
            if let Ok(globs) = Globs::new(&patterns) {
                proptest::prop_assert!(globs.matches_path(&path) || !globs.names_file(&path));
            }
        }

        #[test]
        fn what_matches_lies_below_a_prefix(
            patterns in proptest::collection::vec("/?[ab]{1,2}(/([ab]{1,2}|\\*|\\*\\*|[ab]\\*))?/?", 1..4), path in "[ab]{1,2}(/[ab]{1,2}){0,3}",
        ) {
            let globs = Globs::new(&patterns).unwrap();
            let below = |prefix: &String| prefix.is_empty() || path == *prefix || path.starts_with(&format!("{prefix}/"));
            proptest::prop_assert!(!globs.matches_path(&path) || globs.literal_prefixes().iter().any(below));
        }

        #[test]
        fn a_pattern_that_takes_everything_out_leaves_nothing_and_order_decides(pattern in "[ab*]{1,3}", path in "[ab]{1,2}(/[ab]{1,2}){0,2}") {
            let one = globs(&[&pattern]).matches_path(&path);
            proptest::prop_assert!(!globs(&[&pattern, "!**"]).matches_path(&path));
            proptest::prop_assert_eq!(globs(&["!**", &pattern]).matches_path(&path), one);
            proptest::prop_assert_eq!(globs(&["**", &format!("!{pattern}")]).matches_path(&path), !one);
        }

        #[test]
        fn a_path_with_brackets_is_matched_once_they_are_letters(path in "[a\\[\\]-]{0,3}\\[[a\\]-]{0,3}") {
            let plain = without_classes(&path).unwrap();
            proptest::prop_assert!(is_literal(&plain) && globs(&[&plain]).matches_path(&path), "{}", plain);
            proptest::prop_assert_eq!(without_classes(&plain), None);
        }
    }
}
