//! From lines to what was learned about their source.

use std::collections::BTreeMap;

use crate::infer;
use crate::mine::{self, Message};
use crate::model::{Learned, Pattern, Place};
use crate::runtime::head::clip;
use crate::runtime::parse::Parser;

/// Most templates of one source.
pub const TEMPLATES_MAX: usize = 1_000;

/// Learns a source from a sample of its lines. The same lines give the same result.
pub fn learn(lines: &[&str]) -> Learned {
    let lines: Vec<&str> = lines.iter().map(|line| clip(line)).collect();
    let mut learned = Learned { layout: infer::layout(&lines), templates: Vec::new() };
    let found = {
        let shapes = learned.shapes();
        let lent = learned.lend(&shapes);
        let parts: Vec<_> = lines.iter().map(|line| lent.layout().apply(line)).collect();
        let messages: Vec<_> = parts.iter().map(|p| Message { headed: p.headed, text: &p.message }).collect();
        mine::templates(&messages)
    };
    let mut numbers = BTreeMap::new();
    for found in found.into_iter().take(TEMPLATES_MAX) {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let id = *numbers.entry((found.headed, gist(&found.places))).or_insert(next);
        learned.templates.push(Pattern { id, headed: found.headed, places: found.places });
    }
    learned
}

/// What makes two patterns one template: the same words in the same order, whatever the number of variables between them.
/// Variables next to each other are one or several by chance: `lib6 2.1` is one run of values, `lib 2.1` a name and a value.
fn gist(places: &[Place]) -> Vec<Place> {
    if !places.iter().any(|place| matches!(place, Place::Word(word) if word.contains(char::is_alphabetic))) {
        return places.to_vec();
    }
    let variable = Place::Value(String::new(), String::new());
    let mut gist: Vec<Place> = Vec::with_capacity(places.len());
    for place in places {
        match place {
            Place::Word(_) => gist.push(place.clone()),
            Place::Any(prefix, _) if !prefix.is_empty() => gist.push(place.clone()),
            _ if gist.last() == Some(&variable) => {}
            _ => gist.push(variable.clone()),
        }
    }
    gist
}

impl Learned {
    /// Hands a ready parser to `work`.
    pub fn with_parser<R>(&self, work: impl FnOnce(&Parser<'_>) -> R) -> R {
        let shapes = self.shapes();
        let lent = self.lend(&shapes);
        let templates = lent.templates();
        work(&Parser::new(lent.layout(), &templates))
    }
}
