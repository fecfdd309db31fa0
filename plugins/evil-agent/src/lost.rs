//! Ends after something was sent or stored: nothing of it may stay.

use wasmill_sdk::{Error, Failure, Outbox, state};

use crate::{Attack, Case, RESULTS};

/// Code of failures that are meant to fail the batch.
pub const CODE: &str = "evil.lost";

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "send-and-fail",
        must: "What was sent and stored before a failure is never seen; the record goes to the dead-letter topic.",
        run: send_and_fail,
    },
    Attack {
        name: "send-and-trap",
        must: "What was sent and stored before a trap is never seen; the record goes to the dead-letter topic.",
        run: send_and_trap,
    },
    Attack {
        name: "odd-row",
        must: "A failure of row 4,294,967,295 harms nothing: the record goes to the dead-letter topic.",
        run: odd_row,
    },
    Attack {
        name: "retry-for-ever",
        must: "A failure that always asks for another try is not tried for ever, and holds up no other partition.",
        run: retry,
    },
    Attack {
        name: "huge-reason",
        must: "A reason of 8 MiB is cut, so that the record fits into the dead-letter topic.",
        run: huge_reason,
    },
];

fn leave_traces(out: &mut Outbox) -> Result<(), Failure> {
    out.send(RESULTS, None, Some(b"this must never be seen"))?;
    out.flush()?;
    state::set("lost", "this must never be seen")?;
    Ok(())
}

fn failure(message: impl Into<String>) -> Failure {
    Failure::from(Error::failed(CODE, message))
}

fn send_and_fail(_: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    leave_traces(out)?;
    Err(failure("as intended"))
}

#[allow(clippy::panic)]
fn send_and_trap(_: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    leave_traces(out)?;
    panic!("as intended")
}

fn odd_row(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Err(Failure { row: Some(u32::MAX), ..failure("as intended") })
}

fn retry(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Err(Failure { retry: true, ..failure("as intended") })
}

fn huge_reason(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Err(Failure::of(&case.record, Error::failed(CODE, "x".repeat(8 * 1024 * 1024))))
}
