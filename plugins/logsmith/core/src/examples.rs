//! Calls that a finished parser must answer as the learner would.

use std::collections::BTreeSet;

use serde_json::json;

use crate::model::Learned;
use crate::runtime::answer;

/// A call with its answer, both JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Function to call.
    pub function: &'static str,
    /// Its arguments.
    pub arguments: String,
    /// What it must answer.
    pub expected: String,
}

/// Most lines in the examples of one source.
const LINES_MAX: usize = 16;
/// Longest line that becomes an example, in bytes.
const LINE_MAX: usize = 2_048;

/// Examples out of the sample: a call with one line for each of the first templates, and a call without any line.
pub fn examples(learned: &Learned, sample: &[&str]) -> Vec<Example> {
    learned.with_parser(|parser| {
        let mut seen = BTreeSet::new();
        let lines: Vec<&str> = sample
            .iter()
            .copied()
            .filter(|line| {
                line.len() <= LINE_MAX && seen.insert(parser.parse(line, |_, template, _| template.map(|t| t.id)))
            })
            .take(LINES_MAX)
            .collect();
        [lines, Vec::new()]
            .into_iter()
            .filter_map(|lines| {
                let arguments = json!({ "lines": lines }).to_string();
                let expected = answer::parse(parser, &arguments).ok()?;
                Some(Example { function: "parse", arguments, expected })
            })
            .collect()
    })
}
