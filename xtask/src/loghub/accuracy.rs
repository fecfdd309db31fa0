//! Grouping accuracy: how many lines are together with exactly the lines that they belong with.

use std::collections::HashMap;
use std::hash::Hash;

/// Share of the lines whose group, all lines with the same answer, is exactly the group of the same truth. Lines without
/// an answer are a group of their own. 0 for no lines.
pub fn grouping<A: Eq + Hash, T: Eq + Hash>(answers: &[A], truth: &[T]) -> f64 {
    let (ours, theirs) = (groups(answers), groups(truth));
    let right: usize = theirs
        .values()
        .filter(|group| group.first().and_then(|&line| answers.get(line)).is_some_and(|a| ours.get(a) == Some(group)))
        .map(Vec::len)
        .sum();
    right as f64 / truth.len().max(1) as f64
}

fn groups<K: Eq + Hash>(keys: &[K]) -> HashMap<&K, Vec<usize>> {
    let mut groups: HashMap<&K, Vec<usize>> = HashMap::new();
    for (line, key) in keys.iter().enumerate() {
        groups.entry(key).or_default().push(line);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::grouping;

    /// Accuracies are quotients of small numbers here, so they are exact.
    fn is(answers: &[u32], truth: &[&str], expected: f64) {
        assert!((grouping(answers, truth) - expected).abs() < 1e-9, "{answers:?} {truth:?}");
    }

    #[test]
    fn names_do_not_matter_but_groups_do() {
        is(&[7, 7, 3, 9], &["a", "a", "b", "c"], 1.0);
    }

    #[test]
    fn one_line_too_many_makes_both_groups_wrong() {
        is(&[1, 1, 1, 2], &["a", "a", "b", "c"], 0.25);
    }

    #[test]
    fn a_group_in_two_parts_is_wrong_as_a_whole() {
        is(&[1, 1, 2, 3], &["a", "a", "a", "c"], 0.25);
    }
}
