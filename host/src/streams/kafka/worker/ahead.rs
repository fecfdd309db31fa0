//! What a worker does while its transaction is under way.

use super::KafkaWorker;

impl KafkaWorker {
    /// Takes the records of the next poll out of librdkafka. It costs as much as the other half of reading them, and a
    /// commit leaves the time: most of it is waiting for brokers. Nothing is given before it is polled.
    pub(super) fn read_ahead(&mut self) {
        let (mut records, mut bytes) = (self.membership.batch_records_max, self.membership.batch_bytes_max);
        let count = self.owned.len();
        for i in 0..count {
            let (ready, size) = self.owned[(self.turn + i) % count].read_ahead(records, bytes);
            (records, bytes) = (records.saturating_sub(ready), bytes.saturating_sub(size));
            if records == 0 || bytes == 0 {
                break;
            }
        }
    }
}
