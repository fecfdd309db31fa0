//! Topics as resources: the newest records of each that a client may read.

use std::time::Duration;

use rmcp::model::{Resource, ResourceContents};
use serde_json::{Value, json};

use crate::capabilities::{Caller, check};
use crate::gateway::records_of;
use crate::host::Host;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemKind};
use crate::streams::Batch;

/// Newest records of each partition that are shown.
const RECORDS_MAX: u64 = 20;
/// Partitions that are looked at; the rest of a wider topic is not shown.
const PARTITIONS_MAX: u32 = 64;
/// Most bytes of a page, shared evenly by the partitions; where not all records fit, the oldest are left out and counted.
const PAGE_BYTES_MAX: usize = 256 * 1024;
/// How long a partition may take to answer.
const WAIT: Duration = Duration::from_secs(2);
const SCHEME: &str = "topic://";

/// The topics that the caller may read.
pub(super) async fn list(host: &Host, caller: &Caller) -> Result<Vec<Resource>, Problem> {
    let grant = &caller.identity.grant;
    let topics = host.streams.topics().await?;
    let readable = topics.into_iter().filter(|topic| grant.check(Action::TopicRead(&topic.name)).is_allowed());
    Ok(readable
        .map(|topic| {
            let about = format!("The newest records, up to {RECORDS_MAX} of each partition ({})", topic.partitions);
            Resource::new(format!("{SCHEME}{}", topic.name), topic.name)
                .with_description(about)
                .with_mime_type("application/json")
        })
        .collect())
}

/// The newest records of a topic.
pub(super) async fn read(host: &Host, caller: &Caller, uri: &str) -> Result<ResourceContents, Problem> {
    let topic = uri.strip_prefix(SCHEME).ok_or_else(|| unknown(uri))?;
    check(&caller.identity, host.catalog.services(), Action::TopicRead(topic))
        .map_err(|e| crate::capabilities::problem(&e))?;
    let known = host.streams.topics().await?.into_iter().find(|known| known.name == topic);
    let partitions = known.ok_or_else(|| unknown(uri))?.partitions;
    let looked_at = partitions.min(PARTITIONS_MAX);
    let (mut records, mut left_out) = (Vec::new(), 0);
    for partition in 0..looked_at {
        let marks = host.streams.watermarks(topic, partition).await?;
        let from = marks.next.saturating_sub(RECORDS_MAX).max(marks.first);
        if from < marks.next {
            let batch = host.streams.read(topic, partition, from, RECORDS_MAX as usize, WAIT).await?;
            let newest = shown(&batch, PAGE_BYTES_MAX / looked_at as usize);
            left_out += batch.offsets.len() - newest.len();
            records.extend(newest);
        }
    }
    let page = json!({ "topic": topic, "partitions": partitions, "left_out": left_out, "records": records });
    Ok(ResourceContents::text(page.to_string(), uri).with_mime_type("application/json"))
}

/// The newest records that fit into a size, in their order.
fn shown(batch: &Batch, bytes_max: usize) -> Vec<Value> {
    let (mut records, mut left) = (Vec::new(), bytes_max);
    for record in records_of(batch).into_iter().rev().map(|record| json!(record)) {
        let Some(rest) = left.checked_sub(record.to_string().len()) else { break };
        left = rest;
        records.push(record);
    }
    records.reverse();
    records
}

fn unknown(uri: &str) -> Problem {
    let next = "List the resources to see which topics there are.";
    Problem::new(ProblemKind::NotFound, "topic.unknown", format!("there is no topic at `{uri}`"), next)
}
