//! What a run came to.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::problem::Problem;
use crate::streams::{Column, Output, StateChange, present};

/// What a run came to.
#[derive(Debug)]
pub enum Outcome {
    /// What it does, once it is committed.
    Finished(Effects),
    /// Its record is set aside.
    Failed {
        /// Why.
        problem: Problem,
        /// Where the agent trapped, where it did.
        stack: Option<String>,
        /// How often it was tried.
        attempts: u32,
    },
}

/// What a run does.
#[derive(Debug, Default)]
pub struct Effects {
    /// Records to send.
    pub outputs: Vec<Output>,
    /// State to change.
    pub state: Vec<StateChange>,
    /// The span of its last turn, where it is recorded.
    pub trace: Option<Arc<str>>,
}

impl Outcome {
    /// What it takes in memory, roughly, in bytes.
    pub fn size(&self) -> usize {
        let Self::Finished(effects) = self else { return 0 };
        let output = |output: &Output| {
            let headers = output.headers.as_ref().map_or(0, |h| h.names.bytes.len() + h.values.bytes.len());
            output.keys.bytes.len() + output.values.bytes.len() + headers
        };
        let change = |change: &StateChange| change.key.len() + change.value.as_ref().map_or(0, Vec::len);
        effects.outputs.iter().map(output).sum::<usize>() + effects.state.iter().map(change).sum::<usize>()
    }
}

impl Effects {
    /// SHA-256 over records and state: equal where a replay does the same. Without the headers that the host adds, some of
    /// which say under which policy it happened, and without what the host itself keeps in the state.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        let mut part = |bytes: Option<&[u8]>| {
            hasher.update(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
            hasher.update(bytes.unwrap_or_default());
        };
        for output in &self.outputs {
            for row in 0..output.keys.len() {
                let cell = |column: &Column, list: &[u8]| present(list, row).then(|| column.row(row).to_vec());
                part(Some(output.topic.as_bytes()));
                part(cell(&output.keys, &output.key_present).as_deref());
                part(cell(&output.values, &output.value_present).as_deref());
                for (name, value) in output.headers.iter().flat_map(|headers| headers.of(row)) {
                    part(Some(name));
                    part(Some(value));
                }
            }
        }
        for change in self.state.iter().filter(|change| change.key.first() != Some(&0)) {
            part(Some(&change.key));
            part(change.value.as_deref());
        }
        hex::encode(hasher.finalize())
    }
}
