//! Columns that contradict each other, past the SDK that would never write such.

use wasmill_sdk::bindings::agent::wasmill::plugin::records::{self, Column, HeaderColumns, Outgoing};
use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case, RESULTS};

pub const ATTACKS: &[Attack] = &[Attack {
    name: "columns",
    must: "Every set of columns that contradicts itself is refused with `invalid`: the result is an empty list.",
    run: lie,
}];

fn lie(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let taken: Vec<_> =
        lies().into_iter().filter(|(_, lie)| records::send(lie).is_ok()).map(|(name, _)| name).collect();
    Ok(format!("{taken:?}"))
}

fn column(bytes: &[u8], ends: &[u32]) -> Column {
    Column { bytes: bytes.to_vec(), ends: ends.to_vec() }
}

/// Two records that are as they should be, to be spoiled in one place.
fn honest() -> Outgoing {
    Outgoing {
        topic: RESULTS.to_owned(),
        keys: column(b"ab", &[1, 2]),
        key_present: vec![],
        values: column(b"cd", &[1, 2]),
        value_present: vec![],
        headers: None,
    }
}

fn with_headers(ends: &[u32], names: Column, values: Column) -> Outgoing {
    Outgoing { headers: Some(HeaderColumns { ends: ends.to_vec(), names, values }), ..honest() }
}

fn lies() -> Vec<(&'static str, Outgoing)> {
    let one = || column(b"n", &[1]);
    vec![
        ("ends fall", Outgoing { keys: column(b"ab", &[2, 1]), ..honest() }),
        ("ends beyond the bytes", Outgoing { values: column(b"cd", &[1, 3]), ..honest() }),
        ("ends far beyond the bytes", Outgoing { values: column(b"cd", &[1, u32::MAX]), ..honest() }),
        ("bytes beyond the ends", Outgoing { values: column(b"cde", &[1, 2]), ..honest() }),
        ("bytes without ends", Outgoing { values: column(b"cd", &[]), ..honest() }),
        ("fewer values than keys", Outgoing { values: column(b"c", &[1]), ..honest() }),
        ("more values than keys", Outgoing { values: column(b"cde", &[1, 2, 3]), ..honest() }),
        ("too few flags", Outgoing { key_present: vec![1], ..honest() }),
        ("too many flags", Outgoing { value_present: vec![1, 1, 1], ..honest() }),
        ("a flag of 2", Outgoing { value_present: vec![2, 1], ..honest() }),
        ("a key that is absent and has bytes", Outgoing { key_present: vec![0, 1], ..honest() }),
        ("header ends fall", with_headers(&[1, 0], one(), one())),
        ("header ends beyond the headers", with_headers(&[1, 2], one(), one())),
        ("too few header ends", with_headers(&[1], one(), one())),
        ("fewer header values than names", with_headers(&[1, 1], one(), column(b"", &[]))),
        ("a header name that is no UTF-8", with_headers(&[1, 1], column(&[0xFF], &[1]), one())),
    ]
}
