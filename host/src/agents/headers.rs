//! What the host writes on every record that an agent sends: CloudEvents in binary mode, trace context, and by which
//! component under which policy it was made.

use std::sync::Arc;

use wasmill_registry::RecordHeaders;

use crate::capabilities::{Identity, Stamp};
use crate::catalog::Agent;
use crate::streams::{Batch, HeaderColumns};
use crate::telemetry::{is_sampled, is_traceparent, new_traceparent};

const TRACEPARENT: &[u8] = b"traceparent";

/// The stamp that an agent's manifest asks for.
pub fn stamp(agent: &Agent, traceparent: &str, id_prefix: String) -> Stamp {
    match agent.section.headers {
        RecordHeaders::All => Stamp { common: common(&agent.identity, traceparent), id_prefix: Some(id_prefix) },
        RecordHeaders::None => Stamp::default(),
    }
}

/// CloudEvents 1.0 in the Kafka protocol binding's binary mode, W3C trace context, and by whom. The id, which differs,
/// comes from [`id_prefix`].
fn common(identity: &Identity, traceparent: &str) -> Arc<[(String, Vec<u8>)]> {
    let header = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
    Arc::new([
        header("ce_specversion", "1.0"),
        header("ce_type", "wasmill.record"),
        header("ce_source", &format!("/agents/{}", identity.principal.name())),
        header("traceparent", traceparent),
        header("wasmill-digest", &identity.digest),
        header("wasmill-policy", &identity.policy_revision),
    ])
}

/// Ids of what a batch sends: where its input came from, so that the same work done again makes the same ids.
pub fn id_prefix(batch: &Batch) -> String {
    format!("{}-{}-{}", batch.topic, batch.partition, batch.offsets.first().copied().unwrap_or_default())
}

/// The trace that a batch belongs to: its first record's, or a new one.
pub fn traceparent(batch: &Batch) -> Arc<str> {
    given_traceparent(batch).map_or_else(new_traceparent, Into::into)
}

/// The trace that a batch's first record says that it belongs to.
pub fn given_traceparent(batch: &Batch) -> Option<&str> {
    let first = batch.headers.as_ref().and_then(|headers| find(headers, 0, TRACEPARENT))?;
    std::str::from_utf8(first).ok().filter(|text| is_traceparent(text))
}

/// The traces of a batch's records that somebody records, in their order. Looks at each header's name once, and at nothing
/// else of what isn't one: it is asked about every batch.
pub fn sampled_traceparents(batch: &Batch) -> impl Iterator<Item = &str> {
    batch.headers.iter().flat_map(|headers| {
        let names = (0..headers.names.len()).filter(move |&i| headers.names.row(i) == TRACEPARENT);
        let values = names.filter_map(move |i| std::str::from_utf8(headers.values.row(i)).ok());
        values.filter(|text| is_sampled(text) && is_traceparent(text))
    })
}

fn find<'a>(headers: &'a HeaderColumns, row: usize, name: &[u8]) -> Option<&'a [u8]> {
    headers.of(row).find(|(n, _)| *n == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_with(traceparent: &str) -> Batch {
        let mut headers = HeaderColumns { ends: vec![1], ..HeaderColumns::default() };
        headers.names.push(b"traceparent");
        headers.values.push(traceparent.as_bytes());
        Batch { headers: Some(headers), offsets: vec![0], ..Batch::default() }
    }

    #[test]
    fn the_records_trace_goes_on_and_a_broken_one_begins_anew() {
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(&*traceparent(&batch_with(given)), given);
        for broken in ["", "00-xyz", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"] {
            let fresh = traceparent(&batch_with(broken));
            assert!(is_traceparent(&fresh), "{fresh}");
        }
    }

    #[test]
    fn traces_that_somebody_records_are_found_wherever_they_stand() {
        let of = |n: u8, flags: &str| format!("00-0af7651916cd43dd8448eb211c80319{n}-b7ad6b7169203331-{flags}");
        let mut headers = HeaderColumns::default();
        let all = [of(1, "00"), "no trace-01".into(), of(2, "01"), of(3, "00"), of(4, "03")];
        for (row, given) in all.iter().enumerate() {
            for (name, value) in [(&b"ce_id"[..], "x"), (b"traceparent", given.as_str())] {
                headers.names.push(name);
                headers.values.push(value.as_bytes());
            }
            headers.ends.push(2 * (row as u32 + 1));
        }
        let batch = Batch { headers: Some(headers), offsets: (0..5).collect(), ..Batch::default() };
        assert_eq!(sampled_traceparents(&batch).collect::<Vec<_>>(), [&all[2], &all[4]]);
        assert_eq!(sampled_traceparents(&Batch::default()).next(), None);
    }
}
