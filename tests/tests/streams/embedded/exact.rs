//! What an exact copy looks like.

use std::collections::BTreeMap;

use wasmill::streams::Streams;

use crate::contract::subject::A_MOMENT;

/// Topic `out` holds each number below `count` once, in the order of its key.
pub async fn assert_exact(log: &dyn Streams, partitions: u32, count: u32) {
    let mut last: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut seen = vec![0_u8; count as usize];
    for partition in 0..partitions {
        let marks = log.watermarks("out", partition).await.unwrap();
        let batch = log.read("out", partition, 0, marks.next as usize, A_MOMENT).await.unwrap();
        assert_eq!(batch.len() as u64, marks.next);
        for i in 0..batch.len() {
            let number: u32 = std::str::from_utf8(batch.value(i).unwrap()).unwrap().parse().unwrap();
            seen[number as usize] += 1;
            let before = last.insert(batch.key(i).unwrap().to_vec(), number);
            assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
        }
    }
    let wrong: Vec<usize> = seen.iter().enumerate().filter(|(_, times)| **times != 1).map(|(i, _)| i).collect();
    assert!(wrong.is_empty(), "lost or doubled: {wrong:?}");
}
