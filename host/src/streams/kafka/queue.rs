//! The messages of one partition, taken out of librdkafka many at a time.
//!
//! rdkafka hands out one message per event, which costs twice as much; `rd_kafka_consume_batch_queue` exists only in
//! its C interface.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use tokio::sync::Notify;

/// Most messages that one call takes out of librdkafka.
const TAKE_MAX: usize = 256;

/// Bytes that one call takes about: what was taken doesn't count any more for librdkafka's limit of what waits.
const TAKE_SIZE: usize = 1024 * 1024;

/// What the first call takes.
const TAKE_FIRST: usize = 16;

/// Queue of one partition. The client that it came from must outlive it.
pub(super) struct PartitionQueue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    taken: VecDeque<Message>,
    /// Messages that the next call takes.
    take_next: usize,
    /// Librdkafka's threads wake it until `drop` has taken it away from them.
    _wake: Arc<Notify>,
}

// SAFETY: librdkafka's queues may be used from any thread; the messages in `taken` are owned by this queue alone.
unsafe impl Send for PartitionQueue {}

impl PartitionQueue {
    /// Separates a partition's messages from the consumer's own queue, and wakes `wake` when some arrive. Must happen
    /// before the partition is assigned: messages that were fetched earlier stay where they are.
    ///
    /// None where librdkafka doesn't know such a partition.
    pub(super) fn split<C: ClientContext>(
        client: &Client<C>,
        topic: &str,
        partition: u32,
        wake: Arc<Notify>,
    ) -> Option<Self> {
        let topic = CString::new(topic).ok()?;
        let partition = i32::try_from(partition).ok()?;
        // SAFETY: the client is alive and the topic's name ends with a zero byte.
        let queue = unsafe { sys::rd_kafka_queue_get_partition(client.native_ptr(), topic.as_ptr(), partition) };
        let queue = NonNull::new(queue)?;
        // SAFETY: the queue is ours until `drop`, which takes the callback away before `_wake` goes.
        unsafe {
            sys::rd_kafka_queue_forward(queue.as_ptr(), std::ptr::null_mut());
            let opaque = Arc::as_ptr(&wake).cast_mut().cast::<c_void>();
            sys::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(on_message), opaque);
        }
        Some(Self { queue, taken: VecDeque::new(), take_next: TAKE_FIRST, _wake: wake })
    }

    /// The next message, waiting up to `wait` for it.
    pub(super) fn next(&mut self, wait: Duration) -> Option<Message> {
        if self.taken.is_empty() {
            self.take(wait);
        }
        self.taken.pop_front()
    }

    /// The message that `next` gives.
    pub(super) fn peek(&mut self) -> Option<&Message> {
        if self.taken.is_empty() {
            self.take(Duration::ZERO);
        }
        self.taken.front()
    }

    /// Takes messages out of librdkafka that `next` will give, until about so many of them, or so many bytes, are there.
    /// Returns how many and how many bytes that are.
    pub(super) fn take_ahead(&mut self, count_max: usize, size_max: usize) -> (usize, usize) {
        let mut size = self.taken.iter().map(Message::size).sum();
        while self.taken.len() < count_max && size < size_max {
            let before = self.taken.len();
            self.take(Duration::ZERO);
            if self.taken.len() == before {
                break;
            }
            size += self.taken.iter().skip(before).map(Message::size).sum::<usize>();
        }
        (self.taken.len(), size)
    }

    /// Drops what was taken out of librdkafka and not given yet. Belongs to every seek.
    pub(super) fn clear(&mut self) {
        self.taken.clear();
    }

    fn take(&mut self, wait: Duration) {
        let mut messages = [std::ptr::null_mut(); TAKE_MAX];
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let most = self.take_next.min(TAKE_MAX);
        // SAFETY: the queue is ours, the array has room for `TAKE_MAX` pointers.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.queue.as_ptr(), wait_ms, messages.as_mut_ptr(), most) };
        let count = usize::try_from(count).unwrap_or(0);
        self.taken.extend(messages.iter().take(count).filter_map(|m| NonNull::new(*m)).map(Message));
        self.take_next = take_next(count, self.taken.iter().map(Message::size).sum());
    }
}

/// How many messages to take where the last ones had this many bytes together.
fn take_next(count: usize, size: usize) -> usize {
    let average = size.checked_div(count);
    average.map_or(TAKE_FIRST, |average| (TAKE_SIZE / average.max(1)).clamp(1, TAKE_MAX))
}

impl Drop for PartitionQueue {
    fn drop(&mut self) {
        self.taken.clear();
        // SAFETY: the queue is ours; librdkafka takes the callback away under the queue's lock, so none runs afterwards.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, std::ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

unsafe extern "C" fn on_message(_: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: `opaque` is the `Notify` that the queue keeps alive until it has taken the callback away.
    let wake = unsafe { &*opaque.cast::<Notify>() };
    wake.notify_one();
}

/// Number of events that wait in a consumer's own queue.
pub(super) fn waiting_events<C: ClientContext>(client: &Client<C>) -> usize {
    // SAFETY: the client is alive; the reference to its queue is given back at once.
    unsafe {
        let queue = sys::rd_kafka_queue_get_consumer(client.native_ptr());
        if queue.is_null() {
            return 0;
        }
        let length = sys::rd_kafka_queue_length(queue);
        sys::rd_kafka_queue_destroy(queue);
        length
    }
}

/// A message, owned.
pub(super) struct Message(NonNull<sys::rd_kafka_message_t>);

// SAFETY: librdkafka's messages may be read and destroyed by any thread; this is the only reference.
unsafe impl Send for Message {}

impl Message {
    fn native(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the message is alive until `drop`.
        unsafe { self.0.as_ref() }
    }

    /// The error that stands in the place of a message.
    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let error = self.native().err;
        error.is_error().then(|| error.into())
    }

    /// Offset; of the end of a partition: the offset that its next message will have.
    pub(super) fn offset(&self) -> u64 {
        u64::try_from(self.native().offset).unwrap_or(0)
    }

    /// Milliseconds since the epoch, -1 where there is none.
    pub(super) fn timestamp_ms(&self) -> i64 {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive and `kind` can be written to.
        unsafe { sys::rd_kafka_message_timestamp(self.0.as_ptr(), &mut kind) }
    }

    /// Key.
    pub(super) fn key(&self) -> Option<&[u8]> {
        // SAFETY: librdkafka's key is `key_len` bytes that live as long as the message.
        unsafe { bytes(self.native().key, self.native().key_len) }
    }

    /// Value.
    pub(super) fn value(&self) -> Option<&[u8]> {
        // SAFETY: librdkafka's payload is `len` bytes that live as long as the message.
        unsafe { bytes(self.native().payload, self.native().len) }
    }

    /// Bytes of key and value.
    pub(super) fn size(&self) -> usize {
        self.native().key_len + self.native().len
    }

    /// Headers in order.
    pub(super) fn headers(&self) -> Headers<'_> {
        let mut headers = std::ptr::null_mut();
        // SAFETY: the message is alive; where the call succeeds, `headers` lives as long as the message.
        let error = unsafe { sys::rd_kafka_message_headers(self.0.as_ptr(), &mut headers) };
        let headers = if error.is_error() { None } else { NonNull::new(headers) };
        Headers { headers, next: 0, _message: PhantomData }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: this is the only reference to the message.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}

/// # Safety
/// `start` is null, or `size` bytes from it on live as long as the answer.
unsafe fn bytes<'m>(start: *const c_void, size: usize) -> Option<&'m [u8]> {
    // SAFETY: as above.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), size) })
}

/// Names and values of a message's headers.
pub(super) struct Headers<'m> {
    headers: Option<NonNull<sys::rd_kafka_headers_t>>,
    next: usize,
    _message: PhantomData<&'m Message>,
}

impl<'m> Iterator for Headers<'m> {
    type Item = (&'m [u8], &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let headers = self.headers?;
        let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the headers live as long as the message; name (ending with a zero byte) and value are part of them.
        unsafe {
            let error = sys::rd_kafka_header_get_all(headers.as_ptr(), self.next, &mut name, &mut value, &mut size);
            if error.is_error() {
                return None;
            }
            self.next += 1;
            Some((CStr::from_ptr(name).to_bytes(), bytes(value, size).unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_large_messages_or_many_small_ones_are_taken() {
        assert_eq!(take_next(0, 0), TAKE_FIRST);
        assert_eq!(take_next(16, 16 * 200), TAKE_MAX);
        assert_eq!(take_next(16, 0), TAKE_MAX);
        assert_eq!(take_next(16, 16 * 100_000), 10);
        assert_eq!(take_next(2, 2 * 1_000_000), 1);
        assert_eq!(take_next(1, 20_000_000), 1);
    }
}
