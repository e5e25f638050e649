//! Manifests as they are read, and those that cannot be.

use serde_json::json;

use super::*;

/// What is read of a file of this name and text.
fn read(name: &str, text: impl AsRef<[u8]>) -> Option<ManifestContent> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    read_manifest(folder.path(), name).map(|manifest| manifest.content)
}

#[test]
fn toml_becomes_a_document_with_all_its_kinds_of_values() {
    let text = "a = 1\nb = [\"x\", 2.5, true]\nc = {d = 2026-01-02}\n[e.f]\ng = 'h'\n[[i]]\nname = \"one\"\n[[i]]\nname = \"two\"\n";
    let Some(ManifestContent::Document(document)) = read("Cargo.toml", text) else {
        panic!("{text}")
    };
    let expected = json!({
        "a": 1, "b": ["x", 2.5, true], "c": {"d": "2026-01-02"}, "e": {"f": {"g": "h"}}, "i": [{"name": "one"}, {"name": "two"}],
    });
    assert_eq!(document, expected);
}

#[test]
fn json_becomes_a_document_and_all_else_stays_text() {
    assert!(matches!(
        read("package.json", "{\"a\": 1}"),
        Some(ManifestContent::Document(_))
    ));
    assert!(
        matches!(read("Makefile", "all:\n"), Some(ManifestContent::Text(text)) if text == "all:\n")
    );
}

#[test]
fn a_manifest_that_is_broken_too_long_or_no_text_says_nothing() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, text) in [
        ("package.json", b"{\"a\":".to_vec()),
        ("package.json", deep.clone().into_bytes()),
        ("Cargo.toml", b"[a\n".to_vec()),
        ("Cargo.toml", format!("a = {deep}").into_bytes()),
        ("Makefile", b"\xff\xfe".to_vec()),
        ("Makefile", vec![b'a'; (1 << 20) + 1]),
    ] {
        assert!(read(name, text).is_none(), "{name}");
    }
    assert!(read_manifest(std::path::Path::new("/nowhere"), "go.mod").is_none());
}

#[test]
fn a_link_to_a_manifest_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("real"), "{}").unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("package.json")).unwrap();
    assert!(read_manifest(folder.path(), "package.json").is_none());
}

#[test]
fn manifests_are_known_by_their_names_at_any_depth() {
    for name in [
        "Cargo.toml",
        "a/b/package.json",
        "App.sln",
        "x/requirements-dev.txt",
        "build.gradle.kts",
        "mix.exs",
    ] {
        assert!(is_manifest(name), "{name}");
    }
    for name in [
        "cargo.toml",
        "package.json.bak",
        "a/README.md",
        "Cargo.toml/x",
    ] {
        assert!(!is_manifest(name), "{name}");
    }
}
