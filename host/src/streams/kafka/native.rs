//! Two things of librdkafka that a producer is given, and that rdkafka keeps to itself.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};

/// Headers of one record to send.
pub(super) struct OwnedHeaders(pub(super) NonNull<sys::rd_kafka_headers_t>);

impl OwnedHeaders {
    /// No headers, with room for `count`.
    pub(super) fn new(count: usize) -> Option<Self> {
        // SAFETY: has no precondition.
        NonNull::new(unsafe { sys::rd_kafka_headers_new(count) }).map(Self)
    }

    /// Appends a header.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        // SAFETY: the headers are ours; librdkafka copies `name` and `value`, whose sizes are given.
        unsafe {
            sys::rd_kafka_header_add(
                self.0.as_ptr(),
                name.as_ptr().cast::<c_char>(),
                name.len() as isize,
                value.as_ptr().cast::<c_void>(),
                value.len() as isize,
            )
        };
    }
}

impl Drop for OwnedHeaders {
    fn drop(&mut self) {
        // SAFETY: the headers are ours.
        unsafe { sys::rd_kafka_headers_destroy(self.0.as_ptr()) };
    }
}

/// Which member of which generation of a group we are: what fences us when the group has gone on without us.
pub(super) struct GroupMetadata(pub(super) NonNull<sys::rd_kafka_consumer_group_metadata_t>);

// SAFETY: it is never changed after it was made, and destroyed once.
unsafe impl Send for GroupMetadata {}
// SAFETY: as above.
unsafe impl Sync for GroupMetadata {}

impl GroupMetadata {
    /// What the consumer is at this moment; none where it is no member of a generation.
    pub(super) fn of<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        // SAFETY: the client is alive; the answer is ours.
        let metadata = Self(NonNull::new(unsafe { sys::rd_kafka_consumer_group_metadata(client.native_ptr()) })?);
        (metadata.generation() >= 0 && !metadata.member().is_empty()).then_some(metadata)
    }

    /// Number of the group's generation.
    pub(super) fn generation(&self) -> i32 {
        // SAFETY: the metadata is alive.
        unsafe { sys::rd_kafka_consumer_group_metadata_generation_id(self.0.as_ptr()) }
    }

    /// The name that the group has given us.
    pub(super) fn member(&self) -> String {
        // SAFETY: the metadata is alive; the name ends with a zero byte and lives as long.
        let name = unsafe { CStr::from_ptr(sys::rd_kafka_consumer_group_metadata_member_id(self.0.as_ptr())) };
        name.to_string_lossy().into_owned()
    }
}

impl Drop for GroupMetadata {
    fn drop(&mut self) {
        // SAFETY: the metadata is ours.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) };
    }
}
