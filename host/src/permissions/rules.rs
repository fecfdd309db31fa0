//! One layer of a grant, compiled: which names each column allows, and on which line that stands.

use wasmill_registry::Permissions;

use super::action::Action;
use super::column::Column;
use super::pattern::Pattern;
use super::tool_name::name_of;

/// What one layer allows: the matching rows of the matrix together, or a manifest.
#[derive(Debug, Default, Clone)]
pub(super) struct Rules {
    names: [NameSet; Column::ALL.len()],
    http: Vec<HttpHost>,
    state: Option<u32>,
    clock: Option<u32>,
    timers: Option<u32>,
}

/// The patterns of one column, each with its line: names sorted by their length and then as text, patterns in a list
/// behind them. Few names are the rule; most are told apart by their length alone.
#[derive(Debug, Default, Clone)]
struct NameSet {
    exact: Vec<(Box<str>, u32)>,
    patterns: Vec<(Pattern, u32)>,
}

impl NameSet {
    /// Where a name stands, or where it would have to be put.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.exact.binary_search_by(|(known, _)| known.len().cmp(&name.len()).then_with(|| (**known).cmp(name)))
    }

    fn find(&self, name: &str) -> Option<u32> {
        let exact = self.place(name).ok().map(|at| self.exact[at].1);
        exact.or_else(|| self.patterns.iter().find(|(pattern, _)| pattern.matches(name)).map(|(_, line)| *line))
    }
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
                if !pattern.is_exact() {
                    set.patterns.push((pattern, line));
                } else if let Err(place) = set.place(text) {
                    set.exact.insert(place, (text.as_str().into(), line));
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
        if permissions.timers {
            self.timers.get_or_insert(line);
        }
    }

    /// The line that allows an action.
    pub(super) fn find(&self, action: Action<'_>) -> Option<u32> {
        match action {
            Action::Http { host, method } => self.find_http(host, method),
            Action::State => self.state,
            Action::Clock => self.clock,
            Action::Timers => self.timers,
            Action::ToolCall(tool) => self.find_tool(tool),
            _ => self.names[action.column() as usize].find(action.name()),
        }
    }

    /// The names without a star in a column.
    pub(super) fn exact_names(&self, column: Column) -> impl Iterator<Item = &str> {
        self.names[column as usize].exact.iter().map(|(name, _)| &**name)
    }

    /// A row that names a tool allows all of its versions, one that names a version allows that one. No star stands for a
    /// version.
    fn find_tool(&self, tool: &str) -> Option<u32> {
        let tools = &self.names[Column::Tools as usize];
        let pinned = || tools.place(tool).ok().map(|at| tools.exact[at].1);
        tools.find(name_of(tool)).or_else(pinned)
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
