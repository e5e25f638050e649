//! Owns the edit of the user's `hooks.json`: our groups in, our groups out.
//! Does not write the file, and does not touch groups of others.
//! Invariant: our group stands last when it is added, because keys of trust count the groups before.

use serde_json::Value;

use super::json_text::{Node, append, parse, take_out};
use crate::home::{HOOKS, Hook};

/// Where one of our hooks stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The group in the list of its event.
    pub group: usize,
    /// The handler in the group.
    pub handler: usize,
    /// Is the handler, alone in its group, exactly as we write it?
    pub exact: bool,
    /// How many groups stand behind it?
    pub behind: usize,
    /// Is it the only handler of its group?
    pub alone: bool,
}

fn group(hook: &Hook, program: &str) -> String {
    let quote = |text: &str| Value::from(text).to_string();
    let mut handler = format!(
        "\"type\": \"command\", \"command\": {}, \"timeout\": {}",
        quote(&hook.command(program)),
        hook.timeout
    );
    if let Some(status) = hook.status {
        handler = format!("{handler}, \"statusMessage\": {}", quote(status));
    }
    format!("{{\"hooks\": [{{{handler}}}]}}")
}

fn list<'n>(root: &'n Node, hook: &Hook) -> Option<&'n Node> {
    root.member("hooks")?.member(hook.event)
}

/// Where this hook stands: every place, in order.
pub fn spots(text: &str, hook: &Hook, program: &str) -> Result<Vec<Spot>, String> {
    let root = parse(text)?;
    let wanted: Value = serde_json::from_str(&group(hook, program)).unwrap_or_default();
    let command = hook.command(program);
    let mut found = Vec::new();
    let Some(list) = list(&root, hook) else {
        return Ok(found);
    };
    for (at, node) in list.children.iter().enumerate() {
        let handlers = node.member("hooks").map_or(&[][..], |list| &list.children);
        for (handler, each) in handlers.iter().enumerate() {
            let is_ours = each
                .member("command")
                .is_some_and(|value| value.value(text) == command);
            if is_ours {
                found.push(Spot {
                    group: at,
                    handler,
                    exact: node.value(text) == wanted,
                    behind: list.children.len() - at - 1,
                    alone: handlers.len() == 1,
                });
            }
        }
    }
    Ok(found)
}

/// How many handlers a group has.
pub fn handlers(text: &str, hook: &Hook, group: usize) -> Result<usize, String> {
    let root = parse(text)?;
    let group = list(&root, hook).and_then(|list| list.children.get(group));
    let handlers = group.and_then(|group| group.member("hooks"));
    Ok(handlers.map_or(0, |list| list.children.len()))
}

/// Do all our hooks stand there, once each and as we write them?
pub fn has_all(text: &str, program: &str) -> Result<bool, String> {
    for hook in &HOOKS {
        let spots = spots(text, hook, program)?;
        if !matches!(spots.as_slice(), [Spot { exact: true, .. }]) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text with our hooks. What of ours stood there in another form is replaced.
pub fn with_ours(text: Option<&str>, program: &str) -> Result<String, String> {
    let Some(text) = text else {
        return Ok(fresh(program));
    };
    let mut text = text.to_owned();
    for hook in &HOOKS {
        let spots = spots(&text, hook, program)?;
        if matches!(spots.as_slice(), [Spot { exact: true, .. }]) {
            continue;
        }
        text = add(&take_all(&text, hook, program)?, hook, program)?;
    }
    Ok(text)
}

fn fresh(program: &str) -> String {
    let lists: Vec<String> = HOOKS
        .iter()
        .map(|hook| {
            format!(
                "    \"{}\": [\n      {}\n    ]",
                hook.event,
                group(hook, program)
            )
        })
        .collect();
    format!("{{\n  \"hooks\": {{\n{}\n  }}\n}}\n", lists.join(",\n"))
}

fn add(text: &str, hook: &Hook, program: &str) -> Result<String, String> {
    let root = parse(text)?;
    let group = group(hook, program);
    if !root.opens_with(text, '{') {
        return Err("is not a JSON object".to_owned());
    }
    let Some(hooks) = root.member("hooks") else {
        let member = format!("\"hooks\": {{\"{}\": [{group}]}}", hook.event);
        return Ok(append(text, &root, &member));
    };
    if !hooks.opens_with(text, '{') {
        return Err("has a member `hooks` that is not an object".to_owned());
    }
    let Some(list) = hooks.member(hook.event) else {
        let member = format!("\"{}\": [{group}]", hook.event);
        return Ok(append(text, hooks, &member));
    };
    if !list.opens_with(text, '[') {
        return Err(format!(
            "has a member `{}` that is not a list of groups",
            hook.event
        ));
    }
    Ok(append(text, list, &group))
}

fn take_all(text: &str, hook: &Hook, program: &str) -> Result<String, String> {
    let mut text = text.to_owned();
    while let Some(spot) = spots(&text, hook, program)?.last() {
        let root = parse(&text)?;
        let Some(list) = list(&root, hook) else { break };
        let group = &list.children[spot.group];
        text = match group.member("hooks").filter(|_| !spot.alone) {
            Some(handlers) => take_out(&text, handlers, spot.handler),
            None => take_out(&text, list, spot.group),
        };
    }
    Ok(text)
}

/// The text without our hooks; `None` if nothing is left of a file that we made.
pub fn without_ours(
    text: &str,
    original: Option<&str>,
    program: &str,
) -> Result<Option<String>, String> {
    let original = original.map(parse).transpose()?;
    let mut text = text.to_owned();
    for hook in &HOOKS {
        if spots(&text, hook, program)?.is_empty() {
            continue;
        }
        text = take_all(&text, hook, program)?;
        let ours = original
            .as_ref()
            .is_none_or(|root| list(root, hook).is_none());
        text = drop_empty(&text, &["hooks", hook.event], ours)?;
    }
    let ours = original
        .as_ref()
        .is_none_or(|root| root.member("hooks").is_none());
    text = drop_empty(&text, &["hooks"], ours)?;
    let empty = parse(&text)?.children.is_empty();
    Ok((original.is_some() || !empty).then_some(text))
}

/// Takes out a member that we made and that holds nothing any more.
fn drop_empty(text: &str, path: &[&str], ours: bool) -> Result<String, String> {
    let root = parse(text)?;
    let mut container = &root;
    let (last, above) = path
        .split_last()
        .map_or(("", path), |(last, above)| (*last, above));
    for key in above {
        let Some(deeper) = container.member(key) else {
            return Ok(text.to_owned());
        };
        container = deeper;
    }
    let at = container.children.iter().position(|child| {
        child.key.as_deref() == Some(last)
            && child.children.is_empty()
            && (child.opens_with(text, '[') || child.opens_with(text, '{'))
    });
    Ok(match at.filter(|_| ours) {
        Some(at) => take_out(text, container, at),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "/home/u/my bin/autoresearch-hook";

    #[test]
    fn our_hooks_go_in_last_and_out_again_without_a_trace() {
        let odd = "{ \"x\":1,\n\t\"hooks\" :{\"Stop\":[ {\"hooks\":[{\"type\":\"command\",\"command\":\"true\"}]} ],\"SessionStart\":[]}}";
        for text in ["{}", "{\n}\n", "{\"hooks\":{}}", odd] {
            let more = with_ours(Some(text), PROGRAM).unwrap();
            assert!(has_all(&more, PROGRAM).unwrap(), "{more}");
            assert_eq!(with_ours(Some(&more), PROGRAM).unwrap(), more);
            let less = without_ours(&more, Some(text), PROGRAM).unwrap();
            assert_eq!(less.as_deref(), Some(text));
        }
        let more = with_ours(Some(odd), PROGRAM).unwrap();
        let spot = spots(&more, &HOOKS[1], PROGRAM).unwrap()[0];
        assert_eq!((spot.group, spot.handler, spot.behind), (1, 0, 0));
        assert!(more.contains("'/home/u/my bin/autoresearch-hook' stop"));
    }

    #[test]
    fn a_file_that_we_made_goes_and_what_others_added_stays() {
        let ours = with_ours(None, PROGRAM).unwrap();
        assert_eq!(without_ours(&ours, None, PROGRAM).unwrap(), None);
        let theirs = ours.replace("\"hooks\": {\n", "\"hooks\": {\n    \"SessionEnd\": [],\n");
        assert_eq!(
            without_ours(&theirs, None, PROGRAM).unwrap().as_deref(),
            Some("{\n  \"hooks\": {\n    \"SessionEnd\": []\n  }\n}\n")
        );
    }

    #[test]
    fn a_handler_that_the_user_put_into_our_group_stays() {
        let ours = with_ours(None, PROGRAM).unwrap();
        let theirs = ours.replace(
            "\"timeout\": 3}",
            "\"timeout\": 3}, {\"type\": \"command\", \"command\": \"mine\"}",
        );
        let left = without_ours(&theirs, None, PROGRAM).unwrap().unwrap();
        let value: Value = serde_json::from_str(&left).unwrap();
        assert_eq!(
            value["hooks"]["Interrupt"][0]["hooks"][0]["command"],
            "mine"
        );
    }

    #[test]
    fn a_file_of_another_shape_is_refused() {
        for text in ["[]", "{\"hooks\":[]}", "{\"hooks\":{\"Stop\":{}}}", "", "{"] {
            assert!(with_ours(Some(text), PROGRAM).is_err(), "{text}");
        }
    }
}
