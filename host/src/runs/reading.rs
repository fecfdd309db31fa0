//! What a run reads and can't work out itself: clocks, state, which topics there are. Nothing outside comes of a reading,
//! so it is written down with the next step and not before.

use std::collections::BTreeMap;

use serde_json::Value;

/// One reading: its number, what was read, and what it gave.
pub(super) type Reading = (u64, String, Value);

/// Readings of a run, in order.
#[derive(Debug, Default)]
pub(super) struct Tape {
    known: BTreeMap<u64, (String, Value)>,
    next: u64,
    /// Those since the last step, and whether they are new.
    since: Vec<(Reading, bool)>,
}

/// What a tape says to the next reading.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// It gave this.
    Known(Value),
    /// Nobody has read here before.
    Fresh,
    /// Something else was read here.
    Other {
        /// Number of the reading.
        at: u64,
        /// What was read.
        was: String,
    },
}

impl Tape {
    /// The tape that these pieces make together.
    pub fn of(pieces: impl Iterator<Item = Reading>) -> Self {
        Self { known: pieces.map(|(number, kind, value)| (number, (kind, value))).collect(), ..Self::default() }
    }

    /// Reads on.
    pub fn read(&mut self, kind: &str) -> Next {
        let at = self.next;
        match self.known.remove(&at) {
            Some((was, _)) if was != kind => Next::Other { at, was },
            Some((was, value)) => {
                self.next += 1;
                self.since.push(((at, was, value.clone()), false));
                Next::Known(value)
            }
            None => Next::Fresh,
        }
    }

    /// Notes what the reading gave that [`Next::Fresh`] was said to.
    pub fn note(&mut self, kind: &str, value: Value) {
        self.since.push(((self.next, kind.to_owned(), value), true));
        self.next += 1;
    }

    /// Number of the next reading.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// A step is taken: what is new goes with it.
    pub fn take(&mut self) -> Vec<Reading> {
        std::mem::take(&mut self.since).into_iter().filter_map(|(reading, is_new)| is_new.then_some(reading)).collect()
    }

    /// Everything since the last step.
    pub fn rest(&self) -> Vec<&Reading> {
        self.since.iter().map(|(reading, _)| reading).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_read_again_and_then_goes_on() {
        let mut first = Tape::default();
        for n in 0..3 {
            assert_eq!(first.read("wall"), Next::Fresh);
            first.note("wall", n.into());
        }
        // The middle piece was never written: its step was not asked when the host died.
        let pieces: Vec<Reading> = first.take().into_iter().filter(|(number, ..)| *number != 1).collect();
        let mut again = Tape::of(pieces.into_iter());
        assert_eq!(again.read("wall"), Next::Known(0.into()));
        assert_eq!(again.read("wall"), Next::Fresh);
        again.note("wall", 7.into());
        assert_eq!(again.read("state"), Next::Other { at: 2, was: "wall".into() });
        assert_eq!(again.rest().len(), 2);
        assert_eq!(again.take(), [(1, "wall".to_owned(), 7.into())]);
    }
}
