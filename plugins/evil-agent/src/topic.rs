//! Records that it may not send.

use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case, RESULTS};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "topic",
        must: "Sending to the topic `topic`, which no row grants, is `denied`; the message names the row that would.",
        run: forbidden,
    },
    Attack {
        name: "headers",
        must: "Header names that the host writes itself are refused: the result is an empty list.",
        run: headers,
    },
    Attack { name: "odd-topics", must: "No odd name leads to a topic: the result is an empty list.", run: odd_topics },
];

fn forbidden(case: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    out.send(case.text("topic", "payments"), None, Some(b"evil"))?;
    out.flush()?;
    Ok("sent".to_owned())
}

fn headers(_: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    let mut sent = Vec::new();
    for name in ["ce_id", "ce_source", "ce_", "wasmill-digest", "wasmill-"] {
        out.send_with_headers(RESULTS, None, None, [(name, &b"evil"[..])])?;
        if out.flush().is_ok() {
            sent.push(name);
        }
    }
    Ok(format!("{sent:?}"))
}

fn odd_topics(_: &Case<'_>, out: &mut Outbox) -> Result<String, Failure> {
    let mut sent = Vec::new();
    for name in [
        "",
        "*",
        "evil.*",
        "evil.results ",
        "../evil.results",
        "evil.results\0",
        "EVIL.RESULTS",
        "wasmill.state.evil-agent",
        "wasmill.timer",
        "wasmill.cron.dlq",
    ] {
        out.send(name, None, Some(b"evil"))?;
        if out.flush().is_ok() {
            sent.push(name);
        }
    }
    Ok(format!("{sent:?}"))
}
