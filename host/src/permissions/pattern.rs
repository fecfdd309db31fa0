//! Patterns of names: `*` stands for any run of characters, everything else for itself.

use std::fmt;

/// Longest pattern, in bytes. Topic names end at 249, host names at 253.
pub const PATTERN_BYTES_MAX: usize = 256;

/// A compiled pattern. Matching looks at each byte of the name a bounded number of times: there is no backtracking
/// that a pattern full of stars could blow up.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    text: Box<str>,
    /// The literal parts between the stars; exactly one where there is no star.
    parts: Box<[Box<str>]>,
}

impl Pattern {
    /// Compiles a pattern. Every text is one; [`PATTERN_BYTES_MAX`] is checked where patterns come in.
    pub fn new(text: &str) -> Self {
        Self { text: text.into(), parts: text.split('*').map(Into::into).collect() }
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True where it holds no star and so names one thing.
    pub fn is_exact(&self) -> bool {
        self.parts.len() == 1
    }

    /// Number of bytes that stand for themselves: the more, the more specific.
    pub fn literal_bytes(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// True where the pattern stands for this name.
    pub fn matches(&self, name: &str) -> bool {
        let (Some(head), Some(tail)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.is_exact() {
            return name == &**head;
        }
        let Some(rest) = name.get(head.len()..).filter(|_| is_same(&name.as_bytes()[..head.len()], head)) else {
            return false;
        };
        let Some(end) = rest.len().checked_sub(tail.len()) else { return false };
        let Some(mut rest) = rest.get(..end).filter(|_| is_same(&rest.as_bytes()[end..], tail)) else { return false };
        // Taking the leftmost place of each part is enough: a later place would only leave less for the parts after it.
        for part in &self.parts[1..self.parts.len() - 1] {
            match rest.find(&**part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// True where every name that `other` stands for is one of this pattern's too.
    ///
    /// A star in `other` is a character that only a star here can stand for, so matching its text answers the question.
    pub fn covers(&self, other: &Pattern) -> bool {
        self.matches(&other.text)
    }

    /// True where some name is one of both patterns.
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let (a, b) = (self.text.as_bytes(), other.text.as_bytes());
        // reachable[j]: after the first i bytes of `a`, the first j bytes of `b` can stand for the same text.
        let mut reachable = vec![false; b.len() + 1];
        reachable[0] = true;
        for (j, &byte) in b.iter().enumerate() {
            reachable[j + 1] = reachable[j] && byte == b'*';
        }
        for &left in a {
            let mut diagonal = reachable[0];
            reachable[0] = reachable[0] && left == b'*';
            for (j, &right) in b.iter().enumerate() {
                let above = reachable[j + 1];
                let before = reachable[j];
                reachable[j + 1] = if left == b'*' || right == b'*' {
                    // A star stands for nothing, or swallows what the other side has here.
                    above || before
                } else {
                    diagonal && left == right
                };
                diagonal = above;
            }
        }
        reachable[b.len()]
    }
}

/// Compares bytes of the same number one by one: names are short, and with four calls of the C library's `memcmp` a check
/// took 200 ns, without them 28 (docs/performance.md).
fn is_same(bytes: &[u8], literal: &str) -> bool {
    bytes.iter().zip(literal.as_bytes()).all(|(one, other)| one == other)
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.text)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).matches(name)
    }

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(matches("*", ""));
        assert!(matches("*", "anything"));
        assert!(matches("logs.*", "logs.raw"));
        assert!(matches("*.example.com", "api.example.com"));
        assert!(matches("a*b*c", "aXbYbZc"));
        assert!(matches("a**c", "ac"));
    }

    #[test]
    fn everything_else_stands_for_itself() {
        assert!(!matches("logs.*", "logsXraw"), "a dot is a dot");
        assert!(!matches("logs", "logs.raw"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("ab*ba", "aba"), "head and tail may not share a character");
        assert!(!matches("", "x"));
    }

    #[test]
    fn many_stars_do_not_make_matching_slow() {
        let pattern = Pattern::new(&"a*".repeat(128));
        let name = "a".repeat(127) + &"b".repeat(100_000);
        let start = std::time::Instant::now();
        assert!(!pattern.matches(&name));
        assert!(start.elapsed().as_secs() < 1);
    }

    /// The definition, slow and obvious.
    fn reference(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|skip| reference(rest, &name[skip..])),
            Some((first, rest)) => name.first() == Some(first) && reference(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_follows_the_definition(pattern in "[ab*]{0,8}", name in "[ab]{0,8}") {
            prop_assert_eq!(matches(&pattern, &name), reference(pattern.as_bytes(), name.as_bytes()));
        }

        #[test]
        fn covering_holds_for_every_name(a in "[ab*]{0,6}", b in "[ab*]{0,6}", name in "[ab]{0,8}") {
            let (a, b) = (Pattern::new(&a), Pattern::new(&b));
            prop_assert!(!a.covers(&b) || !b.matches(&name) || a.matches(&name));
        }

        #[test]
        fn a_name_of_both_means_overlap(a in "[ab*]{0,6}", b in "[ab*]{0,6}", name in "[ab]{0,8}") {
            let (a, b) = (Pattern::new(&a), Pattern::new(&b));
            prop_assert!(!(a.matches(&name) && b.matches(&name)) || a.overlaps(&b));
            prop_assert_eq!(a.overlaps(&b), b.overlaps(&a));
        }

        #[test]
        fn without_a_common_name_there_is_no_overlap(a in "[a*]{0,4}b", b in "[b*]{0,4}a") {
            prop_assert!(!Pattern::new(&a).overlaps(&Pattern::new(&b)));
        }
    }
}
