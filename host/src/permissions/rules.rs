//! One layer of a grant, compiled: which names each column allows, and on which line that stands.

use rustc_hash::FxHashMap;
use wasmill_registry::Permissions;

use super::action::Action;
use super::column::Column;
use super::pattern::Pattern;

/// What one layer allows: the matching rows of the matrix together, or a manifest.
#[derive(Debug, Default, Clone)]
pub(super) struct Rules {
    names: [NameSet; Column::ALL.len()],
    http: Vec<HttpHost>,
    state: Option<u32>,
    clock: Option<u32>,
}

/// The patterns of one column, each with its line: names in a table, patterns in a list behind it.
#[derive(Debug, Default, Clone)]
struct NameSet {
    exact: FxHashMap<Box<str>, u32>,
    patterns: Vec<(Pattern, u32)>,
}

#[derive(Debug, Clone)]
struct HttpHost {
    host: Pattern,
    methods: Vec<Box<str>>,
    line: u32,
}

impl Rules {
    /// Adds permissions that stand on a line. What is there already keeps its line.
    pub(super) fn add(&mut self, permissions: &Permissions, line: u32) {
        for column in Column::ALL {
            for text in column.names(permissions).into_iter().flatten() {
                let set = &mut self.names[column as usize];
                let pattern = Pattern::new(text);
                if pattern.is_exact() {
                    set.exact.entry(text.as_str().into()).or_insert(line);
                } else {
                    set.patterns.push((pattern, line));
                }
            }
        }
        for rule in &permissions.http {
            // Host names know no case; the pattern is lowered here, the host when it is asked for.
            let host = Pattern::new(&rule.host.to_ascii_lowercase());
            let methods = rule.methods.iter().map(|method| method.as_str().into()).collect();
            self.http.push(HttpHost { host, methods, line });
        }
        if permissions.state {
            self.state.get_or_insert(line);
        }
        if permissions.clock {
            self.clock.get_or_insert(line);
        }
    }

    /// The line that allows an action.
    pub(super) fn find(&self, action: Action<'_>) -> Option<u32> {
        match action {
            Action::Http { host, method } => self.find_http(host, method),
            Action::State => self.state,
            Action::Clock => self.clock,
            _ => {
                let set = &self.names[action.column() as usize];
                let name = action.name();
                let exact = set.exact.get(name).copied();
                exact.or_else(|| set.patterns.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, line)| *line))
            }
        }
    }

    /// The names without a star in a column.
    pub(super) fn exact_names(&self, column: Column) -> impl Iterator<Item = &str> {
        self.names[column as usize].exact.keys().map(|name| &**name)
    }

    fn find_http(&self, host: &str, method: &str) -> Option<u32> {
        if !is_host(host) {
            return None;
        }
        let host = host.to_ascii_lowercase();
        let fits = |rule: &&HttpHost| {
            rule.methods.iter().any(|allowed| &**allowed == "*" || &**allowed == method) && rule.host.matches(&host)
        };
        self.http.iter().find(fits).map(|rule| rule.line)
    }
}

/// Only what a host with a port is made of: a `/`, `@` or `#` that got this far could make a pattern's fixed end belong
/// to something else than the host.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}
