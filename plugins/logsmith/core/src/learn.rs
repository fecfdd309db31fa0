//! From lines to what was learned about their source.

use crate::infer;
use crate::mine::{self, Message};
use crate::model::{Learned, Pattern};
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
    learned.templates = found
        .into_iter()
        .take(TEMPLATES_MAX)
        .zip(0..)
        .map(|(found, id)| Pattern { id, headed: found.headed, places: found.places })
        .collect();
    learned
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
