//! What there is to be given: calls out of journals, records out of topics.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::agents::single;
use crate::catalog::Agent;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemKind};
use crate::streams::{Batch, SharedStreams};

/// How long the log may take to give records that are there.
const RECORDS_WAIT: Duration = Duration::from_secs(5);
/// Records that are read at once.
const READ_RECORDS: usize = 100;
/// Bytes of keys and values after which no more is read.
const SIZE_MAX: usize = 64 * 1024 * 1024;

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub function: String,
    /// JSON text.
    pub arguments: String,
}

/// The call that a journal has written down for people: `tool.function arguments`, with a version behind the tool or
/// without. None where it was cut, or is one of another tool.
pub(super) fn call_of(tool: &str, shown: &str) -> Option<Call> {
    let (called, arguments) = shown.split_once(' ')?;
    let (name, function) = called.rsplit_once('.')?;
    let is_tools = name == tool || name.strip_prefix(tool).is_some_and(|rest| rest.starts_with('@'));
    let whole = serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok();
    (is_tools && whole).then(|| Call { function: function.to_owned(), arguments: arguments.to_owned() })
}

/// The call of a maker's example, as the forge's statement has it.
pub(super) fn call_of_example(example: &Value) -> Option<Call> {
    let text = |key: &str| example[key].as_str().map(str::to_owned);
    Some(Call { function: text("function")?, arguments: text("arguments")? })
}

/// The last records, at most `last`, of the topics that both versions read and may read: of each partition the same
/// number, in the order of their time. And why these are not all, where they are too large.
pub(super) async fn records(
    streams: &SharedStreams,
    [current, candidate]: [&Agent; 2],
    last: u32,
) -> Result<(Vec<Batch>, Option<String>), Problem> {
    let reads = |agent: &Agent| -> BTreeSet<String> {
        let may = |topic: &&String| agent.identity.grant.check(Action::TopicRead(topic)).is_allowed();
        agent.section.reads.iter().filter(may).cloned().collect()
    };
    let both = &reads(current) & &reads(candidate);
    if both.is_empty() {
        let message = "the two versions have no topic in common that both may read";
        return Err(Problem::invalid("shadow.topics", message, "See `wasmill permission explain`."));
    }
    let topics: Vec<_> = streams.topics().await?.into_iter().filter(|topic| both.contains(&topic.name)).collect();
    let partitions: u32 = topics.iter().map(|topic| topic.partitions).sum();
    let each = last.div_ceil(partitions.max(1));
    let (mut records, mut room) = (Vec::new(), SIZE_MAX);
    for topic in &topics {
        for partition in 0..topic.partitions {
            records.extend(tail(streams, &topic.name, partition, each, &mut room).await?);
        }
    }
    if records.is_empty() {
        let message = format!("there is no record in {}", both.into_iter().collect::<Vec<_>>().join(", "));
        return Err(Problem::new(ProblemKind::NotFound, "shadow.nothing", message, "Send some first."));
    }
    records.sort_by_key(|alone| (alone.timestamps_ms.first().copied(), alone.offsets.first().copied()));
    let first = records.len().saturating_sub(last as usize);
    let cut = (room == 0).then(|| format!("the records have over {} MiB", SIZE_MAX / (1024 * 1024)));
    Ok((records.split_off(first), cut))
}

/// The last records of a partition, each alone, as far as there is room. A log has gaps: these may be fewer than they
/// could be.
async fn tail(
    streams: &SharedStreams,
    topic: &str,
    partition: u32,
    each: u32,
    room: &mut usize,
) -> Result<Vec<Batch>, Problem> {
    let marks = streams.watermarks(topic, partition).await?;
    let mut from = marks.next.saturating_sub(u64::from(each)).max(marks.first);
    let mut found = Vec::new();
    while from < marks.next && *room > 0 {
        let batch = streams.read(topic, partition, from, READ_RECORDS, RECORDS_WAIT).await?;
        let Some(end) = batch.offsets.last() else { break };
        from = end + 1;
        *room = room.saturating_sub(batch.keys.bytes.len() + batch.values.bytes.len());
        let rows = (0..batch.len()).filter(|row| batch.offsets[*row] < marks.next);
        found.extend(rows.map(|row| single(&batch, row)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_found_in_what_a_journal_shows_of_it() {
        let call =
            |function: &str, arguments: &str| Some(Call { function: function.into(), arguments: arguments.into() });
        assert_eq!(call_of("smith.f", r#"smith.f.go {"a": "b c"}"#), call("go", r#"{"a": "b c"}"#));
        assert_eq!(call_of("smith.f", "smith.f@0.1.0.go {}"), call("go", "{}"));
        for other in
            ["smith.g.go {}", "smith.f.g.go {}", "smith.fx.go {}", "smith.f.go {\"cut\": \"of", "smith.f.go", ""]
        {
            assert_eq!(call_of("smith.f", other), None, "{other}");
        }
    }

    #[test]
    fn an_example_is_a_call_where_it_has_both() {
        let example = json!({ "function": "go", "arguments": "{}", "expected": "1" });
        assert_eq!(call_of_example(&example), Some(Call { function: "go".into(), arguments: "{}".into() }));
        assert_eq!(call_of_example(&json!({ "function": "go" })), None);
    }
}
