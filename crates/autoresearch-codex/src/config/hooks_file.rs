//! Owns the edit of the user's `hooks.json`: our groups in, our groups out.
//! Does not write the file, and does not touch groups of others.
//! Invariant: our group stands last when it is added, because keys of trust count the groups before.

use serde_json::Value;

use super::json_text::{JsonNode, append_child, parse_json, remove_child};
use super::our_hooks::{HOOKS, Hook};

/// Where one of our hooks stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookSpot {
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

fn format_group(hook: &Hook, program: &str) -> String {
    let quote = |text: &str| Value::from(text).to_string();
    let mut handler = format!(
        "\"type\": \"command\", \"command\": {}, \"timeout\": {}",
        quote(&hook.format_command(program)),
        hook.timeout
    );
    if let Some(status) = hook.status {
        handler = format!("{handler}, \"statusMessage\": {}", quote(status));
    }
    format!("{{\"hooks\": [{{{handler}}}]}}")
}

fn find_group_list<'n>(root: &'n JsonNode, hook: &Hook) -> Option<&'n JsonNode> {
    root.find_member("hooks")?.find_member(hook.event)
}

/// Where this hook stands: every place, in order.
pub fn find_spots(text: &str, hook: &Hook, program: &str) -> Result<Vec<HookSpot>, String> {
    let root = parse_json(text)?;
    let wanted: Value = serde_json::from_str(&format_group(hook, program)).unwrap_or_default();
    let mut found = Vec::new();
    let Some(list) = find_group_list(&root, hook) else {
        return Ok(found);
    };
    for (at, node) in list.children.iter().enumerate() {
        let handlers = node
            .find_member("hooks")
            .map_or(&[][..], |list| &list.children);
        for (handler, each) in handlers.iter().enumerate() {
            let command = each.find_member("command");
            let command = command.map(|command| command.parse_value(text));
            let command = command.as_ref().and_then(Value::as_str);
            if command.is_some_and(|command| hook.is_command(command, program)) {
                found.push(HookSpot {
                    group: at,
                    handler,
                    exact: is_as_written(node.parse_value(text), &wanted),
                    behind: list.children.len() - at - 1,
                    alone: handlers.len() == 1,
                });
            }
        }
    }
    Ok(found)
}

/// Is a group of our hook as we write it? Its command may be spelled in any way that is ours.
fn is_as_written(mut group: Value, wanted: &Value) -> bool {
    let place = "/hooks/0/command";
    if let (Some(command), Some(ours)) = (group.pointer_mut(place), wanted.pointer(place)) {
        ours.clone_into(command);
    }
    group == *wanted
}

/// How many handlers a group has.
pub fn count_handlers(text: &str, hook: &Hook, group: usize) -> Result<usize, String> {
    let root = parse_json(text)?;
    let group = find_group_list(&root, hook).and_then(|list| list.children.get(group));
    let handlers = group.and_then(|group| group.find_member("hooks"));
    Ok(handlers.map_or(0, |list| list.children.len()))
}

/// Do all our hooks stand there, once each and as we write them?
pub fn has_all_hooks(text: &str, program: &str) -> Result<bool, String> {
    for hook in &HOOKS {
        let spots = find_spots(text, hook, program)?;
        if !matches!(spots.as_slice(), [HookSpot { exact: true, .. }]) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text with our hooks. What of ours stood there in another form is replaced.
pub fn add_our_hooks(text: Option<&str>, program: &str) -> Result<String, String> {
    let Some(text) = text else {
        return Ok(format_new_file(program));
    };
    let mut text = text.to_owned();
    for hook in &HOOKS {
        let spots = find_spots(&text, hook, program)?;
        if matches!(spots.as_slice(), [HookSpot { exact: true, .. }]) {
            continue;
        }
        text = add_group(&remove_hook(&text, hook, program)?, hook, program)?;
    }
    Ok(text)
}

fn format_new_file(program: &str) -> String {
    let lists: Vec<String> = HOOKS
        .iter()
        .map(|hook| {
            format!(
                "    \"{}\": [\n      {}\n    ]",
                hook.event,
                format_group(hook, program)
            )
        })
        .collect();
    format!("{{\n  \"hooks\": {{\n{}\n  }}\n}}\n", lists.join(",\n"))
}

fn add_group(text: &str, hook: &Hook, program: &str) -> Result<String, String> {
    let root = parse_json(text)?;
    let group = format_group(hook, program);
    if !root.opens_with(text, '{') {
        return Err("is not a JSON object".to_owned());
    }
    let Some(hooks) = root.find_member("hooks") else {
        let member = format!("\"hooks\": {{\"{}\": [{group}]}}", hook.event);
        return Ok(append_child(text, &root, &member));
    };
    if !hooks.opens_with(text, '{') {
        return Err("has a member `hooks` that is not an object".to_owned());
    }
    let Some(list) = hooks.find_member(hook.event) else {
        let member = format!("\"{}\": [{group}]", hook.event);
        return Ok(append_child(text, hooks, &member));
    };
    if !list.opens_with(text, '[') {
        return Err(format!(
            "has a member `{}` that is not a list of groups",
            hook.event
        ));
    }
    Ok(append_child(text, list, &group))
}

fn remove_hook(text: &str, hook: &Hook, program: &str) -> Result<String, String> {
    let mut text = text.to_owned();
    while let Some(spot) = find_spots(&text, hook, program)?.last() {
        let root = parse_json(&text)?;
        let Some(list) = find_group_list(&root, hook) else {
            break;
        };
        let group = &list.children[spot.group];
        text = match group.find_member("hooks").filter(|_| !spot.alone) {
            Some(handlers) => remove_child(&text, handlers, spot.handler),
            None => remove_child(&text, list, spot.group),
        };
    }
    Ok(text)
}

/// The text without our hooks; `None` if nothing is left of a file that we made.
pub fn remove_our_hooks(
    text: &str,
    original: Option<&str>,
    program: &str,
) -> Result<Option<String>, String> {
    let original = original.map(parse_json).transpose()?;
    let mut text = text.to_owned();
    for hook in &HOOKS {
        if find_spots(&text, hook, program)?.is_empty() {
            continue;
        }
        text = remove_hook(&text, hook, program)?;
        let ours = original
            .as_ref()
            .is_none_or(|root| find_group_list(root, hook).is_none());
        text = remove_empty_member(&text, &["hooks", hook.event], ours)?;
    }
    let ours = original
        .as_ref()
        .is_none_or(|root| root.find_member("hooks").is_none());
    text = remove_empty_member(&text, &["hooks"], ours)?;
    let empty = parse_json(&text)?.children.is_empty();
    Ok((original.is_some() || !empty).then_some(text))
}

/// Takes out a member that we made and that holds nothing any more.
fn remove_empty_member(text: &str, path: &[&str], ours: bool) -> Result<String, String> {
    let root = parse_json(text)?;
    let mut container = &root;
    let (last, above) = path
        .split_last()
        .map_or(("", path), |(last, above)| (*last, above));
    for key in above {
        let Some(deeper) = container.find_member(key) else {
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
        Some(at) => remove_child(text, container, at),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
