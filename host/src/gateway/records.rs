//! `/v1/topics/{topic}/records`: appending and reading records.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::asker::Asker;
use super::extract::{Body, Params, Path};
use super::openapi::Routes;
use super::paging::Limit;
use super::state::{Gateway, SharedGateway};
use super::text::Text;
use super::traced::TRACEPARENT;
use crate::capabilities::count;
use crate::permissions::Rate;
use crate::problem::Problem;
use crate::streams::{Batch, Record, SharedStreams};
use crate::telemetry::{About, SpanKind, Work};

/// Largest request, in bytes: a record of the largest size in base64 must fit.
const REQUEST_SIZE_MAX: usize = 32 * 1024 * 1024;
/// Most records of one answer.
const READ_RECORDS_MAX: u32 = 1000;
/// Records that a search by key reads at once.
const SEARCH_STEP: usize = 1000;
/// Most records that one search by key looks at.
const SEARCHED_MAX: usize = 20_000;
/// Longest wait for the first record, in milliseconds.
const WAIT_MS_MAX: u64 = 30_000;

/// Records to append.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendRequest {
    /// In this order.
    pub records: Vec<RecordIn>,
}

/// A record to append.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordIn {
    /// Partition; none: by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<u32>,
    /// Key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Text>,
    /// Value; none: a tombstone.
    #[serde(default)]
    pub value: Option<Text>,
    /// Names with values, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, Text)>,
    /// Milliseconds since 1970-01-01T00:00:00Z; none: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_ms: Option<i64>,
}

/// Where records went.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AppendReply {
    /// One for each record, in order.
    pub positions: Vec<Position>,
}

/// A place in a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Position {
    /// Partition.
    pub partition: u32,
    /// Offset in it.
    pub offset: u64,
}

/// What to read.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadParams {
    /// Partition.
    #[serde(default)]
    partition: u32,
    /// First offset.
    #[serde(default)]
    offset: u64,
    /// Most records.
    #[serde(default)]
    limit: Limit<READ_RECORDS_MAX>,
    /// How long to wait for the first record, milliseconds; at most 30,000.
    #[serde(default)]
    wait_ms: u64,
    /// Only records with this key.
    key: Option<String>,
}

/// Records of one partition.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReadReply {
    /// In the order of their offsets.
    pub records: Vec<RecordOut>,
    /// Where to go on.
    #[serde(default)]
    pub next: u64,
}

/// A record as it is in a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordOut {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Offset in it.
    pub offset: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z; none where it has none.
    pub timestamp_ms: Option<i64>,
    /// Key.
    pub key: Option<Text>,
    /// Value; none: a tombstone.
    pub value: Option<Text>,
    /// Names with values, in order.
    pub headers: Vec<(String, Text)>,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/topics/{topic}/records", "Records of one partition, from an offset", read)
        .post("/v1/topics/{topic}/records", "Append records", append)
        .body_limit(REQUEST_SIZE_MAX)
}

async fn append(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path(topic): Path<String>,
    Body(request): Body<AppendRequest>,
) -> Result<Json<AppendReply>, Problem> {
    // A single command counts nothing: it ends at once.
    if let Some(host) = gateway.host_at_work() {
        let rows = request.records.len() as u64;
        count(&host.client(&client).identity, host.catalog.services(), Rate::Records, rows)?;
    }
    let records = request.records.into_iter().map(Record::from).collect();
    let positions = append_traced(&gateway, &topic, records).await?;
    let positions = positions.into_iter().map(|(partition, offset)| Position { partition, offset }).collect();
    Ok(Json(AppendReply { positions }))
}

/// Appends; records that say nothing of a trace go on with the request's, where it has one.
async fn append_traced(gateway: &Gateway, topic: &str, mut records: Vec<Record>) -> Result<Vec<(u32, u64)>, Problem> {
    let streams = gateway.streams().await?;
    let Some(trace) = Work::current_trace() else { return Ok(streams.append(topic, records).await?) };
    let telemetry = gateway.host_at_work().map(|host| host.telemetry().clone()).unwrap_or_default();
    let mut span = telemetry.below(&trace, || {
        About::new(format!("send {topic}"), SpanKind::Producer)
            .with("messaging.system", streams.system())
            .with("messaging.operation.name", "send")
            .with("messaging.operation.type", "send")
            .with("messaging.destination.name", topic.to_owned())
            .with("messaging.batch.message_count", i64::try_from(records.len()).unwrap_or(i64::MAX))
    });
    for record in &mut records {
        if !record.headers.iter().any(|(name, _)| name == TRACEPARENT) {
            record.headers.push((TRACEPARENT.to_owned(), span.traceparent().as_bytes().to_vec()));
        }
    }
    let appended = streams.append(topic, records).await;
    if let Err(error) = &appended {
        span.fail(error.code());
    }
    Ok(appended?)
}

async fn read(
    State(gateway): State<SharedGateway>,
    Path(topic): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Json<ReadReply>, Problem> {
    let wait = Duration::from_millis(params.wait_ms.min(WAIT_MS_MAX));
    let (streams, limit) = (gateway.streams().await?, params.limit.items());
    if let Some(key) = params.key {
        return Ok(Json(search(streams, &topic, params.partition, params.offset, key.as_bytes(), limit).await?));
    }
    let batch = streams.read(&topic, params.partition, params.offset, limit, wait).await?;
    Ok(Json(ReadReply { next: after(&batch).unwrap_or(params.offset), records: records_of(&batch) }))
}

/// The offset after the last record of a batch; none where it has none.
fn after(batch: &Batch) -> Option<u64> {
    batch.offsets.last().map(|last| last + 1)
}

/// Looks at a bounded number of records for those with a key, and says where to go on.
async fn search(
    streams: &SharedStreams,
    topic: &str,
    partition: u32,
    from: u64,
    key: &[u8],
    max: usize,
) -> Result<ReadReply, Problem> {
    let (mut records, mut next, mut searched) = (Vec::new(), from, 0);
    while searched < SEARCHED_MAX && records.len() < max {
        let batch = streams.read(topic, partition, next, SEARCH_STEP, Duration::ZERO).await?;
        let Some(end) = after(&batch) else { break };
        searched += batch.offsets.len();
        let found = records_of(&batch).into_iter().enumerate().filter(|(row, _)| batch.key(*row) == Some(key));
        records.extend(found.map(|(_, record)| record).take(max - records.len()));
        // Where not all of them fit, the rest is looked at once more.
        next = match records.last() {
            Some(last) if records.len() == max => last.offset + 1,
            _ => end,
        };
    }
    Ok(ReadReply { records, next })
}

impl From<RecordIn> for Record {
    fn from(record: RecordIn) -> Self {
        Self {
            partition: record.partition,
            key: record.key.map(Text::into_bytes),
            value: record.value.map(Text::into_bytes),
            headers: record.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect(),
            timestamp_ms: record.timestamp_ms,
        }
    }
}

/// The records of a batch.
pub(crate) fn records_of(batch: &Batch) -> Vec<RecordOut> {
    let headers = |i| {
        let all = batch.headers.iter().flat_map(move |headers| headers.of(i));
        all.map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.into())).collect()
    };
    batch
        .offsets
        .iter()
        .enumerate()
        .map(|(i, &offset)| RecordOut {
            topic: batch.topic.clone(),
            partition: batch.partition,
            offset,
            timestamp_ms: batch.timestamps_ms.get(i).copied().filter(|&ms| ms >= 0),
            key: batch.key(i).map(Text::from),
            value: batch.value(i).map(Text::from),
            headers: headers(i),
        })
        .collect()
}
