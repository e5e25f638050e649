//! Owns the environment of the commands: which variables they get, and which they would miss.
//! Does not keep values; `store` does.
//! Invariant: a variable whose name looks like a secret is passed only when the config names it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autoresearch_core::config::{Config, GaugeKind, Problem, is_set_by_runs, looks_secret};
use autoresearch_core::shell::executed::list_programs;
use autoresearch_core::shell::variables::list_variables;

use crate::watch::command_files::{CommandSite, find_executed_files};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::regular_files::read_text;

/// Variables that commands get besides those of the config: who and where the user is, where tools live, and what decides
/// how a program is built.
pub const PASSED: [&str; 72] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_NUMERIC",
    "TZ",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "JAVA_HOME",
    "NVM_DIR",
    "PNPM_HOME",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "GIT_SSL_CAINFO",
    "DOCKER_HOST",
    "GIT_LFS_SKIP_SMUDGE",
    "CC",
    "CXX",
    "CPP",
    "FC",
    "LD",
    "AR",
    "NM",
    "RANLIB",
    "STRIP",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "FFLAGS",
    "LDFLAGS",
    "LDLIBS",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "PKG_CONFIG_PATH",
    "PKG_CONFIG_LIBDIR",
    "CMAKE_PREFIX_PATH",
    "CMAKE_GENERATOR",
    "CMAKE_BUILD_TYPE",
    "CMAKE_BUILD_PARALLEL_LEVEL",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_JOBS",
    "CARGO_INCREMENTAL",
    "GOOS",
    "GOARCH",
    "GOFLAGS",
    "GOTOOLCHAIN",
    "CGO_ENABLED",
    "SOURCE_DATE_EPOCH",
    "SDKROOT",
];

/// Variables by which people steer tools, and the tools that read them.
const STEERING: [(&str, &str); 6] = [
    (
        "python pytest py.test coverage torchrun accelerate uv poetry tox nox ipython",
        "PYTHONPATH PYTHONHASHSEED PYTHONOPTIMIZE PYTEST_ADDOPTS CUDA_VISIBLE_DEVICES OMP_NUM_THREADS MKL_NUM_THREADS \
         OPENBLAS_NUM_THREADS HF_HOME",
    ),
    (
        "node npm npx pnpm yarn bun bunx deno tsx ts-node jest vitest mocha playwright vite webpack tsc esbuild",
        "NODE_OPTIONS NODE_PATH NODE_ENV CI",
    ),
    (
        "java mvn gradle mvnw gradlew ant sbt",
        "JAVA_OPTS JAVA_TOOL_OPTIONS MAVEN_OPTS GRADLE_OPTS CI",
    ),
    (
        "ruby rspec rake bundle rails",
        "RUBYOPT RUBYLIB RAILS_ENV BUNDLE_GEMFILE CI",
    ),
    ("go", "GOMAXPROCS GOGC GODEBUG GOEXPERIMENT"),
    (
        "make gmake ninja cmake ctest",
        "MAKEFLAGS CTEST_PARALLEL_LEVEL VERBOSE",
    ),
];

/// Scripts beyond this size are not searched for variables.
const LARGE: u64 = 64 * 1024;

/// The environment of the commands. `names` are passed besides the usual ones.
pub fn collect_passed(world: &World, names: &[String]) -> Result<BTreeMap<String, String>> {
    let wanted = PASSED
        .iter()
        .copied()
        .chain(names.iter().map(String::as_str));
    let mut env = BTreeMap::new();
    for name in wanted {
        let Some(value) = world.find_variable(name) else {
            continue;
        };
        let value = value.to_str().ok_or_else(|| {
            Failure::config(format!(
                "the variable `{name}` holds bytes that are not UTF-8, and the run has to keep it as text"
            ))
            .hint(format!("set {name} to a value in UTF-8, or unset it, then run the command again"))
        })?;
        env.insert(name.to_owned(), value.to_owned());
    }
    env.extend(autoresearch_sys::git::variables::choose_variables(
        &world.vars,
    ));
    Ok(env)
}

/// Variables that verify, guard or prepare use, that are set here, and that they would not get.
#[must_use]
pub fn find_missed(world: &World, config: &Config, root: &Path) -> Option<Problem> {
    let measuring = config.list_commands().into_iter();
    let mut texts: Vec<String> = measuring
        .map(|(_, command)| command)
        .chain(config.setup.prepare.as_ref())
        .map(|command| command.command.clone())
        .collect();
    let scripts = find_executed_files(&CommandSite::new(world, root), config);
    texts.extend(scripts.iter().filter_map(|file| read_shell_script(file)));
    let mut used: BTreeSet<String> = texts.iter().flat_map(|text| list_variables(text)).collect();
    for text in &texts {
        let programs = list_programs(text);
        for (tools, names) in STEERING {
            if tools
                .split(' ')
                .any(|tool| programs.iter().any(|program| program == tool))
            {
                let sets = |name: &&str| !text.contains(&format!("{name}="));
                used.extend(names.split_whitespace().filter(sets).map(ToOwned::to_owned));
            }
        }
    }
    let vary = match &config.gauge.kind {
        GaugeKind::ExitRate { vary, .. } => Some(vary),
        _ => None,
    };
    let known = |name: &String| {
        PASSED.contains(&name.as_str())
            || vary.is_some_and(|vary| is_set_by_runs(name, vary))
            || config.env.contains(name)
            || config.secrets.contains(name)
    };
    used.retain(|name| {
        world
            .find_variable(name)
            .is_some_and(|value| !value.is_empty())
            && !known(name)
    });
    if used.is_empty() {
        return None;
    }
    let (secret, plain): (Vec<String>, Vec<String>) =
        used.iter().cloned().partition(|name| looks_secret(name));
    let lists = [("env", plain), ("secrets", secret)];
    let remedies = lists
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(key, names)| format!("`{key}: [{}]`", names.join(", ")));
    let names: Vec<String> = used.iter().map(|name| format!("`{name}`")).collect();
    Some(Problem::warning(
        "env",
        format!(
            "{} {} set here and used by verify or guard, but not passed to them",
            names.join(", "),
            if names.len() == 1 { "is" } else { "are" }
        ),
        format!(
            "add {} to the config to pass what is set now",
            remedies.collect::<Vec<_>>().join(" and ")
        ),
    ))
}

/// The text of a file that a shell reads.
fn read_shell_script(file: &Path) -> Option<String> {
    let text = read_text(file, LARGE).ok()?;
    let named = file
        .extension()
        .is_some_and(|ending| ending == "sh" || ending == "bash");
    let first = text.lines().next().unwrap_or_default();
    (named || (first.starts_with("#!") && first.contains("sh"))).then_some(text)
}

#[cfg(test)]
mod tests;
