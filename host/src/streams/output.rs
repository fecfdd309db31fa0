//! What columns must agree on before they are sent: they may come from a guest.

use super::{Column, Output, StreamError};

/// Refuses columns that contradict each other.
///
/// # Errors
/// [`StreamError::InvalidRecord`].
pub(super) fn check_output(output: &Output) -> Result<(), StreamError> {
    let rows = output.keys.len();
    let fits = |list: &[u8]| list.is_empty() || list.len() == rows;
    let headers_fit = output.headers.as_ref().is_none_or(|h| {
        let count = h.ends.last().copied().unwrap_or(0) as usize;
        h.ends.len() == rows && h.ends.is_sorted() && consistent(&h.names, count) && consistent(&h.values, count)
    });
    if consistent(&output.keys, rows)
        && consistent(&output.values, rows)
        && fits(&output.key_present)
        && fits(&output.value_present)
        && headers_fit
    {
        return Ok(());
    }
    Err(StreamError::InvalidRecord {
        topic: output.topic.clone(),
        reason: "its columns contradict each other".to_owned(),
    })
}

/// The error of a record without a key for a compacted topic.
pub(super) fn keyless(topic: &str) -> StreamError {
    StreamError::InvalidRecord {
        topic: topic.to_owned(),
        reason: "a compacted topic needs a key in every record".to_owned(),
    }
}

fn consistent(column: &Column, rows: usize) -> bool {
    column.len() == rows && column.is_consistent()
}
