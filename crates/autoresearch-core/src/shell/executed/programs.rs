//! Owns the table of programs: what each does with the words behind its name.
//! Does not read a command.
//! Invariant: a program that is not in it is `Other`, and a name counts without its folder and version.

/// What a program does with its arguments.
pub(super) enum ProgramKind {
    /// It is a shell: `-c TEXT` or a script.
    Shell,
    /// It runs the first argument that is not an option.
    Interpreter(&'static InterpreterOptions),
    /// It starts the command that its arguments are.
    Wrapper {
        /// Options with a value.
        values: &'static str,
        /// The words with which it does so; none: always.
        verbs: &'static str,
    },
    /// All its arguments are files that it runs.
    Runner,
    /// It runs the file that `-f` names.
    FileFlag,
    /// It reads and writes files, and takes no config with `-c` or `-p`.
    Data,
    Other,
}

/// The options of an interpreter.
pub(super) struct InterpreterOptions {
    /// Those with a value.
    pub values: &'static str,
    /// Those whose value is code.
    pub code: &'static str,
    /// Those whose value is a file that runs first.
    pub preloads: &'static str,
}

const SHELLS: &str = "sh bash dash zsh ksh ash fish busybox yash mksh";
const PYTHONS: &str = "python pypy ipython";
const NODES: &str =
    "node nodejs bun deno tsx ts-node ts-node-esm babel-node esno vite-node jiti electron";
const OTHERS: &str = "ruby perl php lua luajit Rscript R julia tclsh wish expect groovy scala elixir escript guile racket \
    sbcl raku nu pwsh swift osascript java kotlin crystal ocaml runghc runhaskell octave matlab";
const LAUNCHERS: &str = "kernprof scalene torchrun accelerate deepspeed coverage memray fil-profile pyinstrument \
    viztracer streamlit locust k6 artillery c8 nyc zx 0x clinic";
const RUNNERS: &str = "pytest py.test jest vitest mocha ava tap tape jasmine rspec phpunit pest bats playwright cypress \
    behave nose nose2 unittest ctest nox tox busted prove shellspec";
const FILE_FLAGS: &str = "make gmake bmake awk gawk mawk nawk sed gsed jq yq just ninja docker docker-compose podman psql \
    task rake ant gnuplot bc";
const DATA: &str = "cc gcc g++ c++ clang clang++ rustc tcc icc icx nvcc gfortran ld as grep egrep fgrep rg ag ack wc head \
    tail gzip gunzip zcat bzip2 xz zstd brotli lz4 pigz cut uniq sort tr cat tac cp mv rm mkdir rmdir touch install ln ls \
    stat file du df tar cmp diff comm tee echo printf cd test [ od xxd hexdump strings nm size objdump strip git chmod \
    split paste column nl fold shasum";
/// What starts any command that stands behind it.
const WRAPPERS: &str = "nohup exec command builtin eval setsid taskset chrt numactl valgrind rr unbuffer setarch prlimit \
    systemd-run xvfb-run dbus-run-session fakeroot faketime chronic hyperfine watch parallel concurrently cross-env dotenv \
    dotenvx nix-shell su script mpirun mpiexec srun caffeinate arch retry start-server-and-test trap cgexec catchsegv";
/// What starts a command behind a word such as `run`.
const ENVIRONMENTS: &str = "uv rye pdm poetry pipenv hatch pixi conda mamba micromamba pipx mise asdf direnv bundle nix rtx \
    rbenv pyenv nvm volta fnm op doppler aws-vault";

const PYTHON: InterpreterOptions = InterpreterOptions {
    values: "-W -X -Q",
    code: "-c",
    preloads: "",
};
const NODE: InterpreterOptions = InterpreterOptions {
    values: "-C --conditions --max-old-space-size --tsconfig -P",
    code: "-e -p -pe --eval --print",
    preloads: "-r --require --import --loader --experimental-loader --preload --env-file",
};
const OTHER: InterpreterOptions = InterpreterOptions {
    values: "-I -M -cp -classpath --class-path -l",
    code: "-e -E -ne -pe -nle -lne -ple -lane -ane --eval --execute",
    preloads: "-f -jar -File --file --script -L --load -x",
};
const LAUNCHER: InterpreterOptions = InterpreterOptions {
    values: "-o --output --nproc_per_node --nproc-per-node --nnodes --num_processes --source --omit --include -r",
    code: "",
    preloads: "",
};

/// Is a word in a list?
pub(super) fn is_listed(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split_ascii_whitespace().any(|listed| listed == word)
}

/// What a program of this plain name does.
pub(super) fn find_program_kind(name: &str) -> ProgramKind {
    if is_listed(SHELLS, name) {
        ProgramKind::Shell
    } else if is_listed(PYTHONS, name) {
        ProgramKind::Interpreter(&PYTHON)
    } else if is_listed(NODES, name) {
        ProgramKind::Interpreter(&NODE)
    } else if is_listed(OTHERS, name) {
        ProgramKind::Interpreter(&OTHER)
    } else if is_listed(LAUNCHERS, name) {
        ProgramKind::Interpreter(&LAUNCHER)
    } else if is_listed(RUNNERS, name) {
        ProgramKind::Runner
    } else if is_listed(FILE_FLAGS, name) {
        ProgramKind::FileFlag
    } else if is_listed(DATA, name) {
        ProgramKind::Data
    } else {
        find_wrapper_kind(name)
    }
}

fn find_wrapper_kind(name: &str) -> ProgramKind {
    let (values, verbs) = match name {
        "env" => ("-u --unset -C --chdir -P", ""),
        "timeout" | "gtimeout" => ("-k --kill-after -s --signal", ""),
        "time" | "gtime" => ("-f --format -o --output", ""),
        "nice" => ("-n --adjustment", ""),
        "ionice" => ("-c -n --class --classdata", ""),
        "stdbuf" => ("-i -o -e", ""),
        "xargs" => ("-n -P -I -d -L -s -a -E", ""),
        "sudo" | "doas" => ("-u -g -C -D -h -p", ""),
        "flock" => ("-w --timeout -E", ""),
        "strace" | "ltrace" => ("-e -o -p -s", ""),
        "perf" => ("-e -o -r -x -F", "stat record"),
        "npx" | "bunx" | "pnpx" => ("-p --package", ""),
        "npm" | "pnpm" | "yarn" => (
            "-C --prefix --dir -w --workspace --filter -F",
            "exec x dlx node",
        ),
        "uvx" => ("--from --with --python -p", ""),
        name if is_listed(ENVIRONMENTS, name) => (
            "--with --python --extra --group --project --directory -p -n -e --name --env -C --package --env-file \
             --with-requirements --index-url",
            "run exec shell develop x",
        ),
        name if is_listed(WRAPPERS, name) => ("-n -np -c -m -N -w --warmup -r --runs -s -p -e", ""),
        _ => return ProgramKind::Other,
    };
    ProgramKind::Wrapper { values, verbs }
}

/// `python` for `.venv/bin/python3.12`, `gcc` for `gcc-13`.
pub(super) fn to_plain_name(word: &str) -> String {
    let name = word.rsplit('/').next().unwrap_or(word);
    let bare = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let bare = bare.strip_suffix('-').unwrap_or(bare);
    // A name that ends with a digit by right, and one of digits alone.
    let whole = bare.is_empty() || is_listed("k6 bzip2 lz4 nose2 c8", name);
    if whole { name } else { bare }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_stands_in_one_table_once() {
        let mut names: Vec<&str> = [
            SHELLS,
            PYTHONS,
            NODES,
            OTHERS,
            LAUNCHERS,
            RUNNERS,
            FILE_FLAGS,
            DATA,
            WRAPPERS,
            ENVIRONMENTS,
        ]
        .iter()
        .flat_map(|list| list.split_ascii_whitespace())
        .collect();
        names.sort_unstable();
        let twice: Vec<&str> = names
            .windows(2)
            .filter(|two| two[0] == two[1])
            .map(|two| two[0])
            .collect();
        assert_eq!(twice, Vec::<&str>::new());
    }

    #[test]
    fn a_program_is_known_without_folder_version_and_hyphen() {
        for (word, name) in [
            ("python", "python"),
            ("python3.12", "python"),
            ("/usr/bin/gcc-13", "gcc"),
            ("clang++-17", "clang++"),
            ("./node20", "node"),
            ("k6", "k6"),
            ("/bin/bzip2", "bzip2"),
            ("lz4", "lz4"),
            ("c8", "c8"),
            ("nose2", "nose2"),
            ("7", "7"),
            ("x-1.2.3", "x"),
            ("bench.sh", "bench.sh"),
            ("folder/", ""),
            ("", ""),
        ] {
            assert_eq!(to_plain_name(word), name, "{word}");
        }
    }

    #[test]
    fn each_name_is_of_the_kind_of_its_table_and_any_other_of_none() {
        fn name_kind(name: &str) -> &'static str {
            match find_program_kind(name) {
                ProgramKind::Shell => "shell",
                ProgramKind::Interpreter(_) => "interpreter",
                ProgramKind::Wrapper { .. } => "wrapper",
                ProgramKind::Runner => "runner",
                ProgramKind::FileFlag => "file flag",
                ProgramKind::Data => "data",
                ProgramKind::Other => "other",
            }
        }
        for (list, kind) in [
            (SHELLS, "shell"),
            (PYTHONS, "interpreter"),
            (NODES, "interpreter"),
            (OTHERS, "interpreter"),
            (LAUNCHERS, "interpreter"),
            (RUNNERS, "runner"),
            (FILE_FLAGS, "file flag"),
            (DATA, "data"),
            (WRAPPERS, "wrapper"),
            (ENVIRONMENTS, "wrapper"),
            (
                "env timeout time nice xargs sudo npx npm uvx perf flock strace",
                "wrapper",
            ),
            ("cargo go bench.sh", "other"),
        ] {
            for name in list.split_ascii_whitespace() {
                assert_eq!(name_kind(name), kind, "{name}");
            }
        }
        assert_eq!(name_kind(""), "other");
        assert!(!is_listed("a b", "") && !is_listed("a b", "a b") && is_listed("a b", "b"));
    }
}
