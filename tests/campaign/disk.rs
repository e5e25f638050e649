//! Owns the campaign of full disks and of limits: what there is too little of in which command, and since when.
//! Does not judge: `life` knows what must be true as soon as there is room again.
//! Invariant: where this machine cannot make a disk full or set a limit, the line of figures says so.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::{Resource, Rlimit};

use super::Figures;
use super::asked::Asked;
use super::bench::{Bench, Started, make_folder};
use super::dice::Dice;
use super::life::{Life, Pace};
use super::rounds;
use super::small_disk::{SmallDisk, can_mount};

/// Times in one round at which there is too little of something.
const TIMES: u64 = 10;

/// What there is too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// The disk of a part of the bench is full.
    Disk,
    /// No file grows beyond a length, and whoever tries is killed.
    Length,
    /// The same from a step of the journal's protocol on, as an error.
    LengthFromStep,
    /// No more files can be opened.
    Files,
    /// No more processes can be started.
    Processes,
}

impl Lack {
    fn word(self) -> &'static str {
        match self {
            Self::Disk => "full disks",
            Self::Length => "limits of a file's length",
            Self::LengthFromStep => "from a step on",
            Self::Files => "limits of open files",
            Self::Processes => "limits of processes",
        }
    }
}

/// The exit code of a program that could not be loaded.
const UNLOADED: i32 = 127;

/// Steps from which on no file grows.
const STEPS: [&str; 12] = [
    "anchor intent",
    "journal intent",
    "git stage",
    "git tree",
    "git commit",
    "git head",
    "git index",
    "verify",
    "anchor verdict",
    "git restore",
    "git head back",
    "view table",
];

/// What can be tried here.
struct Means {
    lacks: Vec<Lack>,
    /// What cannot, and why.
    remark: String,
}

impl Means {
    fn find() -> Self {
        let mut lacks = vec![Lack::Length, Lack::LengthFromStep, Lack::Files];
        let mut remarks = Vec::new();
        match can_mount() {
            Ok(()) => lacks.extend([Lack::Disk, Lack::Disk, Lack::Disk]),
            Err(why) => remarks.push(format!("no full disk, as nothing can be mounted ({why})")),
        }
        if rustix::process::geteuid().is_root() {
            remarks.push("no limit of processes, as root has none".to_owned());
        } else {
            lacks.push(Lack::Processes);
        }
        let remark = if remarks.is_empty() {
            String::new()
        } else {
            format!("; here {}", remarks.join(", and "))
        };
        Self { lacks, remark }
    }
}

/// Fills disks and sets limits in small runs, until the rounds are over.
pub(crate) fn try_disks(asked: &Asked) -> Figures {
    let means = Means::find();
    let mut pace = Pace::default();
    let mut met: BTreeMap<Lack, u64> = BTreeMap::new();
    let mut failed = 0;
    let tried = rounds::try_rounds(asked, 1, |round, dice| {
        let mut life = Life::begin(make_bench(&means, dice), dice);
        for time in 1..=TIMES {
            let lack = dice.pick(&means.lacks);
            let case = format!("time {time} of round {round}: {lack:?}");
            let has_failed = lack_once(&mut life, lack, (dice, &mut pace), &case);
            failed += u64::from(has_failed);
            *met.entry(lack).or_default() += 1;
            if dice.chance(20) {
                let act = life.choose_act(dice);
                life.do_unharmed(act, &case);
            }
        }
        life.end();
    });
    let shares = met
        .iter()
        .map(|(lack, count)| format!("{count} {}", lack.word()));
    let shares: Vec<String> = shares.collect();
    Figures {
        line: format!(
            "{}; {} times too little ({}), in {failed} of these the command failed{}",
            tried.opening(asked),
            met.values().sum::<u64>(),
            shares.join(", "),
            means.remark
        ),
        held: tried.broken == 0,
    }
}

/// A bench of which one part, or all, is on a small disk.
fn make_bench(means: &Means, dice: &mut Dice) -> Bench {
    let folder = make_folder();
    let part = dice.below(4);
    let small = folder.path().canonicalize().unwrap().join("small");
    let disk = means
        .lacks
        .contains(&Lack::Disk)
        .then(|| SmallDisk::mount(&small));
    let is_small = disk.is_some();
    let mut bench = Bench::new(folder, |base| {
        let mut places = Bench::side_by_side(base);
        let parts: [&mut std::path::PathBuf; 3] =
            [&mut places.repo, &mut places.state, &mut places.temporary];
        for (number, place) in (0..).zip(parts) {
            if is_small && (part == 3 || part == number) {
                *place = small.join(place.file_name().unwrap());
            }
        }
        places
    });
    bench.disk = disk;
    bench
}

/// One command that has too little of something, and the look at what is left when there is room again; did it fail?
fn lack_once(
    life: &mut Life,
    lack: Lack,
    (dice, pace): (&mut Dice, &mut Pace),
    case: &str,
) -> bool {
    let act = life.choose_act(dice);
    let case = format!("{case}, {act:?}");
    let words = life.prepare(act);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = life.bench.tool(&words);
    let bytes = dice.pick(&[0, 100, 1_000, 5_000, 20_000]);
    if lack == Lack::LengthFromStep {
        command.env("SEALED_FULL", format!("{}:{bytes}", dice.pick(&STEPS)));
    }
    let usual = u64::try_from(pace.of(act).as_micros()).unwrap_or(u64::MAX);
    let moment = if dice.chance(30) {
        Duration::ZERO
    } else {
        Duration::from_micros(dice.below(usual.max(1)))
    };
    let files = 3 + dice.below(30);
    let mut started = life.bench.started(command);
    let disk = life.bench.disk.as_ref().filter(|_| lack == Lack::Disk);
    let is_met = started.outlasts(moment);
    if is_met {
        match lack {
            Lack::Disk => disk.unwrap().fill(bytes / 4_096 * 4_096),
            Lack::Length => limit(&started, Resource::Fsize, bytes),
            Lack::Files => limit(&started, Resource::Nofile, files),
            Lack::Processes => limit(&started, Resource::Nproc, 1),
            Lack::LengthFromStep => {}
        }
    }
    let age = started.age();
    let said = started.finish();
    if let Some(disk) = disk.filter(|_| is_met) {
        let looked = life.bench.run(&["status"]);
        assert!(looked.code < 64, "{case}, a look meanwhile: {looked:?}");
        disk.make_room();
    }
    // A loader that can open no library has not even begun.
    let is_killed =
        (said.code == -1 && lack == Lack::Length) || (said.code == UNLOADED && lack == Lack::Files);
    assert!(
        is_killed || (0..64).contains(&said.code),
        "{case}: {said:?}"
    );
    if said.code == 0 {
        pace.learn(act, age);
    }
    life.note_answer(act, &said);
    let next = dice.pick::<&[&str]>(&[&[], &["status"], &["doctor", "--repair"], &["log"]]);
    life.converge(act, next, &format!("{case}, {said:?}"));
    said.code != 0
}

/// Sets a limit of a process, and of everything that it starts from now on.
fn limit(started: &Started<'_>, what: Resource, most: u64) {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    // It may have ended meanwhile.
    let _ = rustix::process::prlimit(Some(started.pid()), what, limit);
}
