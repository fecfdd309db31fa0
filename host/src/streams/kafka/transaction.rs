//! One transaction: outputs, state and offsets, all or nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::error::RDKafkaErrorCode;

use super::clients::{ANSWER_MAX, Clients};
use super::errors::{is_fenced, translate_code};
use super::native::GroupMetadata;
use super::outputs;
use super::producer::{Producer, Sending, TransactionError};
use crate::streams::{Output, StateChange, StreamError};

/// How long one call into librdkafka lasts before we look whether the worker is still wanted.
const STEP: Duration = Duration::from_secs(2);

/// How long giving a transaction up may take before the whole producer is given up instead.
const ABORT_MAX: Duration = Duration::from_secs(10);

/// What one transaction commits.
pub(super) struct Job {
    pub(super) outputs: Vec<Output>,
    pub(super) changes: Vec<StateChange>,
    pub(super) state_topic: Option<String>,
    pub(super) offsets: TopicPartitionList,
    /// The offsets again, as the worker gave them.
    pub(super) done: Vec<(String, u32, u64)>,
    pub(super) group: Arc<GroupMetadata>,
    /// The seat's turn that this belongs to.
    pub(super) turn: u64,
}

/// How a transaction ended.
pub(super) enum Outcome {
    /// All of it is visible; here are the state changes again.
    Committed(Vec<StateChange>),
    /// None of it will ever be visible.
    Dropped(StreamError),
    /// Nobody could say: ask the group for its offsets.
    Unknown(StreamError),
}

/// Where a worker's producer lives. It is replaced after errors that it does not survive.
pub(super) struct Seat {
    clients: Arc<Clients>,
    transactional_id: String,
    producer: Mutex<Option<Producer>>,
    /// Counts how often the worker has begun again. A transaction of an earlier turn, given up by its caller before it
    /// began, must not happen any more: its records may be worked on a second time by now.
    turn: AtomicU64,
    closed: AtomicBool,
}

impl Seat {
    /// A seat without a producer yet.
    pub(super) fn new(clients: Arc<Clients>, transactional_id: String) -> Self {
        Self {
            clients,
            transactional_id,
            producer: Mutex::default(),
            turn: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// The turn that new transactions belong to.
    pub(super) fn turn(&self) -> u64 {
        self.turn.load(Ordering::SeqCst)
    }

    /// Begins a new turn, with a producer. Waits for a transaction that is under way; afterwards nothing is open that
    /// it or a predecessor of the same name has begun.
    pub(super) fn prepare(&self) -> Result<(), StreamError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        self.turn.fetch_add(1, Ordering::SeqCst);
        if producer.is_some() {
            return Ok(());
        }
        let clients = &self.clients;
        let new = Producer::new(&clients.producer_config(&self.transactional_id), clients.link.clone())
            .map_err(|e| clients.translate(&e, ""))?;
        new.init(ANSWER_MAX).map_err(|e| self.translate(&e, ""))?;
        *producer = Some(new);
        Ok(())
    }

    /// Serves what librdkafka has to tell between transactions.
    pub(super) fn serve(&self) {
        if let Ok(producer) = self.producer.try_lock()
            && let Some(producer) = producer.as_ref()
        {
            producer.serve();
        }
    }

    /// Ends a commit that waits for a broker.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Carries a transaction out. Blocks until it is decided, however long the broker is away.
    pub(super) fn run(&self, job: Job) -> Outcome {
        let mut slot = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(producer) = slot.as_ref().filter(|_| job.turn == self.turn()) else {
            return Outcome::Dropped(StreamError::Fenced("this worker has begun again".to_owned()));
        };
        if let Err(error) = self.fill(producer, &job) {
            if !self.abort(producer) {
                *slot = None;
            }
            return Outcome::Dropped(error);
        }
        match self.commit(producer) {
            Ok(()) => Outcome::Committed(job.changes),
            Err(error) if error.must_abort => {
                let error = self.reason(producer, &error);
                if !self.abort(producer) {
                    *slot = None;
                }
                Outcome::Dropped(error)
            }
            Err(error) => {
                let error = self.translate(&error, "");
                *slot = None;
                Outcome::Unknown(error)
            }
        }
    }

    /// Everything before the decision.
    fn fill(&self, producer: &Producer, job: &Job) -> Result<(), StreamError> {
        producer.begin().map_err(|e| self.translate(&e, ""))?;
        for output in &job.outputs {
            outputs::send(&self.clients, producer, output)?;
        }
        if let Some(topic) = &job.state_topic {
            for change in &job.changes {
                let partition = Some(change.partition);
                let record = Sending { partition, key: Some(&change.key), value: change.value.as_deref() };
                let sent = producer.send(topic, &record, None, ANSWER_MAX);
                sent.map_err(|code| translate_code(code, &code.to_string(), topic, &self.clients.link))?;
            }
        }
        let begin = Instant::now();
        loop {
            match producer.send_offsets(&job.offsets, &job.group, STEP) {
                Err(e) if e.is_retriable && begin.elapsed() < ABORT_MAX => {}
                Err(e) => return Err(self.reason(producer, &e)),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn commit(&self, producer: &Producer) -> Result<(), TransactionError> {
        loop {
            match producer.commit(STEP) {
                Err(error) if error.is_retriable && !self.closed.load(Ordering::Relaxed) => {
                    tracing::debug!(target: "wasmill::kafka", error = error.text, "commit is not decided yet");
                }
                decided => return decided,
            }
        }
    }

    /// True where the producer can go on.
    fn abort(&self, producer: &Producer) -> bool {
        let begin = Instant::now();
        loop {
            match producer.abort(STEP) {
                Ok(()) => return true,
                Err(error) if error.is_retriable && begin.elapsed() < ABORT_MAX => {}
                // There was no transaction: it failed before it began.
                Err(error) => return error.code == RDKafkaErrorCode::State && !error.must_abort,
            }
        }
    }

    /// The first cause: librdkafka itself only says that some message failed.
    fn reason(&self, producer: &Producer, error: &TransactionError) -> StreamError {
        match producer.failed_delivery() {
            Some(code) if !is_fenced(error.code) => translate_code(code, &code.to_string(), "", &self.clients.link),
            _ => self.translate(error, ""),
        }
    }

    fn translate(&self, error: &TransactionError, topic: &str) -> StreamError {
        translate_code(error.code, &error.text, topic, &self.clients.link)
    }
}
