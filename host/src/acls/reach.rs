//! Patterns of the matrix in what Kafka knows: names, and beginnings of names.

use crate::streams::kafka::AclPattern;

/// How far a rule for a pattern reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// How `name` is meant.
    pub pattern: AclPattern,
    /// Name, or the beginning of names.
    pub name: String,
    /// It reaches further than the pattern does.
    pub is_wider: bool,
}

/// The narrowest reach that has all of a pattern; none where its beginning is open, so that only everything would do.
pub(super) fn of(pattern: &str) -> Option<Reach> {
    if pattern == "*" {
        return Some(Reach { pattern: AclPattern::Literal, name: pattern.to_owned(), is_wider: false });
    }
    match pattern.split_once('*') {
        None => Some(Reach { pattern: AclPattern::Literal, name: pattern.to_owned(), is_wider: false }),
        Some(("", _)) => None,
        Some((head, rest)) => Some(Reach {
            pattern: AclPattern::Prefixed,
            name: head.to_owned(),
            is_wider: rest.chars().any(|c| c != '*'),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_are_exact_and_the_rest_is_wider_or_nothing() {
        let reach = |pattern: &str| of(pattern).map(|reach| (reach.pattern, reach.name, reach.is_wider));
        assert_eq!(reach("logs.raw"), Some((AclPattern::Literal, "logs.raw".into(), false)));
        assert_eq!(reach("logs.*"), Some((AclPattern::Prefixed, "logs.".into(), false)));
        assert_eq!(reach("logs.**"), Some((AclPattern::Prefixed, "logs.".into(), false)));
        assert_eq!(reach("logs.*.raw"), Some((AclPattern::Prefixed, "logs.".into(), true)));
        assert_eq!(reach("*"), Some((AclPattern::Literal, "*".into(), false)));
        assert_eq!((reach("*.raw"), reach("**")), (None, None));
    }
}
