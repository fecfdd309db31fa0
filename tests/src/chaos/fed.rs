//! Whether the input topic holds what the producers were told it holds. What is missing or too much there, brokers and
//! producers have to answer for: hosts only read it.

use std::collections::BTreeMap;

use super::judge::Inputs;

/// What is wrong with the input topic, in numbers; all zero where nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fed {
    /// Acknowledged records that it doesn't hold.
    pub lost: u64,
    /// Records that it holds once more.
    pub doubled: u64,
    /// Records before which a later one of the same key stands.
    pub out_of_order: u64,
}

/// Compares each key's last acknowledged number with what is there: each number from 1 to it was sent once, in order.
#[must_use]
pub fn compare(acknowledged: &BTreeMap<String, u64>, inputs: &Inputs) -> Fed {
    let mut fed = Fed::default();
    for (key, last) in acknowledged {
        let there = inputs.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut times: BTreeMap<u64, u64> = BTreeMap::new();
        let mut furthest = 0;
        for number in there {
            let seen = times.entry(*number).or_default();
            *seen += 1;
            fed.doubled += u64::from(*seen > 1);
            fed.out_of_order += u64::from(*seen == 1 && *number < furthest);
            furthest = furthest.max(*number);
        }
        fed.lost += (1..=*last).filter(|number| !times.contains_key(number)).count() as u64;
    }
    fed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(there: &[u64]) -> Fed {
        compare(&[("a".to_owned(), 3)].into(), &[("a".to_owned(), there.to_vec())].into())
    }

    #[test]
    fn what_is_whole_is_whole() {
        assert_eq!(of(&[1, 2, 3]), Fed::default());
    }

    #[test]
    fn lost_doubled_and_displaced_records_are_told_apart() {
        assert_eq!(of(&[1, 3]), Fed { lost: 1, ..Fed::default() });
        assert_eq!(of(&[]), Fed { lost: 3, ..Fed::default() });
        assert_eq!(of(&[1, 2, 2, 3]), Fed { doubled: 1, ..Fed::default() });
        // As a batch that is sent again behind the next one.
        assert_eq!(of(&[1, 2, 3, 1, 2]), Fed { doubled: 2, ..Fed::default() });
        assert_eq!(of(&[2, 1, 3]), Fed { out_of_order: 1, ..Fed::default() });
    }
}
