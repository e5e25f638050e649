//! The folder `trials/` is bounded: long outputs are cut in the middle, and old ones make room.

use crate::testbed::{CONFIG, Testbed};

/// Verify prints so many KiB before its number, and the config keeps so much.
fn started(kib: usize, outputs: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        &format!("echo begin\nhead -c {} /dev/zero | tr '\\0' x\necho\necho end >&2\ncat src/* | grep -c '^any$'\n", kib << 10),
    );
    bed.git(&["commit", "-qam", "a talkative verify"]);
    bed.start(&format!("{CONFIG}outputs: {outputs}\n"));
    bed
}

#[test]
fn outputs_file_mib_cuts_a_long_output_in_the_middle_and_the_metric_is_read_before() {
    let bed = started(3 << 10, "{file_mib: 1}");
    assert_eq!(bed.try_count(4), "keep");
    for trial in ["trials/0", "trials/1"] {
        let text = std::fs::read_to_string(bed.run_file(trial).join("verify-1.out")).unwrap();
        assert!(text.len() < (1 << 20) + 100, "{}", text.len());
        assert!(text.starts_with("begin\nxxx"));
        let kept = if trial == "trials/0" { 10 } else { 9 };
        assert!(text.ends_with(&format!("x\n{kept}\n")));
        let missing = text.split('[').nth(1).unwrap();
        let missing: u64 = missing.split(' ').next().unwrap().parse().unwrap();
        assert!(missing > 2 << 20, "{missing}");
        let short = std::fs::read_to_string(bed.run_file(trial).join("verify-1.err")).unwrap();
        assert_eq!(short, "end\n");
    }
    bed.run(&["doctor"]).ok();
}

#[test]
fn outputs_have_bounds_of_their_own() {
    let bed = Testbed::new();
    for wrong in [
        "{file_mib: 0}",
        "{file_mib: 65}",
        "{total_mib: 0}",
        "{all: 1}",
    ] {
        bed.try_start(&format!("{CONFIG}outputs: {wrong}\n"))
            .fails(3)
            .says("outputs");
    }
}
