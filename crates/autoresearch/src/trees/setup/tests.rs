//! How a tree that was filled is known.

use super::*;

#[test]
fn a_mark_counts_for_the_tree_that_was_filled_and_not_for_one_that_was_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let [tree, other, mark] = ["tree", "other", "mark"].map(|name| folder.path().join(name));
    std::fs::create_dir(&tree).unwrap();
    std::fs::create_dir(&other).unwrap();
    assert!(!is_filled(&tree, &mark));
    write_output(&mark, describe_tree(&tree).as_bytes()).unwrap();
    assert!(is_filled(&tree, &mark) && !is_filled(&other, &mark));
    std::fs::write(tree.join("file"), "").unwrap();
    assert!(is_filled(&tree, &mark), "what is in it does not count");
    std::fs::rename(&tree, folder.path().join("old")).unwrap();
    assert!(!is_filled(&tree, &mark));
    std::fs::create_dir(&tree).unwrap();
    assert!(!is_filled(&tree, &mark));
}

#[test]
fn every_problem_of_link_and_copy_is_told_the_first_one_with_its_remedy() {
    refuse_problems(&[]).unwrap();
    let problem = |place: &str| Problem::error(place, "it is gone", "bring it back");
    let failure = refuse_problems(&[problem("link[0]"), problem("copy[1]")]).unwrap_err();
    insta::assert_snapshot!(failure, @r"
    error: link[0]: it is gone
    caused by: copy[1]: it is gone
    hint: bring it back
    ");
}
