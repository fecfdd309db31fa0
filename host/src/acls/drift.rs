//! How far a broker's rules are from those that are needed.

use serde::Serialize;

use crate::streams::kafka::Acl;

/// The difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Needed, and no rule allows it.
    pub missing: Vec<Acl>,
    /// Rules that deny something needed.
    pub denying: Vec<Acl>,
    /// Rules for this user that nothing needs.
    pub extra: Vec<Acl>,
}

/// Compares. `permitted` are rules that may be there and needn't; rules for everybody are never too many, they aren't
/// about this user.
pub fn drift(needed: &[Acl], permitted: &[Acl], actual: &[Acl], principal: &str) -> Drift {
    let ours = |acl: &&Acl| acl.principal == principal || acl.principal == "User:*";
    let allowing = || actual.iter().filter(ours).filter(|acl| acl.allowed);
    let missing = needed.iter().filter(|acl| !allowing().any(|there| there.covers(acl)));
    let denying = actual.iter().filter(ours).filter(|acl| !acl.allowed && needed.iter().any(|need| acl.overlaps(need)));
    let known = |acl: &Acl| needed.iter().chain(permitted).any(|rule| rule.covers(acl));
    let extra = allowing().filter(|acl| acl.principal == principal && !known(acl));
    Drift { missing: missing.cloned().collect(), denying: denying.cloned().collect(), extra: extra.cloned().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::kafka::{AclOperation, AclPattern, AclResource};

    fn acl(name: &str, operation: AclOperation) -> Acl {
        Acl {
            resource: AclResource::Topic,
            pattern: AclPattern::Literal,
            name: name.to_owned(),
            operation,
            principal: "User:mill".to_owned(),
            host: "*".to_owned(),
            allowed: true,
        }
    }

    fn of(actual: &[Acl]) -> Drift {
        let needed = [acl("a", AclOperation::Read), acl("b", AclOperation::Write)];
        drift(&needed, &[acl("c", AclOperation::Read)], actual, "User:mill")
    }

    #[test]
    fn what_is_needed_and_not_allowed_is_missing() {
        let (read, write) = (acl("a", AclOperation::Read), acl("b", AclOperation::Write));
        assert_eq!(of(&[read.clone(), write.clone()]), Drift::default());
        assert_eq!(of(std::slice::from_ref(&read)).missing, std::slice::from_ref(&write));
        let everybody = Acl { principal: "User:*".to_owned(), ..write.clone() };
        assert_eq!(of(&[read.clone(), everybody]), Drift::default());
        let somebody = Acl { principal: "User:else".to_owned(), ..write.clone() };
        assert_eq!(of(&[read.clone(), somebody]).missing, std::slice::from_ref(&write));
        let everything = acl("*", AclOperation::All);
        let drift = of(std::slice::from_ref(&everything));
        assert!(drift.missing.is_empty());
        assert_eq!(drift.extra, [everything]);
    }

    #[test]
    fn what_nothing_needs_is_extra_unless_it_is_permitted_or_for_everybody() {
        let needed = [acl("a", AclOperation::Read), acl("b", AclOperation::Write)];
        let with = |more: Acl| of(&[needed[0].clone(), needed[1].clone(), more]).extra;
        assert_eq!(with(acl("a", AclOperation::Delete)), [acl("a", AclOperation::Delete)]);
        assert_eq!(with(acl("c", AclOperation::Read)), []);
        assert_eq!(with(acl("a", AclOperation::Describe)), [], "it is in what is needed");
        assert_eq!(with(Acl { principal: "User:*".to_owned(), ..acl("z", AclOperation::Read) }), []);
    }

    #[test]
    fn a_rule_that_denies_something_needed_is_named() {
        let deny = Acl { allowed: false, pattern: AclPattern::Prefixed, ..acl("", AclOperation::All) };
        let other = Acl { allowed: false, ..acl("z", AclOperation::Read) };
        assert_eq!(of(&[deny.clone(), other]).denying, [deny]);
    }
}
