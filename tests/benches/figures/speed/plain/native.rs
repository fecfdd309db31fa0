//! The little of librdkafka's C interface that the plain programs use. rdkafka's own layers above it are left out: its
//! transactional producer waits in steps of 100 ms, and its consumer gives one message per event.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::TopicPartitionList;
use rdkafka::bindings as sys;
use rdkafka::error::{IsError, RDKafkaErrorCode};

/// Name and value of each setting.
pub type Settings = Vec<(&'static str, String)>;

/// Bytes for an error's text.
const TEXT_SIZE: usize = 512;

/// A producer or a consumer.
pub struct Client(NonNull<sys::rd_kafka_t>);

// SAFETY: librdkafka's handles may be used from any thread.
unsafe impl Send for Client {}
// SAFETY: as above, at the same time too.
unsafe impl Sync for Client {}

impl Client {
    /// A producer.
    pub fn producer(settings: &Settings) -> Result<Self> {
        Self::new(sys::rd_kafka_type_t::RD_KAFKA_PRODUCER, settings)
    }

    /// A consumer.
    pub fn consumer(settings: &Settings) -> Result<Self> {
        let client = Self::new(sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, settings)?;
        // SAFETY: the client is alive, here and in all calls below.
        check(unsafe { sys::rd_kafka_poll_set_consumer(client.ptr()) })?;
        Ok(client)
    }

    fn new(kind: sys::rd_kafka_type_t, settings: &Settings) -> Result<Self> {
        let mut text = [0 as c_char; TEXT_SIZE];
        // SAFETY: has no precondition.
        let config = unsafe { sys::rd_kafka_conf_new() };
        for (name, value) in settings {
            let (native_name, native_value) = (CString::new(*name)?, CString::new(value.as_str())?);
            // SAFETY: all texts end with a zero byte, and there is room for `TEXT_SIZE` bytes.
            let set = unsafe {
                let (name, value) = (native_name.as_ptr(), native_value.as_ptr());
                sys::rd_kafka_conf_set(config, name, value, text.as_mut_ptr(), TEXT_SIZE)
            };
            ensure!(set == sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK, "{name}={value}: {}", said(&text));
        }
        // SAFETY: the configuration is alive; it belongs to the client from here on.
        let client = unsafe { sys::rd_kafka_new(kind, config, text.as_mut_ptr(), TEXT_SIZE) };
        NonNull::new(client).map(Self).with_context(|| said(&text))
    }

    pub(super) fn ptr(&self) -> *mut sys::rd_kafka_t {
        self.0.as_ptr()
    }

    /// A topic to write to. Must go before its client.
    pub fn topic(&self, name: &str) -> Result<Topic> {
        let name = CString::new(name)?;
        // SAFETY: the name ends with a zero byte; null means default settings.
        let topic = unsafe { sys::rd_kafka_topic_new(self.ptr(), name.as_ptr(), null_mut()) };
        Ok(Topic(NonNull::new(topic).context("no topic")?))
    }

    /// The queue of everything that a consumer receives. Must go before its client.
    pub fn queue(&self) -> Result<Queue> {
        // SAFETY: the queue is ours.
        let queue = unsafe { sys::rd_kafka_queue_get_consumer(self.ptr()) };
        Ok(Queue(NonNull::new(queue).context("no queue")?))
    }

    /// Joins the consumer's group.
    pub fn subscribe(&self, topic: &str) -> Result<()> {
        let mut topics = TopicPartitionList::new();
        topics.add_topic_unassigned(topic);
        // SAFETY: the list is alive and only read.
        check(unsafe { sys::rd_kafka_subscribe(self.ptr(), topics.ptr()) })
    }

    /// Reads these partitions from these offsets.
    pub fn assign(&self, partitions: &TopicPartitionList) -> Result<()> {
        // SAFETY: the list is alive and only read.
        check(unsafe { sys::rd_kafka_assign(self.ptr(), partitions.ptr()) })
    }

    /// Leaves the group.
    pub fn close(&self) {
        // SAFETY: nobody polls any more.
        unsafe { sys::rd_kafka_consumer_close(self.ptr()) };
    }

    /// Queues one record, waiting while the queue is full. No partition: by its key.
    pub fn produce(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        key: &[u8],
        value: &[u8],
        headers: Option<Headers>,
    ) -> Result<()> {
        use sys::rd_kafka_vtype_t as vtype;
        let headers_ptr = headers.as_ref().map_or(null_mut(), |headers| headers.0.as_ptr());
        loop {
            // SAFETY: topic, key and value are alive; librdkafka copies both (MSG_F_COPY), and takes the headers only
            // where it succeeds.
            let code = unsafe {
                sys::rd_kafka_producev(
                    self.ptr(),
                    vtype::RD_KAFKA_VTYPE_RKT,
                    topic.0.as_ptr(),
                    vtype::RD_KAFKA_VTYPE_PARTITION,
                    partition.unwrap_or(-1),
                    vtype::RD_KAFKA_VTYPE_MSGFLAGS,
                    sys::RD_KAFKA_MSG_F_COPY,
                    vtype::RD_KAFKA_VTYPE_VALUE,
                    value.as_ptr().cast_mut().cast::<c_void>(),
                    value.len(),
                    vtype::RD_KAFKA_VTYPE_KEY,
                    key.as_ptr().cast_mut().cast::<c_void>(),
                    key.len(),
                    vtype::RD_KAFKA_VTYPE_HEADERS,
                    headers_ptr,
                    vtype::RD_KAFKA_VTYPE_END,
                )
            };
            match RDKafkaErrorCode::from(code) {
                _ if !code.is_error() => {
                    // Librdkafka owns them now.
                    std::mem::forget(headers);
                    return Ok(());
                }
                RDKafkaErrorCode::QueueFull => self.poll(Duration::from_millis(10)),
                code => bail!("a record is refused: {code}"),
            }
        }
    }

    /// Serves what librdkafka has to tell.
    pub fn poll(&self, wait: Duration) {
        // SAFETY: see `consumer`.
        unsafe { sys::rd_kafka_poll(self.ptr(), millis(wait)) };
    }

    /// Waits until everything is written.
    pub fn flush(&self) -> Result<()> {
        // SAFETY: see `consumer`.
        check(unsafe { sys::rd_kafka_flush(self.ptr(), millis(Duration::from_secs(120))) })
    }

    /// Prepares for transactions.
    pub fn init_transactions(&self) -> Result<()> {
        // SAFETY: see `consumer`. So below.
        check_error(unsafe { sys::rd_kafka_init_transactions(self.ptr(), 30_000) })
    }

    /// Begins a transaction.
    pub fn begin(&self) -> Result<()> {
        // SAFETY: see `init_transactions`.
        check_error(unsafe { sys::rd_kafka_begin_transaction(self.ptr()) })
    }

    /// Commits a transaction with what `consumer` has consumed.
    pub fn commit(&self, consumer: &Client, offsets: &TopicPartitionList) -> Result<()> {
        // SAFETY: consumer and list are alive; the metadata is ours and destroyed below.
        unsafe {
            let group = sys::rd_kafka_consumer_group_metadata(consumer.ptr());
            ensure!(!group.is_null(), "no group");
            let sent = sys::rd_kafka_send_offsets_to_transaction(self.ptr(), offsets.ptr(), group, 30_000);
            sys::rd_kafka_consumer_group_metadata_destroy(group);
            check_error(sent)?;
            check_error(sys::rd_kafka_commit_transaction(self.ptr(), 30_000))
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: nothing of this client is alive any more.
        unsafe { sys::rd_kafka_destroy(self.ptr()) };
    }
}

/// A topic to write to.
pub struct Topic(NonNull<sys::rd_kafka_topic_t>);

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and the client is alive.
        unsafe { sys::rd_kafka_topic_destroy(self.0.as_ptr()) };
    }
}

/// Headers of one record to send.
pub struct Headers(NonNull<sys::rd_kafka_headers_t>);

impl Headers {
    /// No headers, with room for `count`.
    pub fn with_room(count: usize) -> Result<Self> {
        // SAFETY: has no precondition.
        Ok(Self(NonNull::new(unsafe { sys::rd_kafka_headers_new(count) }).context("no memory")?))
    }

    /// Appends one.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        // SAFETY: librdkafka copies name and value, whose sizes are given.
        unsafe {
            let (name_ptr, value_ptr) = (name.as_ptr().cast::<c_char>(), value.as_ptr().cast::<c_void>());
            sys::rd_kafka_header_add(self.0.as_ptr(), name_ptr, name.len() as isize, value_ptr, value.len() as isize);
        }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: they are ours.
        unsafe { sys::rd_kafka_headers_destroy(self.0.as_ptr()) };
    }
}

/// What a consumer has received.
pub struct Queue(NonNull<sys::rd_kafka_queue_t>);

impl Queue {
    /// Takes up to `max` messages out, waiting up to `wait` for that many; appends them to `messages`.
    pub fn take(&self, messages: &mut Vec<Message>, max: usize, wait: Duration) {
        let mut taken = [null_mut(); 1024];
        let max = max.min(taken.len());
        // SAFETY: the queue is ours, and the array has room for `max` pointers.
        let count =
            unsafe { sys::rd_kafka_consume_batch_queue(self.0.as_ptr(), millis(wait), taken.as_mut_ptr(), max) };
        let count = usize::try_from(count).unwrap_or(0);
        messages.extend(taken.iter().take(count).filter_map(|message| NonNull::new(*message)).map(Message));
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and the client is alive.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

/// A message, owned.
pub struct Message(NonNull<sys::rd_kafka_message_t>);

impl Message {
    fn native(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the message is alive until `drop`.
        unsafe { self.0.as_ref() }
    }

    /// The error that stands in the place of a message.
    pub fn error(&self) -> Option<RDKafkaErrorCode> {
        let error = self.native().err;
        error.is_error().then(|| error.into())
    }

    /// Key; empty for none.
    pub fn key(&self) -> &[u8] {
        // SAFETY: librdkafka's key is `key_len` bytes that live as long as the message.
        unsafe { bytes(self.native().key, self.native().key_len) }
    }

    /// Value; empty for none.
    pub fn value(&self) -> &[u8] {
        // SAFETY: librdkafka's payload is `len` bytes that live as long as the message.
        unsafe { bytes(self.native().payload, self.native().len) }
    }

    /// Partition.
    pub fn partition(&self) -> i32 {
        self.native().partition
    }

    /// Offset.
    pub fn offset(&self) -> i64 {
        self.native().offset
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: this is the only reference.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) };
    }
}

/// # Safety
/// `start` is null, or `size` bytes from it on live as long as the answer.
unsafe fn bytes<'m>(start: *const c_void, size: usize) -> &'m [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: as above.
    unsafe { std::slice::from_raw_parts(start.cast::<u8>(), size) }
}

fn check(code: sys::rd_kafka_resp_err_t) -> Result<()> {
    ensure!(!code.is_error(), "librdkafka says: {}", RDKafkaErrorCode::from(code));
    Ok(())
}

fn check_error(error: *mut sys::rd_kafka_error_t) -> Result<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is ours; its text lives until it is destroyed, which is the last that happens to it.
    let text = unsafe {
        let text = CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned();
        sys::rd_kafka_error_destroy(error);
        text
    };
    bail!("librdkafka says: {text}")
}

fn said(text: &[c_char]) -> String {
    text.iter().take_while(|c| **c != 0).map(|c| c.cast_unsigned() as char).collect()
}

fn millis(wait: Duration) -> c_int {
    c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX)
}
