//! W3C trace context: what ties a record, the calls it leads to and the records that come of it together.

use std::sync::Arc;

use rand::Rng;

/// A trace that begins here.
pub fn new_traceparent() -> Arc<str> {
    let mut bytes = [0u8; 24];
    rand::rng().fill_bytes(&mut bytes);
    let (trace, span) = bytes.split_at(16);
    format!("00-{}-{}-01", hex::encode(trace), hex::encode(span)).into()
}

/// True for a well-formed `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, lower case.
pub fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(parts[..], [v, t, s, f] if v == "00" && hex(t, 32) && hex(s, 16) && hex(f, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_trace_is_well_formed_and_new() {
        let (one, two) = (new_traceparent(), new_traceparent());
        assert!(is_traceparent(&one));
        assert_ne!(one, two);
    }
}
