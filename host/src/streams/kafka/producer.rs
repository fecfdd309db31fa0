//! A transactional producer.
//!
//! rdkafka's own producers report each delivered message as an event and can finish a transaction only by serving them
//! in steps of 100 ms, or with one more thread per producer. Here only failed messages are reported, by a callback
//! that runs while the transaction is finished.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::Client;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{IsError, KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaType;
use rdkafka::{ClientConfig, ClientContext, TopicPartitionList, bindings as sys};

use super::link::{Link, write_line};
use super::native::{GroupMetadata, OwnedHeaders};

/// How long one call waits for room in the queue before it looks at the clock again.
const ROOM_STEP_MS: c_int = 10;

/// Errors of the connection that are told apart; the callback gives integers.
const TOLD: [RDKafkaErrorCode; 4] = [
    RDKafkaErrorCode::AllBrokersDown,
    RDKafkaErrorCode::Authentication,
    RDKafkaErrorCode::SaslAuthenticationFailed,
    RDKafkaErrorCode::SSL,
];

/// What went wrong in a transaction.
#[derive(Debug, Clone)]
pub(super) struct TransactionError {
    /// Librdkafka's code.
    pub(super) code: RDKafkaErrorCode,
    /// Librdkafka's words.
    pub(super) text: String,
    /// The same call may be made again.
    pub(super) is_retriable: bool,
    /// The transaction must be aborted, then the producer can go on.
    pub(super) must_abort: bool,
}

/// One record, borrowed.
pub(super) struct Sending<'r> {
    /// Partition; none: the partitioner decides.
    pub(super) partition: Option<u32>,
    /// Key.
    pub(super) key: Option<&'r [u8]>,
    /// Value.
    pub(super) value: Option<&'r [u8]>,
}

/// A message that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Undelivered {
    /// Where it was sent to.
    pub(super) topic: String,
    /// Why.
    pub(super) code: RDKafkaErrorCode,
}

impl Undelivered {
    /// How much it says about the cause. One refused record takes others with it: those of its batch, those that were
    /// behind it, and those that were not sent any more.
    fn weight(&self) -> u8 {
        use RDKafkaErrorCode as Code;
        match self.code {
            Code::PurgeQueue | Code::PurgeInflight => 0,
            Code::OutOfOrderSequenceNumber | Code::State | Code::Fatal => 1,
            Code::InvalidDifferentRecord => 2,
            _ => 3,
        }
    }

    /// True where it is not only a consequence of something else.
    pub(super) fn is_a_cause(&self) -> bool {
        self.weight() > 1
    }
}

/// Where librdkafka's callbacks write to.
struct Reports {
    link: Arc<Link>,
    undelivered: Mutex<Option<Undelivered>>,
}

impl Reports {
    fn undelivered(&self) -> MutexGuard<'_, Option<Undelivered>> {
        self.undelivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reports {}

/// A transactional producer. Not for two threads at the same time.
pub(super) struct Producer {
    // The topics must go before the client.
    topics: RefCell<HashMap<String, Topic>>,
    client: Client<Reports>,
}

impl Producer {
    /// A producer with these settings, which must have a `transactional.id`.
    ///
    /// # Errors
    /// Settings that librdkafka doesn't take.
    pub(super) fn new(config: &ClientConfig, link: Arc<Link>) -> Result<Self, KafkaError> {
        let native = config.create_native_config()?;
        // SAFETY: the configuration is alive; the callbacks only use what `rd_kafka_opaque` gives them, which
        // `Client` sets to its context and keeps alive longer than itself.
        unsafe {
            sys::rd_kafka_conf_set_dr_msg_cb(native.ptr(), Some(on_failed));
            sys::rd_kafka_conf_set_error_cb(native.ptr(), Some(on_error));
            sys::rd_kafka_conf_set_log_cb(native.ptr(), Some(on_line));
        }
        let reports = Reports { link, undelivered: Mutex::new(None) };
        let client = Client::new(config, native, RDKafkaType::RD_KAFKA_PRODUCER, reports)?;
        Ok(Self { topics: RefCell::default(), client })
    }

    /// Fences and finishes what a predecessor with the same `transactional.id` left open.
    pub(super) fn init(&self, wait: Duration) -> Result<(), TransactionError> {
        // SAFETY: the client is alive. So in the calls below.
        check(unsafe { sys::rd_kafka_init_transactions(self.native(), millis(wait)) })
    }

    /// Begins a transaction.
    pub(super) fn begin(&self) -> Result<(), TransactionError> {
        self.client.context().undelivered().take();
        // SAFETY: see `init`.
        check(unsafe { sys::rd_kafka_begin_transaction(self.native()) })
    }

    /// Adds consumed offsets to the transaction.
    pub(super) fn send_offsets(
        &self,
        offsets: &TopicPartitionList,
        group: &GroupMetadata,
        wait: Duration,
    ) -> Result<(), TransactionError> {
        // SAFETY: see `init`; list and metadata are alive and only read.
        check(unsafe {
            sys::rd_kafka_send_offsets_to_transaction(self.native(), offsets.ptr(), group.0.as_ptr(), millis(wait))
        })
    }

    /// Waits until everything is written, then commits. A retriable error means: call it again.
    pub(super) fn commit(&self, wait: Duration) -> Result<(), TransactionError> {
        // SAFETY: see `init`.
        check(unsafe { sys::rd_kafka_commit_transaction(self.native(), millis(wait)) })
    }

    /// Gives the transaction up. A retriable error means: call it again.
    pub(super) fn abort(&self, wait: Duration) -> Result<(), TransactionError> {
        // SAFETY: see `init`.
        check(unsafe { sys::rd_kafka_abort_transaction(self.native(), millis(wait)) })
    }

    /// The message of this transaction whose failure says most about what went wrong. Known for certain when the
    /// transaction has ended, or could not be ended.
    pub(super) fn undelivered(&self) -> Option<Undelivered> {
        self.client.context().undelivered().clone()
    }

    /// Serves what librdkafka has to tell. Doesn't wait.
    pub(super) fn serve(&self) {
        // SAFETY: see `init`.
        unsafe { sys::rd_kafka_poll(self.native(), 0) };
    }

    /// Queues one record; waits up to `wait` while the queue is full.
    ///
    /// # Errors
    /// What librdkafka refuses at once; all other failures show when the transaction is committed.
    pub(super) fn send(
        &self,
        outlet: &Outlet<'_>,
        record: &Sending<'_>,
        headers: Option<OwnedHeaders>,
        wait: Duration,
    ) -> Result<(), RDKafkaErrorCode> {
        let partition = record.partition.map_or(-1, |p| i32::try_from(p).unwrap_or(i32::MAX));
        let (key, key_size) = parts(record.key);
        let (value, value_size) = parts(record.value);
        let headers_ptr = headers.as_ref().map_or(std::ptr::null_mut(), |h| h.0.as_ptr());
        let mut began = None;
        loop {
            // SAFETY: client and topic are alive; librdkafka copies key and value (MSG_F_COPY) and takes the headers
            // only where it succeeds.
            let code = unsafe {
                use sys::rd_kafka_vtype_t as vtype;
                sys::rd_kafka_producev(
                    self.native(),
                    vtype::RD_KAFKA_VTYPE_RKT,
                    outlet.native.as_ptr(),
                    vtype::RD_KAFKA_VTYPE_PARTITION,
                    partition,
                    vtype::RD_KAFKA_VTYPE_MSGFLAGS,
                    sys::RD_KAFKA_MSG_F_COPY,
                    vtype::RD_KAFKA_VTYPE_VALUE,
                    value,
                    value_size,
                    vtype::RD_KAFKA_VTYPE_KEY,
                    key,
                    key_size,
                    vtype::RD_KAFKA_VTYPE_HEADERS,
                    headers_ptr,
                    vtype::RD_KAFKA_VTYPE_END,
                )
            };
            if !code.is_error() {
                // Librdkafka owns them now.
                std::mem::forget(headers);
                return Ok(());
            }
            let code = RDKafkaErrorCode::from(code);
            if code != RDKafkaErrorCode::QueueFull || began.get_or_insert_with(Instant::now).elapsed() > wait {
                return Err(code);
            }
            // SAFETY: see `init`. Serves reports of failed messages while others leave the queue.
            unsafe { sys::rd_kafka_poll(self.native(), ROOM_STEP_MS) };
        }
    }

    /// A topic to send to: looked up once for many records.
    ///
    /// # Errors
    /// What librdkafka says of the name.
    pub(super) fn outlet(&self, name: &str) -> Result<Outlet<'_>, RDKafkaErrorCode> {
        if let Some(topic) = self.topics.borrow().get(name) {
            return Ok(Outlet { native: topic.0, _producer: PhantomData });
        }
        let native_name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: see `init`; the name ends with a zero byte; null means the default settings.
        let topic = unsafe { sys::rd_kafka_topic_new(self.native(), native_name.as_ptr(), std::ptr::null_mut()) };
        let topic = NonNull::new(topic).ok_or(RDKafkaErrorCode::UnknownTopic)?;
        self.topics.borrow_mut().insert(name.to_owned(), Topic(topic));
        Ok(Outlet { native: topic, _producer: PhantomData })
    }

    fn native(&self) -> *mut sys::rd_kafka_t {
        self.client.native_ptr()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // SAFETY: see `init`. What was not committed is not wanted.
        unsafe { sys::rd_kafka_purge(self.native(), sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT) };
    }
}

/// A topic of a producer, which never forgets one.
pub(super) struct Outlet<'p> {
    native: NonNull<sys::rd_kafka_topic_t>,
    _producer: PhantomData<&'p Producer>,
}

/// A topic that a producer writes to.
struct Topic(NonNull<sys::rd_kafka_topic_t>);

// SAFETY: librdkafka's objects may be used from any thread.
unsafe impl Send for Topic {}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and the client is still alive.
        unsafe { sys::rd_kafka_topic_destroy(self.0.as_ptr()) };
    }
}

fn check(error: *mut sys::rd_kafka_error_t) -> Result<(), TransactionError> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the error is ours; its text lives until it is destroyed, which is the last that happens to it.
    unsafe {
        let answer = TransactionError {
            code: sys::rd_kafka_error_code(error).into(),
            text: CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned(),
            is_retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            must_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        sys::rd_kafka_error_destroy(error);
        Err(answer)
    }
}

fn millis(wait: Duration) -> c_int {
    c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX)
}

/// A pointer that is null only for none: an empty key is not the same as no key.
fn parts(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((std::ptr::null_mut(), 0), |b| (b.as_ptr().cast_mut().cast::<c_void>(), b.len()))
}

unsafe extern "C" fn on_failed(_: *mut sys::rd_kafka_t, message: *const sys::rd_kafka_message_t, opaque: *mut c_void) {
    // SAFETY: librdkafka gives a live message, and the context that `Client` set.
    let (message, reports) = unsafe { (&*message, &*opaque.cast_const().cast::<Reports>()) };
    if !message.err.is_error() {
        return;
    }
    // SAFETY: a message that was sent has a topic, whose name ends with a zero byte and lives as long as the topic.
    let topic = unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(message.rkt)) };
    let new = Undelivered { topic: topic.to_string_lossy().into_owned(), code: message.err.into() };
    let mut known = reports.undelivered();
    if known.as_ref().is_none_or(|known| known.weight() < new.weight()) {
        *known = Some(new);
    }
}

unsafe extern "C" fn on_error(_: *mut sys::rd_kafka_t, code: c_int, reason: *const c_char, opaque: *mut c_void) {
    // SAFETY: librdkafka gives a text that ends with a zero byte, and the context that `Client` set.
    let (reason, reports) = unsafe { (CStr::from_ptr(reason), &*opaque.cast_const().cast::<Reports>()) };
    let code = TOLD.into_iter().find(|told| *told as c_int == code).unwrap_or(RDKafkaErrorCode::Fail);
    reports.link.failed(code, &reason.to_string_lossy());
}

unsafe extern "C" fn on_line(_: *const sys::rd_kafka_t, level: c_int, facility: *const c_char, line: *const c_char) {
    // SAFETY: librdkafka gives two texts that end with a zero byte.
    let (facility, line) = unsafe { (CStr::from_ptr(facility), CStr::from_ptr(line)) };
    let level = if level <= 2 { RDKafkaLogLevel::Critical } else { RDKafkaLogLevel::Debug };
    write_line(level, &facility.to_string_lossy(), &line.to_string_lossy());
}
