//! State, over its limits.

use wasmill_sdk::{Failure, Outbox, state};

use crate::{Attack, Case};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "state-key",
        must: "An empty key and one of 1,025 bytes are refused with `invalid`: the result is 0.",
        run: key,
    },
    Attack { name: "state-value", must: "A value of 2 MiB is refused with `invalid`.", run: value },
    Attack {
        name: "state-fill",
        must: "State meets `limit` at `state_mib`; what was stored before this record stays.",
        run: fill,
    },
    Attack { name: "state-scan", must: "A scan for 4,294,967,295 entries gives at most 1,000.", run: scan },
    Attack {
        name: "state-batch",
        must: "Reading 1,000,000 keys at once is refused with `invalid` or `limit`.",
        run: batch,
    },
    Attack {
        name: "state-others",
        must: "No key leads to another agent's or partition's state, nor to what a failed record left: the result is an empty list.",
        run: others,
    },
    Attack {
        name: "state-count",
        must: "Harmless: the result counts these records, over all restarts, and none twice.",
        run: count,
    },
];

fn key(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let odd = [String::new(), "k".repeat(1025)];
    Ok(odd.iter().filter(|key| state::set(key, "v").is_ok()).count().to_string())
}

fn value(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    state::set("k", "v".repeat(2 * 1024 * 1024))?;
    Ok("stored".to_owned())
}

fn fill(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let block = vec![0xEEu8; 512 * 1024];
    for number in 0..100_000 {
        state::set(format!("fill-{number}"), &block)?;
    }
    Ok("stored 50 GB".to_owned())
}

fn scan(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    for number in 0..1_100 {
        state::set(format!("scan-{number}"), "v")?;
    }
    Ok(state::scan("scan-", None, u32::MAX)?.len().to_string())
}

fn batch(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(state::get_many(&vec![b"k".to_vec(); 1_000_000])?.len().to_string())
}

fn others(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let odd = ["../upper/0/k", "upper/0/k", "\0\0k", "wasmill.state.upper", "*", "%", "lost"];
    let found = odd.iter().filter(|key| !matches!(state::get(key), Ok(None) | Err(_)));
    Ok(format!("{:?}", found.collect::<Vec<_>>()))
}

fn count(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let before =
        state::get("count")?.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok());
    let now = (before.unwrap_or(0u64) + 1).to_string();
    state::set("count", &now)?;
    Ok(now)
}
