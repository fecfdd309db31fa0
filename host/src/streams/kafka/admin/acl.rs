//! Kafka's access rules, as data. The words are those of `kafka-acls.sh`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One rule: who may, or may not, do what with what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Acl {
    /// Kind of what it is about.
    pub resource: AclResource,
    /// How `name` is meant.
    pub pattern: AclPattern,
    /// Name, or the beginning of names; `*` as a literal stands for all. `kafka-cluster` for the cluster.
    pub name: String,
    /// What may be done.
    pub operation: AclOperation,
    /// Who, like `User:mill`; `User:*` is everybody.
    pub principal: String,
    /// Address that it holds for, `*` for all.
    pub host: String,
    /// Allowed, or denied.
    pub allowed: bool,
}

/// Kinds of what rules are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AclResource {
    /// A topic.
    Topic,
    /// A consumer group.
    Group,
    /// Names of transactional producers.
    TransactionalId,
    /// The cluster itself.
    Cluster,
}

/// How a rule's name is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AclPattern {
    /// Exactly this one; `*` is all.
    Literal,
    /// Everything that begins so.
    Prefixed,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub enum AclOperation {
    /// Everything.
    All,
    /// Read records; take part in a group.
    Read,
    /// Write records; use a transactional name.
    Write,
    /// Create.
    Create,
    /// Delete.
    Delete,
    /// Change: partitions of a topic.
    Alter,
    /// See that it is there.
    Describe,
    /// What brokers do among themselves.
    ClusterAction,
    /// See settings.
    DescribeConfigs,
    /// Change settings.
    AlterConfigs,
    /// Produce without repetitions.
    IdempotentWrite,
}

impl AclOperation {
    /// True where who may do `self` may also do `other`, as Kafka's authorizer decides.
    pub fn implies(self, other: Self) -> bool {
        self == other
            || self == Self::All
            || (other == Self::Describe && matches!(self, Self::Read | Self::Write | Self::Delete | Self::Alter))
            || (other == Self::DescribeConfigs && self == Self::AlterConfigs)
    }
}

impl Acl {
    /// True where everything that `other` allows is allowed by this one. Addresses are not compared: whoever asks is
    /// connected from one that holds.
    pub fn covers(&self, other: &Self) -> bool {
        let name = match (self.pattern, other.pattern) {
            (AclPattern::Literal, _) if self.name == "*" => true,
            (AclPattern::Literal, AclPattern::Literal) => self.name == other.name,
            (AclPattern::Literal, AclPattern::Prefixed) => false,
            // A literal star is a name of its own, and all of them.
            (AclPattern::Prefixed, AclPattern::Literal) => other.name != "*" && other.name.starts_with(&self.name),
            (AclPattern::Prefixed, AclPattern::Prefixed) => other.name.starts_with(&self.name),
        };
        name && self.resource == other.resource
            && self.operation.implies(other.operation)
            && (self.principal == other.principal || self.principal == "User:*")
            && self.allowed == other.allowed
    }

    /// True where some name is meant by both rules, and some operation.
    pub fn overlaps(&self, other: &Self) -> bool {
        let names = match (self.pattern, other.pattern) {
            _ if self.is_for_all() || other.is_for_all() => true,
            (AclPattern::Literal, AclPattern::Literal) => self.name == other.name,
            (AclPattern::Prefixed, AclPattern::Literal) => other.name.starts_with(&self.name),
            (AclPattern::Literal, AclPattern::Prefixed) => self.name.starts_with(&other.name),
            (AclPattern::Prefixed, AclPattern::Prefixed) => {
                other.name.starts_with(&self.name) || self.name.starts_with(&other.name)
            }
        };
        names
            && self.resource == other.resource
            && (self.operation.implies(other.operation) || other.operation.implies(self.operation))
    }

    fn is_for_all(&self) -> bool {
        self.pattern == AclPattern::Literal && self.name == "*"
    }
}

impl fmt::Display for Acl {
    /// `Read on topic logs.raw`, `Write on all topics`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.resource {
            AclResource::Topic => "topic",
            AclResource::Group => "group",
            AclResource::TransactionalId => "transactional id",
            AclResource::Cluster => return write!(f, "{:?} on the cluster", self.operation),
        };
        match self.pattern {
            _ if self.is_for_all() => write!(f, "{:?} on all {word}s", self.operation),
            AclPattern::Literal => write!(f, "{:?} on {word} {}", self.operation, self.name),
            AclPattern::Prefixed => write!(f, "{:?} on {word}s that begin with {}", self.operation, self.name),
        }
    }
}

/// What a broker tells of its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclView {
    /// We may do everything: it checks no rules, or not ours.
    Everything,
    /// It checks rules and doesn't show them to us.
    Hidden,
    /// All of them.
    Listed(Vec<Acl>),
}

impl AclView {
    /// What `granted`, our rights on the cluster, and the rules that were listed together say of `principal`.
    ///
    /// An empty list alone says nothing: librdkafka also gives one where the broker refuses to list.
    pub(super) fn of(granted: &[AclOperation], listed: Vec<Acl>, principal: &str) -> Self {
        let may = |operation| granted.iter().any(|granted: &AclOperation| granted.implies(operation));
        let ours = |acl: &&Acl| acl.principal == principal || acl.principal == "User:*";
        let on_cluster = |acl: &&Acl| acl.resource == AclResource::Cluster && acl.allowed;
        let is_ruled =
            listed.iter().filter(on_cluster).filter(ours).any(|acl| acl.operation.implies(AclOperation::ClusterAction));
        // What no rule has given is given by no rule: a super user, or a broker that checks nothing.
        if may(AclOperation::ClusterAction) && !is_ruled {
            return Self::Everything;
        }
        if may(AclOperation::Describe) { Self::Listed(listed) } else { Self::Hidden }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(pattern: AclPattern, name: &str, operation: AclOperation) -> Acl {
        let (principal, host) = ("User:mill".to_owned(), "*".to_owned());
        Acl { resource: AclResource::Topic, pattern, name: name.to_owned(), operation, principal, host, allowed: true }
    }

    #[test]
    fn a_rule_covers_what_it_stands_for_and_nothing_else() {
        use AclOperation::{All, Describe, Read, Write};
        use AclPattern::{Literal, Prefixed};
        let cases = [
            (acl(Literal, "a", Read), acl(Literal, "a", Read), true),
            (acl(Literal, "a", Read), acl(Literal, "a", Describe), true),
            (acl(Literal, "a", Read), acl(Literal, "a", Write), false),
            (acl(Literal, "a", All), acl(Literal, "a", Write), true),
            (acl(Literal, "*", Read), acl(Prefixed, "a", Read), true),
            (acl(Prefixed, "a", Read), acl(Literal, "ab", Read), true),
            (acl(Prefixed, "a", Read), acl(Prefixed, "ab", Read), true),
            (acl(Prefixed, "ab", Read), acl(Prefixed, "a", Read), false),
            (acl(Prefixed, "a", Read), acl(Literal, "*", Read), false),
            (acl(Literal, "ab", Read), acl(Prefixed, "ab", Read), false),
        ];
        for (wide, narrow, covered) in cases {
            assert_eq!(wide.covers(&narrow), covered, "{wide} / {narrow}");
        }
        let everybody = Acl { principal: "User:*".to_owned(), ..acl(Literal, "a", Read) };
        assert!(everybody.covers(&acl(Literal, "a", Read)) && !acl(Literal, "a", Read).covers(&everybody));
    }

    #[test]
    fn an_empty_list_is_told_from_one_that_is_not_shown() {
        let of = |granted: &[AclOperation], listed| AclView::of(granted, listed, "User:mill");
        let cluster =
            |operation| Acl { resource: AclResource::Cluster, ..acl(AclPattern::Literal, "kafka-cluster", operation) };
        assert_eq!(of(&[], vec![]), AclView::Hidden);
        let all = [AclOperation::Describe, AclOperation::ClusterAction, AclOperation::Alter];
        assert_eq!(of(&all, vec![]), AclView::Everything);
        assert_eq!(of(&all, vec![cluster(AclOperation::Describe)]), AclView::Everything, "a super user");
        let describe = vec![cluster(AclOperation::Describe)];
        assert_eq!(of(&[AclOperation::Describe], describe.clone()), AclView::Listed(describe));
        let everything = vec![cluster(AclOperation::All)];
        assert_eq!(of(&all, everything.clone()), AclView::Listed(everything));
    }
}
