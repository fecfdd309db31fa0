//! What can go wrong between the host and the log.

/// Errors of streams. Each has a stable code, see [`StreamError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The topic does not exist.
    #[error("topic `{0}` does not exist; create it with `wasmill topic create {0}`")]
    UnknownTopic(String),
    /// The topic exists already.
    #[error("topic `{0}` exists already")]
    TopicExists(String),
    /// The name or the shape of a topic is not allowed.
    #[error("topic `{name}` can't be: {reason}")]
    InvalidTopic {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The partition does not exist.
    #[error("topic `{topic}` has no partition {partition}")]
    UnknownPartition {
        /// Topic.
        topic: String,
        /// Partition as asked for.
        partition: u32,
    },
    /// A record is larger than the limit.
    #[error(
        "a record for topic `{topic}` has {size} bytes, over the limit of {limit}; raise `streams.record_bytes_max` on every host and in Kafka, or send less"
    )]
    RecordTooLarge {
        /// Topic.
        topic: String,
        /// Bytes of key, value and headers together.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A record cannot be stored as it is.
    #[error("a record for topic `{topic}` can't be stored: {reason}")]
    InvalidRecord {
        /// Topic.
        topic: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another member of the group owns the partitions now.
    #[error("another worker owns these partitions now: {0}")]
    Fenced(String),
    /// Another process holds the embedded log.
    #[error("the embedded log at `{0}` is in use by another process; stop that host, or give this one its own --home")]
    InUse(String),
    /// The disk is full.
    #[error("the disk that holds the embedded log is full: {0}; free some space, nothing that was committed is lost")]
    DiskFull(String),
    /// The stored data cannot be read.
    #[error("the embedded log is damaged: {0}")]
    Damaged(String),
    /// The broker does not answer.
    #[error("Kafka does not answer: {0}; check `streams.brokers` and see `wasmill doctor`")]
    Unavailable(String),
    /// The broker does not let us in.
    #[error("Kafka refuses us: {0}; check `streams.security`")]
    Refused(String),
    /// The broker knows us, and its rules don't let us.
    #[error("Kafka's ACLs keep this host from {0}; `wasmill doctor` names what is missing")]
    Forbidden(String),
    /// The settings cannot be used.
    #[error("the streams settings can't be used: {0}")]
    Config(String),
    /// Anything else, with the store's own words.
    #[error("the log failed: {0}")]
    Failed(String),
}

impl StreamError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTopic(_) => "topic.unknown",
            Self::TopicExists(_) => "topic.exists",
            Self::InvalidTopic { .. } => "topic.invalid",
            Self::UnknownPartition { .. } => "partition.unknown",
            Self::RecordTooLarge { .. } => "record.too-large",
            Self::InvalidRecord { .. } => "record.invalid",
            Self::Fenced(_) => "worker.fenced",
            Self::InUse(_) => "log.in-use",
            Self::DiskFull(_) => "log.disk-full",
            Self::Damaged(_) => "log.damaged",
            Self::Unavailable(_) => "kafka.unavailable",
            Self::Refused(_) => "kafka.refused",
            Self::Forbidden(_) => "kafka.forbidden",
            Self::Config(_) => "streams.config",
            Self::Failed(_) => "streams.failed",
        }
    }

    /// True where the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Fenced(_) | Self::DiskFull(_))
    }

    /// True where the log takes the rest of the work without the record in question.
    pub fn is_about_a_record(&self) -> bool {
        matches!(self, Self::InvalidRecord { .. } | Self::RecordTooLarge { .. })
    }
}
