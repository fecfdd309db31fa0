//! Finds the templates behind messages. Messages of one length are parted again and again by words that come and go
//! together, until what still differs is a variable. It knows nothing of heads, files or sources.

mod columns;
mod hints;
mod places;
mod split;
mod words;

use std::collections::BTreeMap;

use crate::model::Place;
use crate::runtime::token::{Token, tokenise};
use hints::Hints;
use split::{Effort, Row, split};
use words::Words;

/// A message as the miner wants it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// True where it follows a head.
    pub headed: bool,
    /// Its text.
    pub text: &'a str,
}

/// A template that was found, most frequent first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// True where it follows a head.
    pub headed: bool,
    /// What it looks like.
    pub places: Vec<Place>,
    /// Messages of the sample that made it.
    pub count: usize,
}

/// Different words of a column that make it a variable.
pub const VARIETY: usize = 5;
/// The same for the first word of a message, which seldom varies.
pub const VARIETY_FIRST: usize = 20;

/// Places of rows that one pass may look at: some twenty times what a sample of a real log takes.
const EFFORT: usize = 1_500_000;

/// The templates behind `messages`; the same messages give the same templates, in the same order.
pub fn templates(messages: &[Message<'_>]) -> Vec<Found> {
    let mut words = Words::default();
    let mut groups: BTreeMap<(bool, usize), BTreeMap<Vec<u32>, Row>> = BTreeMap::new();
    let mut tokens = Vec::new();
    for message in messages {
        tokenise(message.text, &mut tokens);
        let row: Vec<u32> =
            tokens.iter().map(|t| if t.variable { words::VALUE } else { words.number(&t.masked) }).collect();
        let known = groups.entry((message.headed, row.len())).or_default().entry(row).or_insert_with_key(|row| {
            let mut frame =
                |t: &Token<'_>| if t.variable { words.number(&places::frame(t.text)) } else { words::VALUE };
            Row { words: row.clone(), frames: tokens.iter().map(&mut frame).collect(), count: 0 }
        });
        known.count += 1;
    }
    let groups: Vec<(bool, Vec<Row>)> =
        groups.into_iter().map(|((headed, _), rows)| (headed, rows.into_values().collect())).collect();
    // The first pass finds out which words vary; the second one makes use of it.
    let mut hints = Hints::default();
    let mut found = Vec::new();
    for _ in 0..2 {
        found.clear();
        let mut seen = Hints::default();
        let mut effort = Effort(EFFORT);
        for (headed, rows) in &groups {
            for leaf in split(rows, &words, &hints, &mut seen, &mut effort) {
                found.push(places::found(*headed, rows, &leaf, &words));
            }
        }
        hints = seen.settle();
    }
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.places.cmp(&b.places)).then(a.headed.cmp(&b.headed)));
    found.dedup_by(|later, first| later.headed == first.headed && later.places == first.places);
    found
}
