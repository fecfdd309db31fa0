//! The next version of what was learned: newer lines, and the numbers that templates already have.

use std::collections::{BTreeMap, BTreeSet};

use crate::learn::{TEMPLATES_MAX, learn};
use crate::model::{Learned, Pattern};

/// Learns again, from `lines`. A template that takes over the lines of an old one keeps its number; new ones get numbers
/// from `unused` on, or higher where `old` has those; old ones that no line of the sample fits are kept. A number never changes its meaning.
pub fn next(old: &Learned, lines: &[&str], unused: u32) -> Learned {
    let mut new = learn(lines);
    let before = numbers(old, lines);
    let after = numbers(&new, lines);
    let mut overlaps: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for (before, after) in before.iter().zip(&after) {
        if let (Some(before), Some(after)) = (before, after) {
            *overlaps.entry((*before, *after)).or_default() += 1;
        }
    }
    let mut overlaps: Vec<((u32, u32), usize)> = overlaps.into_iter().collect();
    overlaps.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let (mut taken, mut renamed) = (BTreeSet::new(), BTreeMap::new());
    for ((before, after), _) in overlaps {
        if !taken.contains(&before) && !renamed.contains_key(&after) {
            taken.insert(before);
            renamed.insert(after, before);
        }
    }
    let mut unused = old.templates.iter().map(|pattern| pattern.id.saturating_add(1)).fold(unused, u32::max);
    for pattern in &mut new.templates {
        pattern.id = *renamed.entry(pattern.id).or_insert_with(|| {
            let id = unused;
            unused = unused.saturating_add(1);
            id
        });
    }
    let seen: BTreeSet<u32> = before.into_iter().flatten().collect();
    let kept: Vec<Pattern> = old
        .templates
        .iter()
        .filter(|pattern| {
            !seen.contains(&pattern.id) && !new.templates.iter().any(|other| other.places == pattern.places)
        })
        .take(TEMPLATES_MAX.saturating_sub(new.templates.len()))
        .cloned()
        .collect();
    new.templates.extend(kept);
    new.templates.sort_by_key(|pattern| pattern.id);
    new
}

fn numbers(learned: &Learned, lines: &[&str]) -> Vec<Option<u32>> {
    learned.with_parser(|parser| {
        lines.iter().map(|line| parser.parse(line, |_, template, _| template.map(|template| template.id))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        (0..50)
            .flat_map(|n| {
                texts.iter().map(move |text| format!("2025-01-02 03:04:{n:02} {}", text.replace('#', &n.to_string())))
            })
            .collect()
    }

    fn number(learned: &Learned, line: &str) -> Option<u32> {
        numbers(learned, &[line])[0]
    }

    #[test]
    fn a_template_keeps_its_number_when_others_join() {
        let first = lines(&["job # done", "worker # left the pool"]);
        let old = learn(&first.iter().map(String::as_str).collect::<Vec<_>>());
        let later = lines(&["cache of # entries dropped", "worker # left the pool", "job # done", "disk full"]);
        let new = next(&old, &later.iter().map(String::as_str).collect::<Vec<_>>(), 0);
        for line in &first {
            assert_eq!(number(&old, line), number(&new, line), "{line}");
        }
        let fresh = number(&new, "2025-01-02 03:04:05 disk full").expect("known now");
        assert!(old.templates.iter().all(|pattern| pattern.id != fresh));
    }

    #[test]
    fn numbers_that_somebody_else_gave_are_not_given_again() {
        let texts = lines(&["job # done", "worker # left the pool"]);
        let new = next(&Learned::default(), &texts.iter().map(String::as_str).collect::<Vec<_>>(), 7);
        assert_eq!(new.templates.iter().map(|pattern| pattern.id).collect::<Vec<_>>(), [7, 8]);
    }

    #[test]
    fn a_template_that_was_not_seen_again_stays() {
        let first = lines(&["job # done", "worker # left the pool"]);
        let old = learn(&first.iter().map(String::as_str).collect::<Vec<_>>());
        let later = lines(&["cache of # entries dropped"]);
        let new = next(&old, &later.iter().map(String::as_str).collect::<Vec<_>>(), 0);
        assert_eq!(number(&new, &first[0]), number(&old, &first[0]));
        assert!(number(&new, &later[0]).is_some());
    }
}
