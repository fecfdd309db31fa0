//! W3C trace context: what ties a record, the calls it leads to and the records that come of it together.

use std::sync::Arc;

use rand::Rng;

/// Trace and span of a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    /// The trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
}

/// A trace that begins here and that nobody records.
pub fn new_traceparent() -> Arc<str> {
    drawn(false)
}

/// A trace that begins here.
pub(super) fn drawn(is_sampled: bool) -> Arc<str> {
    let mut context = Context { trace: [0; 16], span: [0; 8] };
    rand::rng().fill_bytes(&mut context.trace);
    rand::rng().fill_bytes(&mut context.span);
    written(context, is_sampled)
}

/// A `traceparent` out of its parts.
pub(super) fn written(context: Context, is_sampled: bool) -> Arc<str> {
    let Context { trace, span } = context;
    format!("00-{}-{}-0{}", hex::encode(trace), hex::encode(span), u8::from(is_sampled)).into()
}

/// True for a well-formed `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, no id of zeros only.
pub fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let id = |part: &str, len: usize| hex(part, len) && part.bytes().any(|b| b != b'0');
    matches!(parts[..], [v, t, s, f] if v == "00" && id(t, 32) && id(s, 16) && hex(f, 2))
}

/// True where whoever wrote this `traceparent` records its trace.
pub fn is_sampled(traceparent: &str) -> bool {
    let last = traceparent.bytes().last().unwrap_or_default();
    char::from(last).to_digit(16).is_some_and(|digit| digit & 1 == 1)
}

/// True where two well-formed `traceparent`s are of one trace.
pub fn same_trace(one: &str, other: &str) -> bool {
    one.get(3..35) == other.get(3..35)
}

/// Trace and span of a well-formed `traceparent`, in hexadecimal.
pub(super) fn ids(traceparent: &str) -> Option<(&str, &str)> {
    Some((traceparent.get(3..35)?, traceparent.get(36..52)?))
}

/// The same as bytes; none for text that is no `traceparent`.
pub(super) fn context(traceparent: &str) -> Option<Context> {
    let (trace, span) = ids(traceparent)?;
    let mut context = Context { trace: [0; 16], span: [0; 8] };
    hex::decode_to_slice(trace, &mut context.trace).ok()?;
    hex::decode_to_slice(span, &mut context.span).ok()?;
    Some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_new_trace_is_well_formed_and_new_and_recorded_by_nobody() {
        let (one, two) = (new_traceparent(), new_traceparent());
        assert!(is_traceparent(&one) && !is_sampled(&one));
        assert_ne!(one, two);
        assert!(is_sampled(&drawn(true)));
    }

    #[test]
    fn what_is_no_traceparent_is_seen() {
        assert!(is_traceparent(GIVEN));
        for broken in [
            "",
            "00-xyz",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(!is_traceparent(broken), "{broken}");
        }
    }

    #[test]
    fn its_parts_are_those_that_are_written() {
        assert_eq!(&*written(context(GIVEN).unwrap(), true), GIVEN);
        assert!(["", "ää", "00-é"].into_iter().all(|text| context(text).is_none()));
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)] {
            assert_eq!(is_sampled(&format!("{}{flags}", &GIVEN[..53])), sampled, "{flags}");
        }
        assert!(same_trace(GIVEN, &GIVEN.replace("b7", "00")) && !same_trace(GIVEN, &new_traceparent()));
    }
}
