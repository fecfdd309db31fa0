//! Time, memory and sizes, as far as an agent meets them in another way than a tool.

use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case, RESULTS};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "loop",
        must: "A loop without end is stopped by `compute_ms`; the record goes to the dead-letter topic, the next one is handled.",
        run: endless,
    },
    Attack {
        name: "keep",
        must: "Memory kept from record to record ends at `memory_mib`; the instance is replaced and the next record handled.",
        run: keep,
    },
    Attack {
        name: "amplify",
        must: "Answering one record with `records` records meets `limit` at `output_kib`; none of them becomes visible.",
        run: amplify,
    },
    Attack { name: "huge-record", must: "A record of `mib` MiB is refused with `invalid`.", run: huge_record },
    Attack { name: "huge-key", must: "A key of `mib` MiB is refused with `invalid`.", run: huge_key },
    Attack {
        name: "many-headers",
        must: "A record with 100,000 headers is refused with `invalid`.",
        run: many_headers,
    },
];

const MIB: usize = 1024 * 1024;

fn endless(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    loop {
        std::hint::black_box(());
    }
}

fn keep(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    // Seen by nobody, it would not even be allocated.
    let block = std::hint::black_box(vec![0xEEu8; case.number("mib", 16) as usize * MIB]);
    // Nothing is ever given back.
    Ok(format!("kept {} bytes", Box::leak(block.into_boxed_slice()).len()))
}

fn amplify(case: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    let value = vec![b'x'; 1024];
    let records = case.number("records", 10_000_000);
    for _ in 0..records {
        out.send(RESULTS, None, Some(&value))?;
    }
    out.flush()?;
    Ok(format!("{records} records"))
}

fn huge_record(case: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    out.send(RESULTS, None, Some(&vec![b'x'; case.number("mib", 8) as usize * MIB]))?;
    out.flush()?;
    Ok("sent".to_owned())
}

fn huge_key(case: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    out.send(RESULTS, Some(&vec![b'x'; case.number("mib", 8) as usize * MIB]), None)?;
    out.flush()?;
    Ok("sent".to_owned())
}

fn many_headers(_: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    out.send_with_headers(RESULTS, None, None, (0..100_000).map(|_| ("name", &b"value"[..])))?;
    out.flush()?;
    Ok("sent".to_owned())
}
