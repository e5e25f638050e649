//! The tables: each can be read, and says nothing that would never hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::config::globs::Globs;
use crate::metric::matches::MatchPattern;

#[test]
fn every_table_can_be_read() {
    for table in TABLES {
        if let Err(error) = serde_json::from_str::<Stack>(table) {
            panic!("{error}: {table}");
        }
    }
    let titles: Vec<&str> = list_stacks()
        .iter()
        .map(|stack| stack.title.as_str())
        .collect();
    insta::assert_snapshot!(titles.join(", "), @"Rust, TypeScript and JavaScript, Python, Go, Java (Maven), Java (Gradle), C and C++ (CMake), C and C++ (Make), Ruby, PHP, .NET, Elixir, Swift, Shell");
}

/// Every pattern of a stack's table.
fn list_globs(stack: &Stack) -> Vec<String> {
    let mut globs = [&stack.manifests[..], &stack.tests, &stack.configs].concat();
    for recipe in &stack.recipes {
        let own = recipe.scope.iter().filter(|word| !word.starts_with('@'));
        globs.extend(own.cloned());
    }
    globs
}

#[test]
fn every_pattern_of_a_table_is_one() {
    for stack in list_stacks() {
        let globs = Globs::new(&list_globs(stack));
        assert!(globs.is_ok(), "{}: {globs:?}", stack.title);
        let counted = stack.counts.iter().map(|counted| &counted.pattern);
        let reported = stack
            .recipes
            .iter()
            .filter_map(|recipe| match &recipe.measure {
                Measure::Report(report) => Some(&report.pattern),
                _ => None,
            });
        for pattern in counted.chain(reported) {
            assert!(
                MatchPattern::new(pattern).is_ok(),
                "{}: {pattern}",
                stack.title
            );
        }
    }
}

/// A file is counted once for all stacks that have its ending, so that two patterns of one name would tell two numbers.
#[test]
fn stacks_with_the_same_sources_count_the_same_under_the_same_name() {
    let mut checked = 0;
    for stack in list_stacks() {
        let others = list_stacks().iter().filter(|other| {
            other.title != stack.title
                && other
                    .endings
                    .iter()
                    .any(|ending| stack.endings.contains(ending))
        });
        for other in others {
            assert_eq!(
                other.endings.first(),
                stack.endings.first(),
                "{}",
                other.title
            );
            for counted in &stack.counts {
                let same = other
                    .counts
                    .iter()
                    .find(|same| same.metric == counted.metric);
                if let Some(same) = same {
                    assert_eq!(
                        same.pattern, counted.pattern,
                        "{}: {}",
                        other.title, same.metric
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 6, "{checked}");
}

/// The kinds of conditions that a project knows.
const CONDITIONS: [&str; 10] = [
    "file",
    "dep",
    "script",
    "text",
    "program",
    "local",
    "counted",
    "workspace",
    "bench",
    "program-name",
];

#[test]
fn every_condition_of_a_table_is_one_that_a_project_knows() {
    for stack in list_stacks() {
        let conditions = stack
            .list_commands()
            .flat_map(|command| &command.when)
            .chain(stack.recipes.iter().flat_map(|recipe| &recipe.when))
            .chain(stack.counts.iter().flat_map(|counted| &counted.when));
        for condition in conditions {
            for one in condition.split('|') {
                let kind = one.trim_start_matches('!').split(':').next().unwrap();
                assert!(CONDITIONS.contains(&kind), "{}: {condition}", stack.title);
            }
        }
    }
}

#[test]
fn no_two_recipes_of_a_stack_measure_the_same_under_the_same_conditions() {
    for stack in list_stacks() {
        let mut seen = BTreeSet::new();
        for recipe in &stack.recipes {
            let needs = format!("{:?} {:?} {:?}", recipe.when, recipe.needs, recipe.measure);
            assert!(
                seen.insert((recipe.metric.clone(), needs)),
                "{}: {}",
                stack.title,
                recipe.metric
            );
        }
    }
}

#[test]
fn what_counts_down_to_nothing_has_a_target_and_what_does_not_has_none() {
    for stack in list_stacks() {
        for recipe in &stack.recipes {
            let counts = matches!(recipe.measure, Measure::Report(_) | Measure::ExitRate(_));
            assert_eq!(
                recipe.target.is_some(),
                counts,
                "{}: {}",
                stack.title,
                recipe.metric
            );
        }
    }
}

/// The lines of a recipe, each with its words as the first of them says.
fn expand_lines(stack: &Stack, command: &[String]) -> Vec<String> {
    let expanded = command.iter().map(|line| {
        let words = stack.words.iter();
        words.fold(line.clone(), |line, (name, commands)| {
            line.replace(&format!("{{{name}}}"), &commands[0].command)
        })
    });
    expanded.collect()
}

/// A missing tool ends with a status too, often with that of findings: it has written no line that matches then, and the
/// engine takes no 0 from such an end. So no other line may end the script with that status, and leave an older report.
#[test]
fn what_says_that_it_found_something_is_the_only_line_that_may_end_so() {
    let mut told = BTreeSet::new();
    for stack in list_stacks() {
        for recipe in &stack.recipes {
            let Measure::Report(report) = &recipe.measure else {
                continue;
            };
            let lines = expand_lines(stack, &report.command);
            assert!(!lines.iter().any(|line| line.contains("|| [ $?")));
            let judged = lines.iter().filter(|line| line.ends_with("|| status=$?"));
            assert_eq!(
                judged.count(),
                usize::from(!report.found.is_empty()),
                "{}: {lines:?}",
                stack.title
            );
            if report.found.is_empty() {
                continue;
            }
            told.insert(format!("{} {}", recipe.metric, stack.title));
            let writes = format!("> {{out}}/{}", report.file);
            for line in &lines {
                let is_safe = line.ends_with("|| status=$?")
                    || line.ends_with(&writes)
                    || line.starts_with("rm -f ")
                    || line.starts_with("cat ")
                    || line.contains("exit 3")
                    || !report.found.contains(&1);
                assert!(is_safe, "{}: {line}", stack.title);
            }
        }
    }
    insta::assert_snapshot!(told.into_iter().collect::<Vec<_>>().join("\n"), @"
    biome_problems TypeScript and JavaScript
    eslint_problems TypeScript and JavaScript
    failing_tests Go
    failing_tests Python
    failing_tests Rust
    failing_tests TypeScript and JavaScript
    flake8_findings Python
    lint_findings Go
    phpstan_errors PHP
    rubocop_offenses Ruby
    ruff_findings Python
    shellcheck_findings Shell
    type_errors Python
    type_errors TypeScript and JavaScript
    vet_findings Go
    ");
}

#[test]
fn every_line_of_a_check_ends_a_script_when_it_fails() {
    for stack in list_stacks() {
        assert!(!stack.checks.is_empty(), "{}", stack.title);
        for check in stack.checks.values().flatten() {
            for line in check.command.lines() {
                // `set -e` looks over what fails before `&&`, and behind `!`.
                assert!(!line.contains(" && "), "{}: {line}", stack.title);
                assert!(!line.starts_with("! "), "{}: {line}", stack.title);
            }
        }
    }
}

#[test]
fn a_count_of_build_errors_is_made_only_where_the_compiler_named_some_or_was_content() {
    let mut counted = 0;
    for stack in list_stacks() {
        for recipe in &stack.recipes {
            if recipe.aim == Aim::BuildErrors {
                let commands = recipe.measure.list_commands();
                assert!(commands.iter().any(|line| line.contains("|| grep -q")));
                assert!(stack.checks.contains_key(&CheckKind::Build));
                counted += 1;
            }
        }
    }
    assert_eq!(counted, 11);
}

#[test]
fn every_recipe_that_counts_what_a_check_finds_has_its_check_in_the_table() {
    let mut told = String::new();
    for stack in list_stacks() {
        let kinds = stack.checks.keys().map(|kind| kind.as_str());
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let _ = writeln!(told, "{}: {kinds}", stack.title);
    }
    insta::assert_snapshot!(told, @"
    Rust: build, tests, lint
    TypeScript and JavaScript: build, tests, types, lint
    Python: build, tests, types, lint
    Go: build, tests, lint
    Java (Maven): build, tests
    Java (Gradle): build, tests
    C and C++ (CMake): build, tests
    C and C++ (Make): build, tests, lint
    Ruby: build, tests, lint
    PHP: build, tests, lint
    .NET: build, tests, lint
    Elixir: build, tests, lint
    Swift: build, tests
    Shell: build, tests, lint
    ");
}

/// What has to be there for a check: its needs, and the programs without which it is not chosen.
fn list_needs_of(check: &StackCommand) -> BTreeSet<String> {
    let chosen = check.when.iter().filter_map(|condition| {
        let program = condition.strip_prefix("program:");
        program.or(condition.starts_with("local:").then_some(condition))
    });
    let needs = check.needs.iter().map(String::as_str);
    chosen.chain(needs).map(ToOwned::to_owned).collect()
}

/// A recipe whose tool no check names would count for none.
fn assert_all_named(stack: &Stack, named: &BTreeSet<(Aim, String)>) {
    for recipe in &stack.recipes {
        let is_named = |tool: &String| named.contains(&(recipe.aim, tool.clone()));
        assert!(
            recipe.tool.as_ref().is_none_or(is_named),
            "{}: {}",
            stack.title,
            recipe.metric
        );
    }
}

/// Another tool counts something else: 0 of it is no passing check.
#[test]
fn each_check_is_counted_by_the_one_recipe_of_its_tool_or_by_its_exit_status() {
    let (mut by_status, mut needs_more) = (String::new(), String::new());
    for stack in list_stacks() {
        let mut named = BTreeSet::new();
        for (kind, checks) in &stack.checks {
            for check in checks {
                let lines = expand_lines(stack, std::slice::from_ref(&check.command)).concat();
                let lines = lines.replace('\n', "; ");
                let Some(tool) = &check.tool else {
                    let _ = writeln!(by_status, "{} {}: {lines}", stack.title, kind.as_str());
                    continue;
                };
                let recipes = stack.recipes.iter();
                let counting: Vec<&Recipe> = recipes
                    .filter(|it| it.aim == kind.aim() && it.tool.as_ref() == Some(tool))
                    .collect();
                let [recipe] = counting[..] else {
                    panic!("{} {tool}: {counting:?}", stack.title);
                };
                assert!(matches!(recipe.measure, Measure::Report(_)));
                let counts = expand_lines(stack, recipe.measure.list_commands()).join("; ");
                assert!(lines.contains(tool.as_str()), "{tool}: {lines}");
                assert!(counts.contains(tool.as_str()), "{tool}: {counts}");
                named.insert((kind.aim(), tool.clone()));
                let there = list_needs_of(check);
                for need in recipe.needs.iter().filter(|need| !there.contains(*need)) {
                    let _ = writeln!(needs_more, "{} {tool}: {need}", stack.title);
                }
            }
        }
        assert_all_named(stack, &named);
    }
    insta::assert_snapshot!(by_status, @r#"
    TypeScript and JavaScript tests: npx --no-install mocha
    TypeScript and JavaScript tests: CI=1 npx --no-install ava
    TypeScript and JavaScript tests: CI=1 pnpm -s run test
    TypeScript and JavaScript lint: pnpm -s run lint
    Java (Gradle) tests: ./gradlew --no-daemon -q cleanTest test
    C and C++ (CMake) tests: cmake -S . -B {out}/build -DCMAKE_BUILD_TYPE=Release > /dev/null; cmake --build {out}/build --parallel > /dev/null; ctest --test-dir {out}/build --output-on-failure
    C and C++ (Make) tests: make -s test
    C and C++ (Make) tests: make -s check
    Ruby build: git ls-files -zco --exclude-standard -- '*.rb' ':!vendor' > {out}/files; xargs -0 sh -c 's=0; for f; do [ ! -f "$f" ] || ruby -c "./$f" || s=1; done; exit $s' sh < {out}/files > /dev/null
    Ruby tests: bundle exec rspec
    Ruby tests: bundle exec rake test
    PHP build: git ls-files -zco --exclude-standard -- '*.php' ':!vendor' > {out}/files; xargs -0 sh -c 's=0; for f; do [ ! -f "$f" ] || php -l "./$f" || s=1; done; exit $s' sh < {out}/files > /dev/null
    PHP tests: {tool:phpunit}
    PHP tests: {tool:pest}
    .NET tests: dotnet test -v q --nologo
    Elixir build: mix compile
    Elixir tests: mix test
    Swift tests: swift test -q
    Shell tests: git ls-files -zco --exclude-standard -- '*.bats' > {out}/bats; xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < {out}/bats
    "#);
    // Words of the check need the rest, or it is not there, and the exit status is measured.
    insta::assert_snapshot!(needs_more, @"
    Java (Maven) mvn: java
    Java (Maven) mvn: java
    Java (Gradle) gradle: java
    C and C++ (CMake) cmake: make
    Shell bash -n: bash
    ");
}

/// A check passes over what a comment suppresses, and a trial that adds one is void: to count it is to start with another
/// number than the check, and to end with none that is 0.
#[test]
fn a_recipe_counts_what_its_check_fails_for_and_nothing_that_is_suppressed() {
    let unhiding = [
        "noqa",
        "disable-comments",
        "inline-config",
        "suppress",
        "exit-zero",
    ];
    for stack in list_stacks() {
        let lines = stack.recipes.iter();
        let lines = lines.flat_map(|recipe| recipe.measure.list_commands());
        for line in lines {
            let found = unhiding.iter().find(|option| line.contains(**option));
            assert_eq!(found, None, "{}: {line}", stack.title);
        }
    }
}
