//! The folder of the anchors is this user's alone, also above it; where it is not, nothing of a run is believed or run.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::testbed::{CONFIG, Testbed, note_skipped};

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A run whose verify leaves a mark each time it runs.
fn marked(make: impl FnOnce(&mut Testbed)) -> Testbed {
    let mut bed = Testbed::new();
    make(&mut bed);
    let mark = bed.home.join("mark");
    bed.write(
        "count.sh",
        &format!(
            "echo x >> {}\ncat src/* | grep -c '^any$'\n",
            mark.display()
        ),
    );
    bed.git(&["commit", "-qam", "mark"]);
    bed.start(CONFIG);
    bed
}

fn marks(bed: &Testbed) -> String {
    std::fs::read_to_string(bed.home.join("mark")).unwrap()
}

/// Nothing is run, and every command says what is wrong with which path.
#[track_caller]
fn is_refused(bed: &Testbed, path: &Path, words: &str) {
    let before = marks(bed);
    bed.edit(3);
    for command in [
        &["trial", "-m", "x"][..],
        &["status"],
        &["resume"],
        &["finish"],
        &["doctor"],
    ] {
        bed.run(command)
            .fails(4)
            .says(&format!("{} {words}", path.display()));
    }
    assert_eq!(marks(bed), before, "verify was run");
}

#[test]
fn a_state_folder_that_others_can_write_is_not_believed() {
    for mode in [0o777, 0o770, 0o1777] {
        let bed = marked(|_| {});
        set_mode(&bed.state, mode);
        is_refused(&bed, &bed.state, "is writable by others");
        bed.try_start(CONFIG).fails(4).says("is writable by others");
        bed.run(&["clean", "--yes"])
            .fails(4)
            .says("is writable by others");
        set_mode(&bed.state, 0o700);
        assert_eq!(bed.try_count(3), "keep");
    }
}

#[test]
fn what_is_kept_of_a_run_is_not_believed_where_others_can_write_it() {
    for name in [
        "",
        "anchor.json",
        "anchor.log",
        "pinned.json",
        "checkpoint.json",
        "made.json",
        "..",
    ] {
        let bed = marked(|_| {});
        let path = match name {
            "" => bed.vault(),
            ".." => bed.state.join("runs"),
            name => bed.vault().join(name),
        };
        set_mode(&path, 0o777);
        is_refused(&bed, &path, "is writable by others");
    }
}

#[test]
fn a_folder_above_that_others_can_write_is_refused_also_behind_a_link() {
    let mut bed = Testbed::new();
    let open = bed.home.join("open");
    std::fs::create_dir(&open).unwrap();
    set_mode(&open, 0o777);
    let link = bed.home.join("link");
    symlink("open", &link).unwrap();
    for state in [open.join("state"), link.join("state")] {
        bed.state = state;
        bed.try_start(CONFIG)
            .fails(4)
            .says(&format!("{} is writable by others", open.display()));
        assert!(!bed.path("autoresearch-results").exists());
        assert!(!open.join("state").exists(), "nothing was made there");
    }
    // In a folder like /tmp nobody can take what is this user's.
    set_mode(&open, 0o1777);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_state_folder_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        note_skipped("only root can give a folder away");
        return;
    }
    for name in ["state", "state/runs", "anchor"] {
        let bed = marked(|_| {});
        let path = match name {
            "anchor" => bed.vault().join("anchor.json"),
            name => bed.state.with_file_name(name),
        };
        chown(&path, Some(65_533), Some(65_533)).unwrap();
        is_refused(&bed, &path, "belongs to another user (65533)");
    }
    // Above it: the owner could put another folder in its place.
    let bed = marked(|bed| {
        bed.state = bed.home.join("theirs/state");
        std::fs::create_dir(bed.home.join("theirs")).unwrap();
    });
    let above = bed.home.join("theirs");
    chown(&above, Some(65_533), None).unwrap();
    is_refused(&bed, &above, "belongs to another user (65533)");
}

#[test]
fn a_user_without_a_home_is_refused_with_the_remedy_and_nothing_is_made() {
    let mut bed = Testbed::new();
    // Everybody may write to `/var/tmp`: what stands there under a name that can be guessed is not believed.
    bed.state = format!("{}0/state", autoresearch_sys::env::NO_HOME).into();
    bed.try_start(CONFIG)
        .fails(6)
        .says("this user has no home folder in the user database")
        .says("usermod -d");
    assert!(!bed.path("autoresearch-results").exists());
    bed.run(&["doctor"]).fails(4).says("no home folder");
    // A run that came with a clone is not looked at either.
    let home = Testbed::started(CONFIG);
    let state = std::mem::replace(&mut bed.state, home.state.clone());
    let theirs = Testbed { state, ..home };
    theirs.edit(3);
    theirs
        .run(&["trial", "-m", "x"])
        .fails(6)
        .says("no home folder");
}

#[test]
fn a_state_folder_that_others_can_read_is_closed_by_the_next_command_that_acts() {
    let bed = marked(|_| {});
    set_mode(&bed.state, 0o755);
    bed.run(&["status"]).ok();
    assert_eq!(bed.try_count(4), "keep");
    let mode = bed.state.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
