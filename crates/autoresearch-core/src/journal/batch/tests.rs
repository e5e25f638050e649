//! How a worker of a batch is named and written.

use super::*;

#[test]
fn a_worker_is_named_by_its_batch_and_a_letter() {
    let names: Vec<String> = WorkerId::list_of(5)
        .map(|worker| worker.to_string())
        .collect();
    assert_eq!(names, ["5a", "5b", "5c"]);
    for (index, name) in names.iter().enumerate() {
        let worker: WorkerId = name.parse().unwrap();
        assert_eq!((worker.batch, worker.index()), (5, index));
        assert_eq!(worker.to_string(), *name);
    }
    for wrong in [
        "",
        "5",
        "a",
        "5d",
        "5A",
        "+5a",
        "5 a",
        "5ä",
        "99999999999a",
        "-5a",
    ] {
        assert!(wrong.parse::<WorkerId>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_worker_is_written_as_its_name() {
    let worker: WorkerId = serde_json::from_str("\"12c\"").unwrap();
    assert_eq!(serde_json::to_string(&worker).unwrap(), "\"12c\"");
    assert!(serde_json::from_str::<WorkerId>("\"12\"").is_err());
}
