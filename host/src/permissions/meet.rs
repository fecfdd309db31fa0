//! Union and intersection of permissions as patterns: for showing what a grant comes to, and for approvals.
//!
//! Never for deciding: see [`super::grant`].

use wasmill_registry::{HttpRule, Permissions};

use super::column::Column;
use super::pattern::Pattern;
use super::tool_name;

/// Adds `more` to `all`.
pub(super) fn join(all: &mut Permissions, more: &Permissions) {
    for column in Column::ALL {
        if let (Some(all), Some(more)) = (column.names_mut(all), column.names(more)) {
            all.extend(more.iter().cloned());
        }
    }
    all.http.extend(more.http.iter().cloned());
    all.state |= more.state;
    all.clock |= more.clock;
    all.timers |= more.timers;
}

/// What both allow, and nothing that either doesn't overlap with. Where patterns overlap without one covering the other,
/// the pattern of `a` stands for both.
pub(super) fn meet(a: &Permissions, b: &Permissions) -> Permissions {
    let mut both = Permissions {
        state: a.state && b.state,
        clock: a.clock && b.clock,
        timers: a.timers && b.timers,
        ..Permissions::default()
    };
    for column in Column::ALL {
        if let (Some(a), Some(b), Some(both)) = (column.names(a), column.names(b), column.names_mut(&mut both)) {
            let meet = if column == Column::Tools { meet_tools } else { meet_names };
            both.extend(pairs(a, b).filter_map(|(a, b)| meet(a, b)));
        }
    }
    for (a, b) in pairs(&a.http, &b.http) {
        let host = meet_names(&a.host.to_ascii_lowercase(), &b.host.to_ascii_lowercase());
        let methods: Vec<String> = pairs(&a.methods, &b.methods).filter_map(|(a, b)| meet_methods(a, b)).collect();
        if let Some(host) = host.filter(|_| !methods.is_empty()) {
            both.http.push(HttpRule { host, methods });
        }
    }
    both
}

/// Sorts, and drops what other entries cover, so that equal permissions are equal values.
pub(super) fn normalize(permissions: &mut Permissions) {
    for column in Column::ALL {
        if let Some(names) = column.names_mut(permissions) {
            names.sort();
            names.dedup();
            let covers = if column == Column::Tools { tool_name::covers } else { covers };
            let all = names.clone();
            names.retain(|own| !all.iter().any(|other| other != own && covers(other, own) && !covers(own, other)));
        }
    }
    for rule in &mut permissions.http {
        rule.host.make_ascii_lowercase();
        rule.methods.sort();
        rule.methods.dedup();
        if rule.methods.iter().any(|method| method == "*") {
            rule.methods = vec!["*".into()];
        }
    }
    permissions.http.sort_by(|a, b| (&a.host, &a.methods).cmp(&(&b.host, &b.methods)));
    permissions.http.dedup();
}

fn pairs<'a, T>(a: &'a [T], b: &'a [T]) -> impl Iterator<Item = (&'a T, &'a T)> {
    a.iter().flat_map(move |a| b.iter().map(move |b| (a, b)))
}

fn meet_names(a: &str, b: &str) -> Option<String> {
    let (left, right) = (Pattern::new(a), Pattern::new(b));
    if left.covers(&right) {
        return Some(b.to_string());
    }
    // Beyond this, a name without a star has nothing in common with the other side unless that covers it.
    let common = if left.is_exact() || right.is_exact() { right.covers(&left) } else { left.overlaps(&right) };
    common.then(|| a.to_string())
}

/// A version stands for itself where both sides allow it.
fn meet_tools(a: &str, b: &str) -> Option<String> {
    match (tool_name::covers(a, b), tool_name::covers(b, a)) {
        (true, _) => Some(b.to_string()),
        (_, true) => Some(a.to_string()),
        // What neither covers has nothing in common where one of both is a version.
        _ if a.contains('@') || b.contains('@') => None,
        _ => meet_names(a, b),
    }
}

fn covers(wide: &str, narrow: &str) -> bool {
    Pattern::new(wide).covers(&Pattern::new(narrow))
}

fn meet_methods(a: &str, b: &str) -> Option<String> {
    match (a, b) {
        ("*", other) | (other, "*") => Some(other.to_string()),
        _ => (a == b).then(|| a.to_string()),
    }
}
