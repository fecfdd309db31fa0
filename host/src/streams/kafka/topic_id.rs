//! The identity of a topic: a topic that is deleted and created again has another one, under the same name.

use std::ffi::CString;
use std::fmt;
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};

/// The identity of a topic. All zero where the brokers are older than such identities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TopicId(pub(super) [u8; 16]);

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl TopicId {
    /// Asks the brokers, for at most `wait`. rdkafka doesn't have this question.
    ///
    /// # Errors
    /// Librdkafka's code; [`RDKafkaErrorCode::OperationTimedOut`] where nobody answers.
    pub(super) fn ask<C: ClientContext>(
        client: &Client<C>,
        topic: &str,
        wait: Duration,
    ) -> Result<Self, RDKafkaErrorCode> {
        let name = CString::new(topic).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        let client = client.native_ptr();
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let made = RDKafkaErrorCode::CriticalSystemResource;
        // SAFETY: the client is alive and the name ends with a zero byte; what is made here is destroyed by its guard,
        // in the reverse order; librdkafka copies the names and the options.
        let event = unsafe {
            let queue = Guard::new(sys::rd_kafka_queue_new(client), sys::rd_kafka_queue_destroy).ok_or(made)?;
            let kind = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
            let options = sys::rd_kafka_AdminOptions_new(client, kind);
            let options = Guard::new(options, sys::rd_kafka_AdminOptions_destroy).ok_or(made)?;
            let text = std::ptr::null_mut();
            sys::rd_kafka_AdminOptions_set_request_timeout(options.get(), wait_ms, text, 0);
            let mut names = [name.as_ptr()];
            let names = sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
            let names = Guard::new(names, sys::rd_kafka_TopicCollection_destroy).ok_or(made)?;
            sys::rd_kafka_DescribeTopics(client, names.get(), options.get(), queue.get());
            let event = sys::rd_kafka_queue_poll(queue.get(), wait_ms);
            Guard::new(event, sys::rd_kafka_event_destroy).ok_or(RDKafkaErrorCode::OperationTimedOut)?
        };
        // SAFETY: the event is alive, and everything that is read here is part of it.
        unsafe {
            let code = sys::rd_kafka_event_error(event.get());
            if code.is_error() {
                return Err(code.into());
            }
            let result = sys::rd_kafka_event_DescribeTopics_result(event.get());
            if result.is_null() {
                return Err(RDKafkaErrorCode::OperationTimedOut);
            }
            let mut count = 0;
            let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
            if count == 0 || topics.is_null() {
                return Err(RDKafkaErrorCode::UnknownTopicOrPartition);
            }
            let code = sys::rd_kafka_error_code(sys::rd_kafka_TopicDescription_error(*topics));
            if code.is_error() {
                return Err(code.into());
            }
            let id = sys::rd_kafka_TopicDescription_topic_id(*topics);
            if id.is_null() {
                return Ok(Self::default());
            }
            let high = sys::rd_kafka_Uuid_most_significant_bits(id).to_be_bytes();
            let low = sys::rd_kafka_Uuid_least_significant_bits(id).to_be_bytes();
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&high);
            bytes[8..].copy_from_slice(&low);
            Ok(Self(bytes))
        }
    }
}

/// Something of librdkafka's that is destroyed with this value.
struct Guard<T> {
    native: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Guard<T> {
    fn new(native: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        Some(Self { native: NonNull::new(native)?, destroy })
    }

    fn get(&self) -> *mut T {
        self.native.as_ptr()
    }
}

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        // SAFETY: it is ours, and `destroy` is what it is destroyed with.
        unsafe { (self.destroy)(self.native.as_ptr()) };
    }
}
