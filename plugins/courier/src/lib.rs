//! Delivers records to web services: each record is a letter with addresses, and each address gets it once.
//!
//! ```json
//! { "to": ["https://shop.example/orders", "https://mail.example/orders"], "body": { "order": 7 } }
//! ```
//!
//! It works in task mode, and so has no code for what usually makes a courier long. Every request and its answer is in
//! the run's journal: when the host dies between the first address and the second, the record comes again, the first
//! request is answered from the journal, and only the second one is sent. One that was on its way is sent again with the
//! same `Idempotency-Key`. A service that can't answer now is asked again later, by a failure that may be retried; letters
//! to others go on meanwhile.

use wasmill_sdk::http::{self, Request};
use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, Record, json};

/// Where a delivered letter is reported.
const DONE: &str = "deliveries.done";

#[derive(Default)]
struct Courier;

impl Agent for Courier {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        for record in batch {
            let report = deliver(&record)?;
            out.send(DONE, record.key(), Some(report.to_string().as_bytes()))?;
        }
        Ok(())
    }
}

/// Brings a letter to all its addresses, in order, and says what each one answered.
fn deliver(record: &Record<'_>) -> Result<Value, Error> {
    let letter: Value = json::parse(record.value_str().unwrap_or_default())?;
    let addresses = letter["to"].as_array().ok_or("a letter has a list `to` of addresses")?;
    let body = letter["body"].to_string();
    let mut answers = Vec::with_capacity(addresses.len());
    for address in addresses {
        let address = address.as_str().ok_or("an address is a text")?;
        answers.push(json!({ "to": address, "status": post(address, &body)? }));
    }
    Ok(json!({ "answers": answers }))
}

/// Posts a letter. What may be better later is an error that may pass; everything else fails for good.
fn post(address: &str, body: &str) -> Result<u16, Error> {
    let request = Request::post(address, body).with_header("content-type", "application/json");
    let status = http::send(&request)?.status;
    match status {
        200..300 => Ok(status),
        429 | 500.. => Err(Error::unavailable("courier.later", format!("{address} answered {status}"))),
        _ => Err(Error::failed("courier.refused", format!("{address} answered {status}"))),
    }
}

wasmill_sdk::agent!(Courier);
