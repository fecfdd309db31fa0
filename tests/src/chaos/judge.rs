//! The checker's decision: from what went in and what came out to what is wrong. It knows nothing of Kafka or hosts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Numbers of each key's records, in the order of the input topic.
pub type Inputs = BTreeMap<String, Vec<u64>>;

/// What came out for each key, in the order of the output topic.
pub type Outputs = BTreeMap<String, Vec<Counted>>;

/// Most examples of a verdict.
const EXAMPLES_MAX: usize = 20;

/// One record that came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Number of the input that it answers.
    pub number: u64,
    /// How many of its key there were so far.
    pub count: u64,
}

/// What is wrong, in numbers; all zero where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Records that went in.
    pub inputs: u64,
    /// Inputs without an output.
    pub lost: u64,
    /// Outputs beyond the first of their input.
    pub duplicates: u64,
    /// Outputs that answer an earlier input than one before them of the same key.
    pub out_of_order: u64,
    /// Outputs whose count is not their input's place among its key's.
    pub wrong_counts: u64,
    /// Outputs of no input.
    pub unasked: u64,
    /// Some of it in words.
    pub examples: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost + self.duplicates + self.out_of_order + self.wrong_counts + self.unasked == 0
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(text());
        }
    }
}

/// Judges what came out by what went in.
#[must_use]
pub fn judge(inputs: &Inputs, outputs: &Outputs) -> Verdict {
    let mut verdict =
        Verdict { inputs: inputs.values().map(|numbers| numbers.len() as u64).sum(), ..Verdict::default() };
    let keys: BTreeSet<&String> = inputs.keys().chain(outputs.keys()).collect();
    for key in keys {
        let (input, output) = (inputs.get(key), outputs.get(key));
        let (input, output) = (input.map_or(&[][..], Vec::as_slice), output.map_or(&[][..], Vec::as_slice));
        judge_key(key, input, output, &mut verdict);
    }
    verdict
}

fn judge_key(key: &str, input: &[u64], output: &[Counted], verdict: &mut Verdict) {
    // A number that went in twice is two inputs.
    let mut places: BTreeMap<u64, VecDeque<usize>> = BTreeMap::new();
    for (place, number) in input.iter().enumerate() {
        places.entry(*number).or_default().push_back(place);
    }
    let mut is_seen = vec![false; input.len()];
    let mut furthest = None;
    for Counted { number, count } in output {
        let Some(unanswered) = places.get_mut(number) else {
            verdict.unasked += 1;
            verdict.example(|| format!("{key}: {number} came out and never went in"));
            continue;
        };
        let Some(place) = unanswered.pop_front() else {
            verdict.duplicates += 1;
            verdict.example(|| format!("{key}: {number} came out again, with the count {count}"));
            continue;
        };
        is_seen[place] = true;
        if furthest.is_some_and(|furthest| place < furthest) {
            verdict.out_of_order += 1;
            verdict.example(|| format!("{key}: {number} came out after a later one"));
        }
        furthest = furthest.max(Some(place));
        let right = place as u64 + 1;
        if *count != right {
            verdict.wrong_counts += 1;
            verdict.example(|| format!("{key}: {number} came out with the count {count} instead of {right}"));
        }
    }
    for (place, _) in is_seen.iter().enumerate().filter(|(_, is_seen)| !**is_seen) {
        verdict.lost += 1;
        verdict.example(|| format!("{key}: {} is lost", input[place]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> Inputs {
        [("a".to_owned(), vec![1, 2, 3]), ("b".to_owned(), vec![5, 4])].into()
    }

    fn outputs(a: &[(u64, u64)], b: &[(u64, u64)]) -> Outputs {
        let counted = |all: &[(u64, u64)]| all.iter().map(|&(number, count)| Counted { number, count }).collect();
        [("a".to_owned(), counted(a)), ("b".to_owned(), counted(b))].into()
    }

    const A: [(u64, u64); 3] = [(1, 1), (2, 2), (3, 3)];
    const B: [(u64, u64); 2] = [(5, 1), (4, 2)];

    fn of(a: &[(u64, u64)], b: &[(u64, u64)]) -> Verdict {
        let verdict = judge(&inputs(), &outputs(a, b));
        assert_eq!(verdict.examples.is_empty(), verdict.is_clean(), "{verdict:?}");
        Verdict { examples: Vec::new(), ..verdict }
    }

    fn inputs_5() -> Verdict {
        Verdict { inputs: 5, ..Verdict::default() }
    }

    #[test]
    fn what_is_right_is_clean() {
        assert_eq!(of(&A, &B), inputs_5());
    }

    #[test]
    fn a_lost_record_is_caught_at_either_end_and_with_a_whole_key() {
        assert_eq!(of(&A[..2], &B), Verdict { lost: 1, ..inputs_5() });
        assert_eq!(of(&A, &[]), Verdict { lost: 2, ..inputs_5() });
        let without_b = [("a".to_owned(), outputs(&A, &[])["a"].clone())].into();
        assert_eq!(judge(&inputs(), &without_b).lost, 2);
    }

    #[test]
    fn a_lost_record_whose_place_another_took_in_the_count_is_caught_twice() {
        // As an agent would count that never saw number 1.
        assert_eq!(of(&[(2, 1), (3, 2)], &B), Verdict { lost: 1, wrong_counts: 2, ..inputs_5() });
    }

    #[test]
    fn a_duplicate_is_caught_with_the_same_count_and_with_the_next() {
        assert_eq!(of(&[A[0], A[1], A[1], A[2]], &B), Verdict { duplicates: 1, ..inputs_5() });
        // As an agent would count that saw number 2 twice.
        let counted_twice = [(1, 1), (2, 2), (2, 3), (3, 4)];
        assert_eq!(of(&counted_twice, &B), Verdict { duplicates: 1, wrong_counts: 1, ..inputs_5() });
    }

    #[test]
    fn what_went_in_twice_must_come_out_twice() {
        let twice: Inputs = [("a".to_owned(), vec![1, 2, 2])].into();
        let came_out = |numbers: &[(u64, u64)]| judge(&twice, &outputs(numbers, &[]));
        assert!(came_out(&[(1, 1), (2, 2), (2, 3)]).is_clean());
        assert_eq!(came_out(&[(1, 1), (2, 2)]).lost, 1);
        assert_eq!(came_out(&[(1, 1), (2, 2), (2, 3), (2, 4)]).duplicates, 1);
    }

    #[test]
    fn a_record_out_of_order_is_caught_whatever_the_numbers_are() {
        assert_eq!(of(&[A[1], A[0], A[2]], &B), Verdict { out_of_order: 1, ..inputs_5() });
        // The input's order counts, not that of the numbers.
        assert_eq!(of(&A, &[(4, 2), (5, 1)]), Verdict { out_of_order: 1, ..inputs_5() });
    }

    #[test]
    fn a_wrong_count_is_caught() {
        assert_eq!(of(&[(1, 1), (2, 1), (3, 3)], &B), Verdict { wrong_counts: 1, ..inputs_5() });
        assert_eq!(of(&[(1, 0), (2, 2), (3, 4)], &B), Verdict { wrong_counts: 2, ..inputs_5() });
    }

    #[test]
    fn an_output_that_nobody_asked_for_is_caught() {
        assert_eq!(of(&[A[0], A[1], A[2], (9, 4)], &B), Verdict { unasked: 1, ..inputs_5() });
        // An input of another key.
        assert_eq!(of(&A, &[B[0], B[1], (1, 3)]), Verdict { unasked: 1, ..inputs_5() });
    }

    #[test]
    fn one_fault_does_not_hide_another() {
        let all = [(2, 2), (1, 1), (2, 3), (9, 9)];
        let wrong = Verdict { lost: 1, duplicates: 1, out_of_order: 1, unasked: 1, ..inputs_5() };
        assert_eq!(of(&all, &B), wrong);
    }

    #[test]
    fn examples_are_bounded() {
        let many = [("a".to_owned(), (0..1000).collect())].into();
        let verdict = judge(&many, &Outputs::new());
        assert_eq!((verdict.lost, verdict.examples.len()), (1000, EXAMPLES_MAX));
    }
}
