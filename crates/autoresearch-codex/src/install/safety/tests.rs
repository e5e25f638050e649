//! What happens between the plan and the first write.

use super::lock_installation;
use crate::install::apply_installation;
use crate::install::bench::{InstallBench, Obstacle, ask_for_hooks};
use crate::install::places::{PROGRAM, installed_path};
use crate::install::remove::{RemovalScope, apply_removal, plan_removal};

/// What happens between the plan and the yes, and what is said of it.
const MEANWHILE: [(Obstacle, &str); 5] = [
    (
        |bench| bench.write("home/.codex/hooks.json", "{}"),
        "blocked: /home/.codex/hooks.json was changed while the change was being shown\nhint: nothing was written. Run the command again",
    ),
    (
        |bench| std::fs::remove_file(bench.path("home/.codex/hooks.json")).unwrap(),
        "blocked: /home/.codex/hooks.json was changed while the change was being shown\nhint: nothing was written. Run the command again",
    ),
    (
        |bench| {
            bench.write(
                "home/.local/share/codex-autoresearch/bin/autoresearch",
                "mine",
            );
        },
        "blocked: /home/.local/share/codex-autoresearch/bin/autoresearch was changed while the change was being shown\nhint: nothing was written. Run the command again",
    ),
    (
        |bench| {
            bench.write("home/.local/share/codex-autoresearch/bin/other", "");
            std::os::unix::fs::symlink("none", installed_path(&bench.world, PROGRAM)).unwrap();
        },
        "blocked: /home/.local/share/codex-autoresearch/bin/autoresearch is a broken link\nhint: nothing was written. Create the file that it points to, or remove the link",
    ),
    (
        |bench| std::fs::write(&bench.world.program, "program 2").unwrap(),
        "environment: could not copy /built\ncause: it was changed meanwhile",
    ),
];

#[test]
fn what_changes_between_the_plan_and_the_yes_is_never_overwritten() {
    for (obstacle, expected) in MEANWHILE {
        let mut bench = InstallBench::of_a_user();
        let plan = bench.plan(&ask_for_hooks()).unwrap();
        obstacle(&mut bench);
        let before = bench.read_everything();
        let failure = apply_installation(&bench.world, plan).unwrap_err();
        assert!(
            bench.show_failure(&failure).starts_with(expected),
            "{}",
            bench.show_failure(&failure)
        );
        for (path, (_, bytes)) in &before {
            assert!(path.is_symlink() || path.is_dir() || std::fs::read(path).unwrap() == *bytes);
        }
    }
}

#[test]
fn of_two_installations_at_once_the_second_is_told_to_wait() {
    let bench = InstallBench::of_a_user();
    bench.install(&ask_for_hooks());
    let locked = lock_installation(&bench.world.data_folder).unwrap();
    let plan = plan_removal(&bench.world, RemovalScope::All).unwrap();
    let failure = apply_removal(&bench.world, plan, RemovalScope::All).unwrap_err();
    let expected = "busy: another installation is running\nhint: wait until it is done; a dead process holds no lock";
    assert_eq!(bench.show_failure(&failure), expected);
    std::fs::write(&bench.world.program, "program 2").unwrap();
    let failure = bench.try_install(&ask_for_hooks()).unwrap_err();
    assert_eq!(bench.show_failure(&failure), expected);
    drop(locked);
    bench.remove(RemovalScope::All);
    assert!(!bench.world.data_folder.exists());
}
