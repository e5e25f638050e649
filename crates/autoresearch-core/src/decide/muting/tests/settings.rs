//! Owns rows of the settings of tools: what mutes a finding, and honest changes that look alike.
//! Does not try them.
//! Invariant: a row is a whole file, before and after, as it is written.

use super::Row;

pub(super) const CHEATS: &[Row] = &[
    Row {
        path: "clippy.toml",
        before: r#"
            {"too-many-lines-threshold": 60, "msrv": "1.80"}
        "#,
        after: r#"
            {"too-many-lines-threshold": 600, "msrv": "1.80"}
        "#,
    },
    Row {
        path: ".eslintrc.json",
        before: r#"
            {"rules": {"max-lines": ["error", 300]}}
        "#,
        after: r#"
            {"rules": {"max-lines": ["error", 900]}}
        "#,
    },
    Row {
        path: "eslint.config.js",
        before: "
            export default [{ rules: { complexity: ['error', 9] } }];
        ",
        after: "
            export default [{ rules: { complexity: ['error', 90] } }];
        ",
    },
    Row {
        path: "pyproject.toml",
        before: r#"
            {"tool": {"coverage": {"report": {"fail_under": 90}}}}
        "#,
        after: r#"
            {"tool": {"coverage": {"report": {"fail_under": 60}}}}
        "#,
    },
    Row {
        path: "tsconfig.json",
        before: r#"
            {
              "compilerOptions": {"strict": true}
            }
        "#,
        after: r#"
            {
              // later
              "compilerOptions": {"strict": false,},
            }
        "#,
    },
    Row {
        path: "tsconfig.json",
        before: r#"
            {
              "compilerOptions": {"strict": true}
            }
        "#,
        after: r#"
            {
              "compilerOptions": {}
            }
        "#,
    },
    Row {
        path: "tsconfig.app.json",
        before: "
            {}
        ",
        after: r#"
            {"compilerOptions": {"skipLibCheck": true}}
        "#,
    },
    Row {
        path: "tsconfig.json",
        before: "
            {}
        ",
        after: r#"
            {"exclude": ["src/old"]}
        "#,
    },
    Row {
        path: ".eslintrc.json",
        before: "
            {}
        ",
        after: r#"
            {"rules": {"no-console": ["off", {"x": 1}]}}
        "#,
    },
    Row {
        path: "package.json",
        before: "
            {}
        ",
        after: r#"
            {"eslintConfig": {"rules": {"eqeqeq": 0, "no-x": 1}}}
        "#,
    },
    Row {
        path: "eslint.config.js",
        before: "
            export default [];
        ",
        after: "
            export default [{ rules: { 'no-console': 'off' } }];
        ",
    },
    Row {
        path: "eslint.config.mjs",
        before: "
            export default [];
        ",
        after: "
            export default [{ ignores: ['src/old/**'] }];
        ",
    },
    Row {
        path: ".eslintignore",
        before: "
            dist
        ",
        after: "
            dist
            src/old
        ",
    },
    Row {
        path: "biome.json",
        before: "
            {}
        ",
        after: r#"
            {"linter": {"rules": {"style": {"useConst": "off"}}}}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: "
            {}
        ",
        after: r#"
            {"tool": {"ruff": {"lint": {"ignore": ["E501"]}}}}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: "
            {}
        ",
        after: r#"
            {"tool": {"mypy": {"overrides": [{"module": "x", "ignore_errors": true}]}}}
        "#,
    },
    Row {
        path: "ruff.toml",
        before: r#"
            {"select": ["E", "F"]}
        "#,
        after: r#"
            {"select": ["E"]}
        "#,
    },
    Row {
        path: "ruff.toml",
        before: "
            {}
        ",
        after: r#"
            {"per-file-ignores": {"a.py": ["F401"]}}
        "#,
    },
    Row {
        path: "setup.cfg",
        before: "
            [flake8]
        ",
        after: "
            [flake8]
            extend-ignore = E501,
              W503
        ",
    },
    Row {
        path: "mypy.ini",
        before: "
            [mypy]
            strict = True
        ",
        after: "
            [mypy]
            strict = False
        ",
    },
    Row {
        path: ".pylintrc",
        before: "
            [MESSAGES CONTROL]
        ",
        after: "
            [MESSAGES CONTROL]
            disable=missing-docstring
        ",
    },
    Row {
        path: ".coveragerc",
        before: "
            [run]
        ",
        after: "
            [run]
            omit = src/old/*
        ",
    },
    Row {
        path: "pytest.ini",
        before: "
            [pytest]
        ",
        after: "
            [pytest]
            addopts = -q --ignore=tests/old
        ",
    },
    Row {
        path: "clippy.toml",
        before: "
            {}
        ",
        after: r#"
            {"allow-unwrap-in-tests": true}
        "#,
    },
    Row {
        path: ".golangci.yml",
        before: "
            {}
        ",
        after: r#"
            {"linters": {"disable": ["errcheck"]}}
        "#,
    },
    Row {
        path: ".rubocop.yml",
        before: "
            {}
        ",
        after: r#"
            {"Style/X": {"Enabled": false}}
        "#,
    },
    Row {
        path: ".clang-tidy",
        before: r#"
            {"Checks": "*"}
        "#,
        after: r#"
            {"Checks": "*,-bugprone-x"}
        "#,
    },
    Row {
        path: ".shellcheckrc",
        before: "
            shell=bash
        ",
        after: "
            shell=bash
            disable=SC2086
        ",
    },
    Row {
        path: ".editorconfig",
        before: "
            [*.cs]
        ",
        after: "
            [*.cs]
            dotnet_diagnostic.CA1822.severity = none
        ",
    },
];

pub(super) const HONEST: &[Row] = &[
    Row {
        path: "clippy.toml",
        before: r#"
            {"too-many-lines-threshold": 60}
        "#,
        after: r#"
            {"too-many-lines-threshold": 40, "cognitive-complexity-threshold": 9}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: r#"
            {"tool": {"coverage": {"report": {"fail_under": 60}}, "ruff": {"indent-width": 2}}}
        "#,
        after: r#"
            {"tool": {"coverage": {"report": {"fail_under": 90}}, "ruff": {"indent-width": 4}}}
        "#,
    },
    Row {
        path: "tsconfig.json",
        before: "
            {}
        ",
        after: r#"
            {"compilerOptions": {"strict": true, "skipLibCheck": false, "noEmit": false, "noEmitOnError": false}}
        "#,
    },
    Row {
        path: "tsconfig.json",
        before: r#"
            {"exclude": ["src/**"]}
        "#,
        after: r#"
            {"exclude": ["src/old"]}
        "#,
    },
    Row {
        path: ".eslintrc.json",
        before: r#"
            {"rules": {"no-x": "off"}}
        "#,
        after: r#"
            {"rules": {"no-x": "error", "max": ["error", {"ignore": 0}]}}
        "#,
    },
    Row {
        path: ".eslintrc.json",
        before: r#"
            {"rules": {"no-x": "off"}}
        "#,
        after: r#"
            {"overrides": [{"rules": {"no-x": "off"}}]}
        "#,
    },
    Row {
        path: "eslint.config.js",
        before: "
            export default [];
        ",
        after: "
            export default [{ rules: { 'no-x': 'error' }, parserOptions: { ecma: 0 } }];
        ",
    },
    Row {
        path: "biome.json",
        before: "
            {}
        ",
        after: r#"
            {"formatter": {"enabled": false}}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: r#"
            {"tool": {"ruff": {"ignore": ["E"]}}}
        "#,
        after: r#"
            {"tool": {"ruff": {"lint": {"ignore": ["E501"]}}}}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: r#"
            {"tool": {"ruff": {"ignore": ["E501"]}}}
        "#,
        after: r#"
            {"tool": {"ruff": {"per-file-ignores": {"a.py": ["E501"]}}}}
        "#,
    },
    Row {
        path: "pyproject.toml",
        before: "
            {}
        ",
        after: r#"
            {"tool": {"other": {"ignore": ["x"]}}, "project": {"exclude": ["y"]}}
        "#,
    },
    Row {
        path: "ruff.toml",
        before: r#"
            {"select": ["E4", "E7"]}
        "#,
        after: r#"
            {"select": ["E", "F"]}
        "#,
    },
    Row {
        path: "setup.cfg",
        before: "
            [flake8]
            ignore = E501
        ",
        after: "
            [flake8]
            # E501 and W503 are muted
            ignore = E501
            max-line-length = 80
        ",
    },
    Row {
        path: "pytest.ini",
        before: "
            [pytest]
        ",
        after: "
            [pytest]
            addopts = -q --strict-markers
            filterwarnings = error
        ",
    },
    Row {
        path: ".eslintignore",
        before: "
            dist
        ",
        after: "
            dist
            # src/old
            !src/old
        ",
    },
    Row {
        path: "config.json",
        before: "
            {}
        ",
        after: r#"
            {"exclude": ["x"], "strict": false}
        "#,
    },
    Row {
        path: "README.md",
        before: "
            x
        ",
        after: "
            Add `# noqa` or // @ts-ignore.

            # noqa
        ",
    },
];
