//! Prints what the rule for a metric does over simulated nights: `cargo run --release -p autoresearch-tests --bin noise --
//! [--nights N] [--seed N] [--only TEXT]`. `crates/docs/decisions.md` has figures of it.

mod machine;
mod night;
#[cfg(test)]
mod quick;
mod table;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let find = |name: &str| {
        let place = words.iter().position(|word| word == name)?;
        words.get(place + 1).cloned()
    };
    let number =
        |name: &str, usual: u64| find(name).map_or(Some(usual), |text| text.parse::<u64>().ok());
    let (Some(nights), Some(seed)) = (number("--nights", 400), number("--seed", 1)) else {
        return ExitCode::from(2);
    };
    let only = find("--only").unwrap_or_default();
    let mut out = std::io::stdout();
    let mut written = writeln!(out, "{}", table::HEADER);
    for (name, landscape) in table::list_landscapes() {
        for pace in [machine::VERIFY_BOUND, machine::AGENT_BOUND] {
            let title = format!("{} {name}", pace.name);
            if title.contains(&only) {
                let figures = table::play_nights(landscape, pace, seed, nights);
                written = written.and_then(|()| writeln!(out, "{}", figures.write_row(&title)));
            }
        }
    }
    if written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
