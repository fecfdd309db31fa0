//! What a topic may look like: Kafka's own rules, held by both implementations before anything is asked of a store.

use super::{StreamError, TopicSpec};

/// Most partitions of one topic.
pub const PARTITIONS_MAX: u32 = 1024;

const NAME_SIZE_MAX: usize = 249;

/// Refuses a name or a partition count that Kafka would refuse, or that is beyond our limit.
///
/// # Errors
/// [`StreamError::InvalidTopic`] with what is wrong.
pub fn check_topic(topic: &TopicSpec) -> Result<(), StreamError> {
    let refuse = |reason: String| Err(StreamError::InvalidTopic { name: topic.name.clone(), reason });
    if topic.name.is_empty() || topic.name.len() > NAME_SIZE_MAX {
        return refuse(format!("a name has 1 to {NAME_SIZE_MAX} characters"));
    }
    if let Some(c) = topic.name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        return refuse(format!("{c:?} is not one of a-z, A-Z, 0-9, `.`, `_` and `-`"));
    }
    if topic.name == "." || topic.name == ".." {
        return refuse("`.` and `..` are no names".to_owned());
    }
    if topic.partitions == 0 || topic.partitions > PARTITIONS_MAX {
        return refuse(format!("{} partitions are not within 1 and {PARTITIONS_MAX}", topic.partitions));
    }
    Ok(())
}

/// True where Kafka would refuse `a` beside `b`: its metrics can't tell `.` from `_`.
pub fn names_collide(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(x, y)| x == y || (is_mark(x) && is_mark(y)))
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, partitions: u32) -> bool {
        check_topic(&TopicSpec { name: name.to_owned(), partitions, compacted: false }).is_ok()
    }

    #[test]
    fn kafkas_names_pass_and_others_do_not() {
        assert!(check("logs.raw_2-X", 1));
        assert!(check(&"x".repeat(249), 1));
        for name in ["", ".", "..", "a b", "a/b", "ü", "a\0"] {
            assert!(!check(name, 1), "{name:?}");
        }
        assert!(!check(&"x".repeat(250), 1));
    }

    #[test]
    fn partitions_are_bounded() {
        assert!(!check("a", 0));
        assert!(check("a", PARTITIONS_MAX));
        assert!(!check("a", PARTITIONS_MAX + 1));
    }

    #[test]
    fn names_that_differ_in_a_dot_and_an_underscore_collide() {
        assert!(names_collide("a.b", "a_b"));
        assert!(!names_collide("a.b", "a-b"));
        assert!(!names_collide("a.b", "a_bc"));
    }
}
