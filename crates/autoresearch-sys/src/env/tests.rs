//! Ids, clocks, programs on the path, and what a process knows of its surroundings.

use super::*;

#[test]
fn a_random_id_has_32_digits_and_is_another_each_time() {
    let (one, other) = (make_random_id().unwrap(), make_random_id().unwrap());
    for id in [&one, &other] {
        assert_eq!(id.len(), 32);
        assert!(id.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
    }
    assert_ne!(one, other);
}

#[test]
fn a_program_is_the_first_executable_file_of_an_absolute_folder_of_path() {
    use std::os::unix::fs::PermissionsExt;
    let base = tempfile::tempdir().unwrap();
    let file = |name: &str, mode: u32| {
        let path = base.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    file("text/tool", 0o644);
    std::fs::create_dir_all(base.path().join("folder/tool")).unwrap();
    let tool = file("bin/tool", 0o755);
    file("later/tool", 0o755);
    let found = |folders: &[&str]| {
        let folders = folders.iter().map(|folder| base.path().join(folder));
        let path = std::env::join_paths(folders).unwrap();
        World::find_program(&BTreeMap::from([("PATH".into(), path)]), "tool")
    };
    assert_eq!(
        found(&["text", "folder", "absent", "bin", "later"]),
        Some(tool)
    );
    assert_eq!(found(&["text"]), None);
    let relative = BTreeMap::from([("PATH".into(), OsString::from("bin:."))]);
    assert_eq!(World::find_program(&relative, "tool"), None);
    assert_eq!(World::find_program(&BTreeMap::new(), "tool"), None);
}

#[test]
fn a_time_that_is_none_is_shown_as_it_is() {
    for text in ["", "yesterday", "2026-13-01T00:00:00Z"] {
        assert_eq!(clock_text_of(text), text);
    }
    let known = clock_text_of("2026-11-25T23:58:53Z");
    assert!(known.contains(":58:53") && known.contains("UTC"), "{known}");
    assert_eq!(clock_text(u64::MAX), "unknown");
}

#[test]
fn a_path_is_shown_as_it_is_seen_from_a_folder() {
    let seen = |folder: &str, path: &str| {
        let seen = seen_from(Path::new(folder), Path::new(path));
        seen.map(|seen| seen.display().to_string())
    };
    let path = "/home/a/repo/results/x";
    assert_eq!(seen("/home/a/repo", path).as_deref(), Some("results/x"));
    assert_eq!(seen("/", path).as_deref(), Some("home/a/repo/results/x"));
    assert_eq!(
        seen("/home/a/repo/src/api", path).as_deref(),
        Some("../../results/x")
    );
    assert_eq!(seen("/home/a/repo/results/x", path).as_deref(), Some("."));
    assert_eq!(seen("/tmp", path), None, "nothing in common but the root");
    assert_eq!(seen("/home/a/1/2/3/4/5/6", path), None, "too far");
}

fn make_world(program: &str, now: &str) -> World {
    World {
        cwd: PathBuf::from("/r"),
        reader_at: None,
        program: PathBuf::from(program),
        state_folder: PathBuf::from("/s"),
        data_folder: PathBuf::from("/d"),
        vars: BTreeMap::from([("NAME".into(), "value".into())]),
        clock: Clock::Fixed(now.parse().unwrap()),
        session: None,
        role: ProcessRole::Command,
        patience: OutagePatience::default(),
        load: || None,
        step: |_| {},
        progress: |_| {},
        interrupted: Arc::new(AtomicBool::new(false)),
        dealing: Arc::new(AtomicBool::new(false)),
    }
}

#[test]
fn a_clock_that_stands_still_is_told_in_whole_seconds_and_in_milliseconds() {
    for (now, text, ms) in [
        (
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05Z",
            1_767_323_045_678,
        ),
        (
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05Z",
            1_767_323_045_000,
        ),
        (
            "2026-01-02T05:04:05.9999+02:00",
            "2026-01-02T03:04:05Z",
            1_767_323_045_999,
        ),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", 0),
    ] {
        let world = make_world("/bin/autoresearch", now);
        assert_eq!(
            (world.now_text().as_str(), world.now_ms()),
            (text, ms),
            "{now}"
        );
    }
}

#[test]
fn the_next_time_of_day_is_within_a_day_and_shows_that_time_on_the_clock_of_the_user() {
    let day = Duration::from_hours(24).as_millis();
    for now in [
        "2026-01-02T03:04:05Z",
        "2026-06-30T23:59:59.999Z",
        "2028-02-29T12:00:00Z",
    ] {
        let world = make_world("/bin/autoresearch", now);
        for text in ["0:00", "7:30", "12:00", "23:59"] {
            let time = TimeOfDay::parse(text).unwrap();
            let ms = world.next_time_of_day_ms(time);
            let wait = u128::from(ms - world.now_ms());
            // Summer time begins and ends with a day that is an hour shorter or longer.
            assert!(
                wait <= day + day / 24 && ms > world.now_ms(),
                "{now} {text}: {wait}"
            );
            let moment = Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap();
            let local = moment.to_zoned_datetime(time_zone().unwrap_or(TimeZone::UTC));
            let shown = local.strftime("%-H:%M:%S").to_string();
            assert_eq!(shown, format!("{text}:00"), "{now}");
        }
    }
}

#[test]
fn the_main_program_is_beside_its_other_names() {
    for (called, main) in [
        ("/opt/bin/autoresearch", "/opt/bin/autoresearch"),
        ("/opt/bin/autoresearch-hook", "/opt/bin/autoresearch"),
        ("/opt/bin/autoresearch-supervisor", "/opt/bin/autoresearch"),
        ("/opt/bin-hook/other", "/opt/bin-hook/other"),
        ("/", "/"),
    ] {
        let world = make_world(called, "2026-01-02T03:04:05Z");
        assert_eq!(world.main_program(), Path::new(main), "{called}");
    }
}

#[test]
fn a_path_is_whole_where_nobody_is_known_to_read_it_or_where_they_stand_far_away() {
    let mut world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
    let show = |world: &World| world.path_from_here(Path::new("/r/autoresearch-results/fast"));
    assert_eq!(show(&world), "/r/autoresearch-results/fast");
    for (place, shown) in [
        ("/r", "autoresearch-results/fast"),
        ("/r/src", "../autoresearch-results/fast"),
        ("/elsewhere", "/r/autoresearch-results/fast"),
    ] {
        world.reader_at = Some(PathBuf::from(place));
        assert_eq!(show(&world), shown, "{place}");
    }
}

#[test]
fn a_variable_is_found_by_its_whole_name() {
    let world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
    assert_eq!(world.find_variable("NAME"), Some(&OsString::from("value")));
    assert_eq!(
        ["NAM", "name", ""].map(|name| world.find_variable(name)),
        [None; 3]
    );
}

#[test]
fn an_interruption_is_seen_by_every_copy_of_the_world() {
    let world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
    let copy = world.clone();
    assert!(!copy.is_interrupted());
    world.interrupted.store(true, Ordering::Relaxed);
    assert!(copy.is_interrupted() && !copy.dealing.load(Ordering::Relaxed));
    copy.deal_with_interruption();
    assert!(world.dealing.load(Ordering::Relaxed));
}

proptest::proptest! {
    #[test]
    fn a_path_that_is_shown_from_a_folder_leads_back_to_it(
        folder in proptest::collection::vec("[ab]", 0..7),
        path in proptest::collection::vec("[ab]", 0..7),
    ) {
        let absolute = |parts: &[String]| Path::new("/").join(parts.join("/"));
        let (folder, path) = (absolute(&folder), absolute(&path));
        if let Some(seen) = seen_from(&folder, &path) {
            let mut at = folder;
            for part in seen.components() {
                match part {
                    std::path::Component::ParentDir => assert!(at.pop()),
                    std::path::Component::CurDir => {}
                    part => at.push(part),
                }
            }
            assert_eq!(at, path);
        } else {
            assert!(!path.starts_with(&folder), "below the folder it is always shown");
        }
    }
}
