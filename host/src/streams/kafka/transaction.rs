//! One transaction: outputs, state and offsets, all or nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::error::RDKafkaErrorCode;

use super::clients::{ANSWER_MAX, Clients};
use super::errors::{A_TOPIC, is_fenced, translate_code};
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
    pub(super) group: GroupMetadata,
    /// The seat's turn that this belongs to.
    pub(super) turn: u64,
}

/// How a transaction ended.
pub(super) enum Outcome {
    /// All of it is visible.
    Committed(Box<Job>),
    /// None of it is visible: the group has a new generation. What its member still owns may be tried again in that.
    Outdated(Box<Job>),
    /// None of it will ever be visible.
    Dropped(StreamError),
    /// Nobody could say: ask the group for its offsets.
    Unknown(StreamError),
}

/// Why a transaction did not come to its decision.
enum Failure {
    /// A record that librdkafka did not take.
    Record(StreamError),
    /// The transaction itself.
    Transaction(TransactionError),
}

impl Failure {
    fn is_outdated(&self) -> bool {
        matches!(self, Self::Transaction(error) if error.code == RDKafkaErrorCode::IllegalGeneration)
    }
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

    /// Begins a new turn. Waits for a transaction that is under way.
    pub(super) fn settle(&self) {
        let _producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        self.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// Makes sure that there is a producer; afterwards nothing is open that a predecessor of its name has begun.
    pub(super) fn prepare(&self) -> Result<(), StreamError> {
        self.seated(&mut self.producer.lock().unwrap_or_else(PoisonError::into_inner)).map(drop)
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
        if job.turn != self.turn() {
            return Outcome::Dropped(StreamError::Fenced("this worker has begun again".to_owned()));
        }
        let producer = match self.seated(&mut slot) {
            Ok(producer) => producer,
            Err(error) => return Outcome::Dropped(error),
        };
        let failure = match self.fill(producer, &job) {
            Err(failure) => failure,
            Ok(()) => match self.commit(producer) {
                Ok(()) => return Outcome::Committed(Box::new(job)),
                // Librdkafka asks for a decision only when every message is delivered.
                Err(error) if !error.must_abort && producer.undelivered().is_none() => {
                    *slot = None;
                    return Outcome::Unknown(self.translate(&error, ""));
                }
                Err(error) => Failure::Transaction(error),
            },
        };
        // After a message that failed librdkafka counts on where it was (seen with 2.12.1): the next transaction has a
        // gap in its sequence and fails too, for no fault of its own.
        let survives = self.abort(producer) && producer.undelivered().is_none();
        // What the abort itself took back is not lost: the work is sent again as a whole.
        let is_outdated = failure.is_outdated() && producer.undelivered().is_none_or(|message| !message.is_a_cause());
        let error = named(self.reason(producer, failure), &job);
        if !survives {
            tracing::debug!(target: "wasmill::kafka", id = self.transactional_id, %error, "the producer is replaced");
            *slot = None;
        }
        if is_outdated { Outcome::Outdated(Box::new(job)) } else { Outcome::Dropped(error) }
    }

    /// The producer, a new one where the old one did not survive. Making one ends what the old one left open.
    fn seated<'s>(&self, slot: &'s mut Option<Producer>) -> Result<&'s Producer, StreamError> {
        if let Some(producer) = slot {
            return Ok(producer);
        }
        let clients = &self.clients;
        let new = Producer::new(&clients.producer_config(&self.transactional_id), clients.link.clone())
            .map_err(|e| clients.translate(&e, ""))?;
        new.init(ANSWER_MAX).map_err(|e| self.translate(&e, ""))?;
        Ok(slot.insert(new))
    }

    /// Everything before the decision.
    fn fill(&self, producer: &Producer, job: &Job) -> Result<(), Failure> {
        producer.begin().map_err(Failure::Transaction)?;
        for output in &job.outputs {
            outputs::send(&self.clients, producer, output).map_err(Failure::Record)?;
        }
        if let Some(topic) = job.state_topic.as_ref().filter(|_| !job.changes.is_empty()) {
            let failed = |code: RDKafkaErrorCode| Failure::Record(self.translate_code(code, topic));
            let outlet = producer.outlet(topic).map_err(failed)?;
            for change in &job.changes {
                let partition = Some(change.partition);
                let record = Sending { partition, key: Some(&change.key), value: change.value.as_deref() };
                producer.send(&outlet, &record, None, ANSWER_MAX).map_err(failed)?;
            }
        }
        let begin = Instant::now();
        let mut has_asked_why = false;
        loop {
            match producer.send_offsets(&job.offsets, &job.group, STEP) {
                Err(e) if e.is_retriable && begin.elapsed() < ABORT_MAX => {}
                // Something has ended the transaction meanwhile; asked again, librdkafka says what.
                Err(e) if e.code == RDKafkaErrorCode::State && !has_asked_why => has_asked_why = true,
                Err(e) => return Err(Failure::Transaction(e)),
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

    /// The first cause: everything that follows a message that failed only says that it came after one.
    fn reason(&self, producer: &Producer, failure: Failure) -> StreamError {
        let is_fenced = matches!(&failure, Failure::Transaction(error) if is_fenced(error.code));
        match (producer.undelivered().filter(|message| !is_fenced && message.is_a_cause()), failure) {
            (Some(message), _) => {
                // The policy may be another than it was.
                self.clients.targets.forget(&message.topic);
                self.translate_code(message.code, &message.topic)
            }
            (None, Failure::Record(error)) => error,
            (None, Failure::Transaction(error)) => self.translate(&error, ""),
        }
    }

    fn translate_code(&self, code: RDKafkaErrorCode, topic: &str) -> StreamError {
        translate_code(code, &code.to_string(), topic, &self.clients.link)
    }

    fn translate(&self, error: &TransactionError, topic: &str) -> StreamError {
        translate_code(error.code, &error.text, topic, &self.clients.link)
    }
}

/// A transaction fails as a whole: where a topic was forbidden, it was one of those that it wrote to.
fn named(error: StreamError, job: &Job) -> StreamError {
    let StreamError::Forbidden(what) = &error else { return error };
    if what != A_TOPIC {
        return error;
    }
    let outputs = job.outputs.iter().map(|output| output.topic.as_str());
    let state = job.state_topic.as_deref().filter(|_| !job.changes.is_empty());
    let topics: BTreeSet<&str> = outputs.chain(state).collect();
    let topics: Vec<String> = topics.into_iter().map(|topic| format!("`{topic}`")).collect();
    StreamError::Forbidden(format!("writing to {}", topics.join(" or ")))
}
