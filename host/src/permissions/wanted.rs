//! Wanted permissions as single actions that a grant can be asked for.

use wasmill_registry::Permissions;

use super::action::Action;
use super::grant::Grant;

/// Every entry as an action. A pattern is asked for as if it was a name: the star in it is a character like any other
/// then, and only a star in the grant covers it, so whatever the pattern comes to mean, the grant allows it too.
pub fn wanted_actions(wanted: &Permissions) -> Vec<Action<'_>> {
    let mut all = Vec::new();
    all.extend(wanted.topics.read.iter().map(|name| Action::TopicRead(name)));
    all.extend(wanted.topics.write.iter().map(|name| Action::TopicWrite(name)));
    all.extend(wanted.topics.create.iter().map(|name| Action::TopicCreate(name)));
    all.extend(wanted.tools.iter().map(|name| Action::ToolCall(name)));
    all.extend(wanted.model.iter().map(|name| Action::Model(name)));
    all.extend(wanted.secrets.iter().map(|name| Action::Secret(name)));
    all.extend(wanted.forge.iter().map(|name| Action::Forge(name)));
    all.extend(wanted.agents.iter().map(|name| Action::AgentStart(name)));
    for rule in &wanted.http {
        all.extend(rule.methods.iter().map(|method| Action::Http { host: &rule.host, method }));
    }
    if wanted.state {
        all.push(Action::State);
    }
    if wanted.clock {
        all.push(Action::Clock);
    }
    if wanted.timers {
        all.push(Action::Timers);
    }
    all
}

impl Grant {
    /// True where every entry is allowed here, each as a pattern that one at least as wide covers: who holds these
    /// permissions can do nothing that this grant does not allow.
    pub fn covers(&self, permissions: &Permissions) -> bool {
        wanted_actions(permissions).into_iter().all(|action| self.check(action).is_allowed())
    }
}
