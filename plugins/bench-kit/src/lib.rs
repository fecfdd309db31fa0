//! The work that benchmarks have done: by agents, by a tool that they call, and natively by the program beside them, which
//! is compiled from this very file.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a record's value is, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Event<'a> {
    /// Number of the record.
    pub id: u64,
    /// What becomes capitals.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Left as it is.
    #[serde(borrow)]
    pub city: Cow<'a, str>,
    /// Left as it is.
    pub cents: i64,
    /// Left as it is; fills the record up to its size.
    #[serde(borrow)]
    pub note: Cow<'a, str>,
}

impl Event<'_> {
    /// Turns the name into capitals.
    pub fn raise(&mut self) {
        self.name.to_mut().make_ascii_uppercase();
    }
}

/// Reads a JSON object, turns its field `name` into capitals and appends the object to `out`.
///
/// # Errors
/// What is not such an object.
pub fn upper(json: &[u8], out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let mut event: Event<'_> = serde_json::from_slice(json)?;
    event.raise();
    serde_json::to_writer(out, &event)
}
