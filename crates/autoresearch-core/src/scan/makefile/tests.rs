//! What Makefiles say: which targets they have, and which of them is a build.

use super::*;

fn find_goal(text: &str) -> Option<String> {
    Makefile::read(text).goal
}

#[test]
fn targets_are_those_that_are_plain_words() {
    let text = ".PHONY: all\nCC := gcc\nCFLAGS = -O2\nX ::= a\nall lib: a.o\n\tgcc: no\ntest: all\n%.o: %.c\n# c: d\n$(OUT): x\ncheck::\ndefine RULE\nmade: x\nendef\n$(info told: x)\nifeq ($(A),b:c)\nendif\nlong \\\n  names: x\ngrouped two &: x\ntest: CFLAGS += -g\nalone: X = 1\n";
    assert_eq!(
        Makefile::read(text).targets.join(" "),
        "all lib test check long names grouped two"
    );
}

#[test]
fn a_goal_is_all_or_build_or_what_make_takes_where_nothing_is_named() {
    for (text, goal) in [
        ("clean:\n\trm -f *.dat\nall: a.o\n", Some("all")),
        ("clean:\nbuild: a.o\n", Some("build")),
        ("program: a.o\nclean:\n", Some("program")),
        (".PHONY: x\n%.o: %.c\n./program: a.o\n", Some("./program")),
        ("BIN ?= tool\nNAME = $(BIN)\n$(NAME): a.o\n", Some("tool")),
        ("${BIN}: a.o\nBIN = tool\n", None),
        ("$(BIN): a.o\nprogram: a.o\n", None),
        ("clean:\n.DEFAULT_GOAL := lib\nlib: a.o\n", Some("lib")),
        ("lib: a.o\nclean:\n.DEFAULT_GOAL = clean\n", None),
        ("app: a.o\n.DEFAULT_GOAL := absent\n", None),
        ("app: CFLAGS = -g\nclean:\napp: a.o\n", None),
        ("a b: x; echo y: z\n", Some("a")),
        ("", None),
    ] {
        assert_eq!(find_goal(text).as_deref(), goal, "{text}");
    }
}

#[test]
fn what_does_something_else_than_build_is_no_goal() {
    for name in [
        "clean",
        "distclean",
        "mrproper",
        "install",
        "uninstall",
        "deploy",
        "publish",
        "release",
        "push",
        "upload",
        "run",
        "start",
        "serve",
        "stop",
        "help",
        "test",
        "check",
        "fmt",
        "format",
        "docker",
        "docker-build",
        "clean-all",
        "install_local",
        "deploy.prod",
        "images/push",
    ] {
        assert_eq!(find_goal(&format!("{name}:\n\ttrue\n")), None, "{name}");
    }
    for name in ["cleaner", "runtime", "installer", "server", "checker.so"] {
        let goal = find_goal(&format!("{name}: a.o\n"));
        assert_eq!(goal.as_deref(), Some(name));
    }
}

#[test]
fn a_build_that_needs_what_acts_is_no_goal() {
    for text in [
        "all: clean program\n",
        "all: a\na: b\nb: install-hooks a\n",
        "STEPS = program deploy\nall: $(STEPS)\n",
        "program: run\n",
    ] {
        assert_eq!(find_goal(text), None, "{text}");
    }
    for text in [
        "all: fmt lint test docs\n",
        "all: run-length.o\n",
        "all: clean.o all\n",
    ] {
        assert_eq!(find_goal(text).as_deref(), Some("all"), "{text}");
    }
    // One that acts leaves room for the next.
    let text = "all: program install\nbuild: program\n";
    assert_eq!(find_goal(text).as_deref(), Some("build"));
}

#[test]
fn of_several_files_make_reads_the_first_by_its_name() {
    let ranks = ["GNUmakefile", "makefile", "Makefile", "a.mk"].map(rank_makefile);
    assert_eq!(ranks, [Some(0), Some(1), Some(2), None]);
}

#[test]
fn variables_that_hold_themselves_come_to_an_end() {
    let mut text = "X = $(X)$(X)\nY = $(Z) $(Z)\nZ = $(Y) $(Y)\n".repeat(50);
    text += "$(X) $(Y): a\n";
    assert_eq!(Makefile::read(&text).targets, [""; 0]);
    let long = format!("X = {}\n$(X)$(X): a\n", "x".repeat(9_000));
    assert_eq!(find_goal(&long), None);
}
