//! What it costs to hand a record to an agent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wasmill::capabilities::{AgentSide, CallContext, Guest, Outbox, StateView};
use wasmill::catalog::new_store;
use wasmill::runtime::bindings::records::{Batch, Column};
use wasmill::streams::{StateReader, StreamError};
use wasmill_tests::scratch::Scratch;

use crate::{Row, median};

const RECORDS: usize = 1024;
const RECORD_SIZE: usize = 200;
const CALLS: u32 = 2_000;

/// A warm instance of `relay` without a target, which iterates over 1,024 records of 200 bytes and sends none.
pub async fn measure() -> Result<Vec<Row>> {
    let scratch = Scratch::new("[[row]]\nprincipal = \"agent:relay\"\ntopics.read = [\"relay.in\"]\n").await?;
    scratch.install("relay")?;
    let host = scratch.open().await?;
    let snapshot = host.catalog.snapshot();
    let agent = snapshot.agents.get("relay").context("relay was not loaded")?;
    let side = AgentSide {
        outbox: Outbox::new(1 << 20, String::new()),
        state: StateView::new(Arc::new(Nothing), 0, 0, String::new()),
    };
    let guest = Guest::new(agent.identity.clone(), host.catalog.services().clone(), context(), Some(side));
    let mut store = new_store(host.catalog.engine(), guest);
    let instance = agent.pre.instantiate_async(&mut store).await?;
    let batch = batch();
    let mut rounds = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        for _ in 0..CALLS {
            store.data_mut().begin_call(context());
            let handled = instance.wasmill_plugin_agent().call_handle(&mut store, &batch).await?;
            anyhow::ensure!(handled.is_ok(), "relay failed");
        }
        rounds.push(began.elapsed().as_nanos() as f64 / f64::from(CALLS) / RECORDS as f64);
    }
    Ok(vec![Row::at_most("boundary, 200-byte record in batches of 1,024", median(rounds), "ns", 50.0)])
}

fn context() -> CallContext {
    CallContext::closed(Instant::now() + Duration::from_secs(60), "".into())
}

fn batch() -> Batch {
    let column = |size: usize| Column {
        bytes: vec![b'x'; RECORDS * size],
        ends: (1..=RECORDS).map(|i| (i * size) as u32).collect(),
    };
    Batch {
        topic: "relay.in".into(),
        partition: 0,
        offsets: (0..RECORDS as u64).collect(),
        timestamps_ms: vec![0; RECORDS],
        keys: column(8),
        key_present: vec![],
        values: column(RECORD_SIZE),
        value_present: vec![],
        headers: None,
    }
}

/// No state at all.
struct Nothing;

impl StateReader for Nothing {
    fn get(&self, _: u32, _: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        Ok(None)
    }

    fn scan(&self, _: u32, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StreamError> {
        Ok(Vec::new())
    }
}
