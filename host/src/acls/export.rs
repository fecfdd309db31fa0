//! From the matrix to the rules that a host's Kafka user needs: everything that its agents may do, and what the host
//! does for them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::reach::{self, Reach};
use crate::agents::{group_of, redrive_group_of, topic_of};
use crate::audit::AUDIT_TOPIC;
use crate::capabilities::FORGE_TOPIC;
use crate::capabilities::agents::BOOK_TOPIC;
use crate::capabilities::timers::Kind;
use crate::home::{ConversationsConfig, ToolTopicsConfig};
use crate::permissions::{Column, Matrix, Row};
use crate::streams::kafka::{
    Acl, AclOperation, AclPattern, AclResource, READERS_GROUP, state_topic, transactional_prefix,
};
use crate::tool_topics::tools_group_of;

/// What Kafka calls the cluster in its rules.
const CLUSTER: &str = "kafka-cluster";

/// For whom rules are made, and out of what.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The matrix.
    pub matrix: &'a Matrix,
    /// The host's Kafka user, like `User:mill`.
    pub principal: &'a str,
    /// Also what clients may do: for a host whose command line shall reach more topics than its agents.
    pub with_clients: bool,
    /// Topics that the host makes and changes by `wasmill topic apply`.
    pub declared: &'a [String],
    /// Topics on which the host lets tools be called.
    pub tool_topics: &'a [ToolTopicsConfig],
    /// Topics on which the host's clients talk with agents.
    pub conversations: Option<&'a ConversationsConfig>,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Export {
    /// Whose they are.
    pub principal: String,
    /// Sorted; none implies another.
    pub rules: Vec<Rule>,
    /// What the rules say otherwise than the matrix does, or can't say.
    pub notes: Vec<Note>,
}

/// One rule, and what needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rule {
    /// The rule.
    #[serde(flatten)]
    pub acl: Acl,
    /// What needs it, for a person.
    pub why: Vec<String>,
}

/// Something that the rules don't say as the matrix does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Note {
    /// Line of the row in permissions.toml.
    pub line: u32,
    /// For a person.
    pub text: String,
}

impl Export {
    /// The rules alone.
    pub fn acls(&self) -> Vec<Acl> {
        self.rules.iter().map(|rule| rule.acl.clone()).collect()
    }
}

/// The rules.
pub fn export(wanted: Wanted<'_>) -> Export {
    let mut book = Book { principal: wanted.principal, rules: BTreeMap::new(), notes: BTreeSet::new() };
    book.add(AclResource::Cluster, exact(CLUSTER), &[AclOperation::Describe], "doctor compares the rules");
    book.add(AclResource::Group, exact(READERS_GROUP), &[AclOperation::Describe], "the host reads outside of groups");
    book.add(AclResource::Topic, exact(BOOK_TOPIC), &[AclOperation::Read], "hosts follow which agents were started");
    let trail = [AclOperation::Read, AclOperation::Write, AclOperation::Create, AclOperation::DescribeConfigs];
    book.add(AclResource::Topic, exact(AUDIT_TOPIC), &trail, "hosts send the audit trail, and verify it");
    let forge = [AclOperation::Write, AclOperation::Create, AclOperation::DescribeConfigs];
    book.add(AclResource::Topic, exact(FORGE_TOPIC), &forge, "hosts tell what their forges do");
    for row in wanted.matrix.rows() {
        match subject(row) {
            Subject::Agents(names) => of_agents(&mut book, row, names, !wanted.declared.is_empty()),
            Subject::Clients if wanted.with_clients => topics(&mut book, row),
            Subject::Clients => {
                book.note_topics(row, "is for clients and left out; `--clients` adds it");
            }
            Subject::Tools => book.note_topics(row, "gives topics to tools, which have no way to them"),
        }
    }
    let manage = [AclOperation::Create, AclOperation::Alter, AclOperation::AlterConfigs];
    for name in wanted.declared {
        book.add(AclResource::Topic, exact(name), &manage, "topics.toml declares it");
    }
    wanted.tool_topics.iter().for_each(|pair| of_tool_topics(&mut book, pair));
    if let Some(config) = wanted.conversations {
        let why = "clients talk with agents";
        book.add(AclResource::Topic, exact(&config.inbound), &[AclOperation::Write], why);
        book.add(AclResource::Topic, exact(&config.outbound), &[AclOperation::Read], why);
    }
    book.finish()
}

/// Exactly this name.
fn exact(name: &str) -> Reach {
    Reach { pattern: AclPattern::Literal, name: name.to_owned(), is_wider: false }
}

/// What a pair of tool topics needs: its topics, a group, a transaction, and a place for what is no request.
fn of_tool_topics(book: &mut Book<'_>, pair: &ToolTopicsConfig) {
    use AclOperation::{Create, DescribeConfigs, Read, Write};
    let why = format!("tool_topics of client:{}", pair.client);
    let (requests, letters) = (&pair.requests, topic_of(&pair.requests));
    book.add(AclResource::Topic, exact(requests), &[Read, DescribeConfigs], &why);
    book.add(AclResource::Topic, exact(&pair.results), &[Write, DescribeConfigs], &why);
    book.add(AclResource::Topic, exact(&letters), &[Read, Write, Create, DescribeConfigs], &why);
    book.add(AclResource::Topic, exact(requests), &[Write], "dead letters go back with `wasmill dlq redrive`");
    for group in [tools_group_of(requests), redrive_group_of(requests)] {
        book.add(AclResource::Group, exact(&group), &[Read], &why);
        book.transactions(&group, &why);
    }
}

/// Whom a row is for.
enum Subject<'r> {
    /// Agents with names of this pattern.
    Agents(&'r str),
    /// Clients.
    Clients,
    /// Tools.
    Tools,
}

fn subject(row: &Row) -> Subject<'_> {
    let text = row.principal.text();
    match text.split_once(':') {
        Some(("agent", names)) => Subject::Agents(names),
        Some(("tool", _)) => Subject::Tools,
        Some(_) => Subject::Clients,
        // For everybody, agents among them.
        None => Subject::Agents("*"),
    }
}

/// What agents need: their topics, a group, a transaction, state, and a place for what they can't handle.
fn of_agents(book: &mut Book<'_>, row: &Row, names: &str, changes_topics: bool) {
    use AclOperation::{Alter, Create, DescribeConfigs, Read, Write};
    let permissions = &row.permissions;
    topics(book, row);
    if !permissions.topics.read.is_empty() {
        let group = group_of(names);
        book.pattern(row, AclResource::Group, &group, &[Read], "agents take part in their group");
        book.transactions(&group, &format!("{}: agents commit in transactions", row.principal.text()));
    }
    if !permissions.agents.is_empty() {
        book.pattern(row, AclResource::Topic, BOOK_TOPIC, &[Write, Create, DescribeConfigs], "agents start agents");
    }
    for topic in &permissions.topics.read {
        let letters = [Read, Write, Create, DescribeConfigs];
        book.pattern(row, AclResource::Topic, &topic_of(topic), &letters, "what can't be handled is set aside");
        book.pattern(row, AclResource::Topic, topic, &[Write], "dead letters go back with `wasmill dlq redrive`");
        let group = redrive_group_of(topic);
        book.pattern(row, AclResource::Group, &group, &[Read], "`wasmill dlq` knows what waits");
        book.transactions(&group, &format!("{}: `wasmill dlq redrive`", row.principal.text()));
    }
    let kept = [Read, Write, Create, DescribeConfigs];
    if permissions.timers {
        for kind in Kind::ALL {
            let why = "timers that can't be handled are set aside";
            book.pattern(row, AclResource::Topic, &topic_of(kind.topic()), &kept, why);
        }
    }
    // Timers are kept as state too.
    if permissions.state || permissions.timers {
        let state = state_topic(names);
        book.pattern(row, AclResource::Topic, &state, &kept, "state");
        if changes_topics {
            book.pattern(
                row,
                AclResource::Topic,
                &state,
                &[Alter],
                "`wasmill topic apply` grows state with its topics",
            );
        }
    }
}

/// What a row's topics need.
fn topics(book: &mut Book<'_>, row: &Row) {
    use AclOperation::{Create, Describe, DescribeConfigs, Read, Write};
    let topics = &row.permissions.topics;
    let columns = [
        (Column::TopicsRead, &topics.read, [Read, Describe, DescribeConfigs]),
        (Column::TopicsWrite, &topics.write, [Write, Describe, DescribeConfigs]),
        // Who makes a topic waits until it is there, and must see that.
        (Column::TopicsCreate, &topics.create, [Create, Describe, DescribeConfigs]),
    ];
    for (column, patterns, operations) in columns {
        for pattern in patterns {
            book.pattern(row, AclResource::Topic, pattern, &operations, column.word());
        }
    }
}

/// The rules as they come together.
struct Book<'a> {
    principal: &'a str,
    rules: BTreeMap<Acl, BTreeSet<String>>,
    notes: BTreeSet<Note>,
}

impl Book<'_> {
    /// Rules for a pattern of a row, and a note where they don't say the same.
    fn pattern(&mut self, row: &Row, resource: AclResource, pattern: &str, operations: &[AclOperation], why: &str) {
        let who = row.principal.text();
        let words: Vec<String> = operations.iter().map(|operation| format!("{operation:?}")).collect();
        let what = format!("{} on {pattern:?} for {who} ({why})", words.join(", "));
        match reach::of(pattern) {
            None => self.note(
                row,
                format!("{what} has no rule: Kafka knows names and their beginnings, and this would be everything; name what is meant"),
            ),
            Some(reach) => {
                if reach.is_wider {
                    self.note(row, format!("{what} becomes everything that begins with {:?}, which is more", reach.name));
                }
                self.add(resource, reach, operations, &format!("{who}: {why}"));
            }
        }
    }

    /// Rules for the transactional names of a group, which end in the host and a number.
    fn transactions(&mut self, group: &str, why: &str) {
        let prefix = transactional_prefix(group);
        let name = prefix.split('*').next().unwrap_or_default().to_owned();
        let reach = Reach { pattern: AclPattern::Prefixed, name, is_wider: false };
        self.add(AclResource::TransactionalId, reach, &[AclOperation::Write], why);
    }

    fn add(&mut self, resource: AclResource, reach: Reach, operations: &[AclOperation], why: &str) {
        for &operation in operations {
            let acl = Acl {
                resource,
                pattern: reach.pattern,
                name: reach.name.clone(),
                operation,
                principal: self.principal.to_owned(),
                host: "*".to_owned(),
                allowed: true,
            };
            self.rules.entry(acl).or_default().insert(why.to_owned());
        }
    }

    fn note(&mut self, row: &Row, text: String) {
        self.notes.insert(Note { line: row.line, text });
    }

    /// A note about a row that has topics, and only then.
    fn note_topics(&mut self, row: &Row, text: &str) {
        let topics = &row.permissions.topics;
        if !(topics.read.is_empty() && topics.write.is_empty() && topics.create.is_empty()) {
            self.note(row, format!("the row for {} {text}", row.principal.text()));
        }
    }

    /// Without rules that another one has in it already: what needs them needs that one then.
    fn finish(self) -> Export {
        let all: Vec<Acl> = self.rules.keys().cloned().collect();
        let mut kept: BTreeMap<Acl, BTreeSet<String>> = BTreeMap::new();
        for (acl, why) in self.rules {
            let wider = all.iter().filter(|other| **other != acl && other.covers(&acl));
            let is_kept = |rule: &Acl| !all.iter().any(|other| other != rule && other.covers(rule));
            let keeper = wider.into_iter().find(|rule| is_kept(rule));
            kept.entry(keeper.cloned().unwrap_or(acl)).or_default().extend(why);
        }
        let rules = kept.into_iter().map(|(acl, why)| Rule { acl, why: why.into_iter().collect() }).collect();
        Export { principal: self.principal.to_owned(), rules, notes: self.notes.into_iter().collect() }
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
