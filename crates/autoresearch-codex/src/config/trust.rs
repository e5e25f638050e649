//! Owns what `config.toml` says of our hooks: whether they are trusted, and taking that out again.
//! Does not give trust: Codex does, through its app server.
//! Invariant: only keys of trust are touched; comments and order of the rest stay.

use toml_edit::{DocumentMut, Item, TableLike};

/// What the configuration says of one hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookState {
    /// The hash of the hook that the user trusts.
    pub trusted_hash: Option<String>,
    /// Was it switched off?
    pub disabled: bool,
}

/// What a configuration says.
pub struct TrustConfig(DocumentMut);

impl TrustConfig {
    pub fn parse_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error: toml_edit::TomlError| {
                let before = error.span().and_then(|span| text.get(..span.start));
                let place = before.map_or_else(String::new, |before| {
                    format!(" at line {}", before.matches('\n').count() + 1)
                });
                format!("is not valid TOML: {}{place}", error.message())
            })
    }

    fn find_state_table(&self) -> Option<&dyn TableLike> {
        let hooks = self.0.get("hooks")?.as_table_like()?;
        hooks.get("state")?.as_table_like()
    }

    /// What it says of the hook with this key.
    #[must_use]
    pub fn find_hook_state(&self, key: &str) -> Option<HookState> {
        let state = self.find_state_table()?.get(key)?.as_table_like()?;
        Some(HookState {
            trusted_hash: state
                .get("trusted_hash")
                .and_then(Item::as_str)
                .map(ToOwned::to_owned),
            disabled: state.get("enabled").and_then(Item::as_bool) == Some(false),
        })
    }

    /// Are hooks switched off altogether?
    #[must_use]
    pub fn are_hooks_off(&self) -> bool {
        let features = self.0.get("features").and_then(Item::as_table_like);
        features
            .and_then(|features| features.get("hooks")?.as_bool())
            .is_some_and(|on| !on)
    }

    /// Is the plugin of this name switched on, from any marketplace?
    #[must_use]
    pub fn has_plugin(&self, name: &str) -> bool {
        let plugins = self.0.get("plugins").and_then(Item::as_table_like);
        plugins.is_some_and(|plugins| {
            plugins.iter().any(|(key, value)| {
                let on = value
                    .as_table_like()
                    .and_then(|plugin| plugin.get("enabled")?.as_bool());
                key.split('@').next() == Some(name) && on == Some(true)
            })
        })
    }
}

/// The text without these keys of trust, except those that the original had; tables that the original did not have go
/// when they are empty.
pub fn remove_trust_keys(
    text: &str,
    keys: &[String],
    original: Option<&str>,
) -> Result<String, String> {
    let before = TrustConfig::parse_text(original.unwrap_or_default())?;
    let mut config = TrustConfig::parse_text(text)?;
    let added = |key: &&String| {
        before.find_hook_state(key).is_none() && config.find_hook_state(key).is_some()
    };
    let added: Vec<&String> = keys.iter().filter(added).collect();
    if added.is_empty() {
        return Ok(text.to_owned());
    }
    let Some(hooks) = config.0.get_mut("hooks").and_then(Item::as_table_like_mut) else {
        return Ok(text.to_owned());
    };
    if let Some(states) = hooks.get_mut("state").and_then(Item::as_table_like_mut) {
        for key in added {
            states.remove(key);
        }
        if states.is_empty() && before.find_state_table().is_none() {
            hooks.remove("state");
        }
    }
    if hooks.is_empty() && before.0.get("hooks").is_none() {
        config.0.remove("hooks");
    }
    Ok(config.0.to_string())
}

/// The text with keys of trust under other names, for hooks that moved up. Keys that are written in an unusual way stay.
#[must_use]
pub fn rename_trust_keys(text: &str, moves: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in moves {
        let quoted = |key: &str| toml_edit::Key::new(key).to_string();
        let renamed = text.replace(&quoted(from), &quoted(to));
        // A place that already has its own trust is not overwritten.
        let free =
            TrustConfig::parse_text(&text).is_ok_and(|config| config.find_hook_state(to).is_none());
        if free && TrustConfig::parse_text(&renamed).is_ok() {
            text = renamed;
        }
    }
    text
}

/// The lines that Codex will add, for the person to see before the yes.
#[must_use]
pub fn preview_trust_lines(text: &str, keys: &[String]) -> String {
    let mut lines = String::from(text);
    let known = TrustConfig::parse_text(text).ok();
    let is_known = |key: &str| {
        known
            .as_ref()
            .is_some_and(|config| config.find_hook_state(key).is_some())
    };
    for key in keys.iter().filter(|key| !is_known(key)) {
        let quoted = toml_edit::Key::new(key.as_str());
        lines = format!(
            "{lines}\n[hooks.state.{quoted}]\ntrusted_hash = \"sha256:... (Codex computes it)\"\n"
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str =
        "# mine\nmodel = \"m\"   # odd\n\n[projects.\"/x\"]\ntrust_level=\"trusted\"\n";

    fn trusted(text: &str) -> String {
        format!(
            "{text}\n[hooks.state]\n\n[hooks.state.\"/h/hooks.json:stop:1:0\"]\ntrusted_hash = \"sha256:1\"\n"
        )
    }

    #[test]
    fn taking_our_keys_out_gives_the_users_bytes_back() {
        let keys = ["/h/hooks.json:stop:1:0".to_owned()];
        assert_eq!(
            remove_trust_keys(&trusted(USERS), &keys, Some(USERS)).unwrap(),
            USERS
        );
        assert_eq!(remove_trust_keys(&trusted(""), &keys, None).unwrap(), "");
        let more = trusted(USERS) + "\n# new\n[projects.\"/y\"]\ntrust_level = \"trusted\"\n";
        assert_eq!(
            remove_trust_keys(&more, &keys, Some(USERS)).unwrap(),
            format!("{USERS}\n# new\n[projects.\"/y\"]\ntrust_level = \"trusted\"\n")
        );
    }

    #[test]
    fn the_state_of_a_hook_is_read() {
        let config = TrustConfig::parse_text(&trusted(USERS)).unwrap();
        let state = config.find_hook_state("/h/hooks.json:stop:1:0").unwrap();
        assert_eq!(state.trusted_hash.as_deref(), Some("sha256:1"));
        assert!(!state.disabled && !config.are_hooks_off());
        assert!(
            TrustConfig::parse_text("features = {hooks = false}")
                .unwrap()
                .are_hooks_off()
        );
    }

    #[test]
    fn trust_of_hooks_behind_ours_moves_up_with_them() {
        let moves = [(
            "/h/hooks.json:stop:1:0".to_owned(),
            "/h/hooks.json:stop:0:0".to_owned(),
        )];
        let text = rename_trust_keys(&trusted(USERS), &moves);
        assert!(
            text.contains("[hooks.state.\"/h/hooks.json:stop:0:0\"]"),
            "{text}"
        );
    }

    #[test]
    fn a_hook_is_trusted_off_or_unknown_by_its_own_table() {
        let key = "/h/hooks.json:stop:1:0";
        let state = |hash: Option<&str>, disabled| {
            Some(HookState {
                trusted_hash: hash.map(ToOwned::to_owned),
                disabled,
            })
        };
        for (text, expected) in [
            ("", None),
            ("hooks = 1", None),
            ("[hooks]\nstate = []", None),
            (
                "[hooks.state.\"/h/hooks.json:stop:0:0\"]\ntrusted_hash = \"1\"",
                None,
            ),
            ("[hooks.state]\n\"/h/hooks.json:stop:1:0\" = 1", None),
            (
                "[hooks.state.\"/h/hooks.json:stop:1:0\"]",
                state(None, false),
            ),
            (
                "[hooks.state.'/h/hooks.json:stop:1:0']\ntrusted_hash = \"1\"",
                state(Some("1"), false),
            ),
            (
                "[hooks.state.\"/h/hooks.json:stop:1:0\"]\nenabled = true\ntrusted_hash = 1",
                state(None, false),
            ),
            (
                "[hooks.state.\"/h/hooks.json:stop:1:0\"]\nenabled = false",
                state(None, true),
            ),
            (
                "hooks = {state = {\"/h/hooks.json:stop:1:0\" = {trusted_hash = \"1\", enabled = false}}}",
                state(Some("1"), true),
            ),
        ] {
            let config = TrustConfig::parse_text(text).unwrap();
            assert_eq!(config.find_hook_state(key), expected, "{text}");
        }
    }

    #[test]
    fn hooks_are_off_only_if_the_feature_is_switched_off() {
        for (text, off) in [
            ("", false),
            ("[features]\n", false),
            ("[features]\nhooks = true", false),
            ("[features]\nhooks = \"false\"", false),
            ("features = 1", false),
            ("[hooks]\nfeatures = false", false),
            ("[features]\nhooks = false", true),
            ("features.hooks = false # for now", true),
        ] {
            let config = TrustConfig::parse_text(text).unwrap();
            assert_eq!(config.are_hooks_off(), off, "{text}");
        }
    }

    #[test]
    fn a_plugin_is_there_if_it_is_switched_on_whatever_its_marketplace() {
        for (text, there) in [
            ("", false),
            ("plugins = []", false),
            ("[plugins.a]", false),
            ("[plugins.\"a@b\"]\nenabled = false", false),
            ("[plugins.\"aa@b\"]\nenabled = true", false),
            ("[plugins.\"b@a\"]\nenabled = true", false),
            ("[plugins.a]\nenabled = true", true),
            ("[plugins.\"a@b\"]\nenabled = true", true),
            (
                "plugins = {\"x@y\" = {enabled = false}, \"a@y\" = {enabled = true}}",
                true,
            ),
        ] {
            let config = TrustConfig::parse_text(text).unwrap();
            assert_eq!(config.has_plugin("a"), there, "{text}");
        }
    }

    #[test]
    fn only_tables_that_the_original_did_not_have_go_when_they_are_empty() {
        let keys = ["a".to_owned(), "b".to_owned()];
        for (original, text, expected) in [
            (None, "[hooks.state.a]\n", ""),
            (
                None,
                "x = 1\n\n[hooks.state.a]\n[hooks.state.b]\n",
                "x = 1\n",
            ),
            (
                None,
                "[hooks.state.a]\n[hooks.state.c]\n",
                "[hooks.state.c]\n",
            ),
            (
                None,
                "[hooks]\ny = 1\n[hooks.state.a]\n",
                "[hooks]\ny = 1\n",
            ),
            (None, "hooks = {state = {a = {}}}\n", ""),
            (Some("[hooks]\n"), "[hooks]\n[hooks.state.a]\n", "[hooks]\n"),
            (
                Some("[hooks.state]\n"),
                "[hooks.state]\n[hooks.state.a]\n",
                "[hooks.state]\n",
            ),
            // The user had trusted `a` before us.
            (
                Some("[hooks.state.a]\n"),
                "[hooks.state.a]\n[hooks.state.b]\n",
                "[hooks.state.a]\n",
            ),
            (
                Some("[hooks.state.a]\n"),
                "[hooks.state.a]\n",
                "[hooks.state.a]\n",
            ),
            (None, "hooks = 3\n", "hooks = 3\n"),
            (None, "", ""),
        ] {
            assert_eq!(
                remove_trust_keys(text, &keys, original).unwrap(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_that_is_not_toml_is_refused_and_never_changed() {
        let fault = |text: &str| TrustConfig::parse_text(text).err().unwrap();
        assert!(fault("a = ").starts_with("is not valid TOML: "));
        assert!(fault("a = 1\n\n= é").ends_with(" at line 3"));
        assert!(remove_trust_keys("a = ", &[], None).is_err());
        assert!(remove_trust_keys("", &[], Some("a = ")).is_err());
        let moves = [("a".to_owned(), "b".to_owned())];
        assert_eq!(rename_trust_keys("\"a\" = ", &moves), "\"a\" = ");
    }

    #[test]
    fn trust_moves_up_one_place_after_the_other_and_never_over_another_trust() {
        let key = |group: usize| format!("/h/hooks.json:stop:{group}:0");
        let table = |group: usize, hash: &str| {
            format!(
                "[hooks.state.\"{}\"]\ntrusted_hash = \"{hash}\"\n",
                key(group)
            )
        };
        let up = [(key(2), key(1)), (key(3), key(2))];
        for (text, expected) in [
            (
                table(2, "x") + &table(3, "y"),
                table(1, "x") + &table(2, "y"),
            ),
            (table(3, "y"), table(2, "y")),
            (table(0, "w"), table(0, "w")),
            (
                table(1, "v") + &table(2, "x"),
                table(1, "v") + &table(2, "x"),
            ),
            (
                "# 2\n".to_owned() + &table(2, "x"),
                "# 2\n".to_owned() + &table(1, "x"),
            ),
        ] {
            assert_eq!(rename_trust_keys(&text, &up), expected);
        }
    }

    #[test]
    fn the_preview_shows_a_table_for_each_key_that_is_not_known_yet() {
        let keys = [
            "/h/hooks.json:stop:1:0".to_owned(),
            "/h/\"q\":stop:0:0".to_owned(),
        ];
        insta::assert_snapshot!(preview_trust_lines("model = \"m\"\n", &keys), @r#"
        model = "m"

        [hooks.state."/h/hooks.json:stop:1:0"]
        trusted_hash = "sha256:... (Codex computes it)"

        [hooks.state.'/h/"q":stop:0:0']
        trusted_hash = "sha256:... (Codex computes it)"
        "#);
        insta::assert_snapshot!(preview_trust_lines(&trusted(USERS), &keys), @r#"
        # mine
        model = "m"   # odd

        [projects."/x"]
        trust_level="trusted"

        [hooks.state]

        [hooks.state."/h/hooks.json:stop:1:0"]
        trusted_hash = "sha256:1"

        [hooks.state.'/h/"q":stop:0:0']
        trusted_hash = "sha256:... (Codex computes it)"
        "#);
        let preview = preview_trust_lines("", &keys);
        assert!(
            TrustConfig::parse_text(&preview)
                .unwrap()
                .find_hook_state(&keys[1])
                .is_some()
        );
    }

    proptest::proptest! {
        #[test]
        fn keys_of_any_path_that_codex_adds_are_taken_out_again(path in "/[a-zA-Zé .'\"\\\\-]{1,12}", groups in 1..4_usize) {
            let keys: Vec<String> = (0..groups).map(|group| format!("{path}:stop:{group}:0")).collect();
            let text = preview_trust_lines(USERS, &keys);
            let config = TrustConfig::parse_text(&text).unwrap();
            proptest::prop_assert!(keys.iter().all(|key| config.find_hook_state(key).is_some()));
            proptest::prop_assert_eq!(&preview_trust_lines(&text, &keys), &text);
            proptest::prop_assert_eq!(remove_trust_keys(&text, &keys, Some(USERS)).unwrap(), USERS);
        }
    }
}
