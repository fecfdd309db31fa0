//! Batches as guests get them. Columns move, no record is copied, unless one row is wanted alone.

use crate::runtime::bindings::records as wit;
use crate::streams::{Batch, Column, HeaderColumns};

/// A batch for a guest.
pub fn to_guest(batch: Batch) -> wit::Batch {
    wit::Batch {
        topic: batch.topic,
        partition: batch.partition,
        offsets: batch.offsets,
        timestamps_ms: batch.timestamps_ms,
        keys: column(batch.keys),
        key_present: batch.key_present,
        values: column(batch.values),
        value_present: batch.value_present,
        headers: batch.headers.map(|h| wit::HeaderColumns {
            ends: h.ends,
            names: column(h.names),
            values: column(h.values),
        }),
    }
}

/// A batch back from the guest's form.
pub fn from_guest(batch: wit::Batch) -> Batch {
    Batch {
        topic: batch.topic,
        partition: batch.partition,
        offsets: batch.offsets,
        timestamps_ms: batch.timestamps_ms,
        keys: host_column(batch.keys),
        key_present: batch.key_present,
        values: host_column(batch.values),
        value_present: batch.value_present,
        headers: batch.headers.map(|h| HeaderColumns {
            ends: h.ends,
            names: host_column(h.names),
            values: host_column(h.values),
        }),
    }
}

/// The first `rows` rows of a batch.
pub fn head(mut batch: Batch, rows: usize) -> Batch {
    let truncate = |column: &mut Column, rows: usize| {
        column.ends.truncate(rows);
        column.bytes.truncate(column.ends.last().map_or(0, |end| *end as usize));
    };
    batch.offsets.truncate(rows);
    batch.timestamps_ms.truncate(rows);
    batch.key_present.truncate(rows);
    batch.value_present.truncate(rows);
    truncate(&mut batch.keys, rows);
    truncate(&mut batch.values, rows);
    if let Some(headers) = &mut batch.headers {
        headers.ends.truncate(rows);
        let count = headers.ends.last().map_or(0, |end| *end as usize);
        truncate(&mut headers.names, count);
        truncate(&mut headers.values, count);
    }
    batch
}

/// Row `i` of a batch, alone.
pub fn single(batch: &Batch, i: usize) -> Batch {
    let mut alone = Batch {
        topic: batch.topic.clone(),
        partition: batch.partition,
        offsets: vec![batch.offsets[i]],
        timestamps_ms: vec![batch.timestamps_ms.get(i).copied().unwrap_or(-1)],
        key_present: vec![u8::from(batch.key(i).is_some())],
        value_present: vec![u8::from(batch.value(i).is_some())],
        ..Batch::default()
    };
    alone.keys.push(batch.keys.row(i));
    alone.values.push(batch.values.row(i));
    alone.headers = batch.headers.as_ref().map(|headers| {
        let mut own = HeaderColumns::default();
        for (name, value) in headers.of(i) {
            own.names.push(name);
            own.values.push(value);
        }
        own.ends.push(own.names.ends.len() as u32);
        own
    });
    alone
}

fn column(column: Column) -> wit::Column {
    wit::Column { bytes: column.bytes, ends: column.ends }
}

fn host_column(column: wit::Column) -> Column {
    Column { bytes: column.bytes, ends: column.ends }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows() -> Batch {
        let mut batch = Batch {
            topic: "t".into(),
            partition: 3,
            offsets: vec![5, 9],
            timestamps_ms: vec![1, 2],
            ..Batch::default()
        };
        for row in [b"a", b"b"] {
            batch.keys.push(row);
            batch.values.push(row);
        }
        batch.value_present = vec![1, 0];
        let mut headers = HeaderColumns { ends: vec![1, 3], ..HeaderColumns::default() };
        for name in [b"x", b"y", b"z"] {
            headers.names.push(name);
            headers.values.push(name);
        }
        batch.headers = Some(headers);
        batch
    }

    #[test]
    fn a_row_alone_keeps_all_that_is_its_own() {
        let alone = single(&two_rows(), 1);
        assert_eq!((alone.len(), alone.offsets[0], alone.timestamps_ms[0]), (1, 9, 2));
        assert_eq!((alone.key(0), alone.value(0)), (Some(&b"b"[..]), None));
        let headers: Vec<_> = alone.headers.as_ref().unwrap().of(0).map(|(n, _)| n.to_vec()).collect();
        assert_eq!(headers, [b"y", b"z"]);
    }

    #[test]
    fn the_head_of_a_batch_is_its_rows_one_by_one() {
        let first = head(two_rows(), 1);
        assert_eq!(Batch { key_present: vec![1], ..first }, single(&two_rows(), 0));
        assert!(head(two_rows(), 0).values.bytes.is_empty());
        assert_eq!(head(two_rows(), 9), two_rows());
    }

    #[test]
    fn a_batch_comes_back_from_the_guests_form_as_it_was() {
        assert_eq!(from_guest(to_guest(two_rows())), two_rows());
    }
}
