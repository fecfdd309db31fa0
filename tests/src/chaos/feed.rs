//! Producers of numbered records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};

/// Keys of one producer; no two producers share one.
const KEYS: u64 = 24;
/// Producers.
const PRODUCERS: u64 = 2;
/// Most records of one producer that the broker has not acknowledged.
const WAITING_MAX: u64 = 2_000;
/// How long the broker may take for what is still waiting in the end.
const FLUSH_MAX: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Acknowledged {
    done: AtomicU64,
    failed: AtomicU64,
}

#[derive(Clone, Default)]
struct Reports(Arc<Acknowledged>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = if result.is_ok() { &self.0.done } else { &self.0.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Producers at work.
pub struct Feed {
    stop: Arc<AtomicBool>,
    producers: Vec<JoinHandle<Result<BTreeMap<String, u64>>>>,
}

impl Feed {
    /// Begins to send numbered records, so many a second.
    pub fn start(brokers: &str, topic: &'static str, rate: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let each = f64::from(rate) / PRODUCERS as f64;
        let start = |producer| {
            let (brokers, stop) = (brokers.to_owned(), stop.clone());
            std::thread::spawn(move || send(&brokers, topic, producer, each, &stop))
        };
        Self { producers: (0..PRODUCERS).map(start).collect(), stop }
    }

    /// Stops. Gives the number of the last record of each key: all up to it were acknowledged.
    ///
    /// # Errors
    /// Where the broker refused one.
    pub fn stop(mut self) -> Result<BTreeMap<String, u64>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = BTreeMap::new();
        for producer in std::mem::take(&mut self.producers) {
            all.extend(producer.join().map_err(|_| anyhow::anyhow!("a producer panicked"))??);
        }
        Ok(all)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Sends until it is told to stop: each key's records are numbered from 1 and sent in order.
fn send(brokers: &str, topic: &str, number: u64, rate: f64, stop: &AtomicBool) -> Result<BTreeMap<String, u64>> {
    let reports = Reports::default();
    let mut config = ClientConfig::new();
    // However long the broker is away: a record that was sent is written, once and in its place.
    config.set("bootstrap.servers", brokers).set("enable.idempotence", "true").set("message.timeout.ms", "0");
    config.set("partitioner", "murmur2_random").set("reconnect.backoff.max.ms", "1000").set("linger.ms", "5");
    let producer: ThreadedProducer<Reports> = config.create_with_context(reports.clone())?;
    let keys: Vec<String> = (0..KEYS).map(|key| format!("p{number}-k{key}")).collect();
    let (mut last, mut sent, began) = (BTreeMap::new(), 0_u64, Instant::now());
    // The pauses of an absent broker are not made up for in one burst.
    let mut paused = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let waiting = sent - reports.0.done.load(Ordering::Relaxed) - reports.0.failed.load(Ordering::Relaxed);
        let due = (began.elapsed().saturating_sub(paused).as_secs_f64() * rate) as u64;
        if waiting >= WAITING_MAX || sent >= due {
            let pause = Duration::from_millis(5);
            std::thread::sleep(pause);
            if waiting >= WAITING_MAX {
                paused += pause;
            }
            continue;
        }
        let key = &keys[usize::try_from((sent.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % KEYS).unwrap_or(0)];
        let next = last.get(key).copied().unwrap_or(0) + 1;
        let value = next.to_string();
        match producer.send(BaseRecord::to(topic).key(key.as_str()).payload(value.as_str())) {
            Ok(()) => {
                last.insert(key.clone(), next);
                sent += 1;
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err((error, _)) => return Err(error).context("a producer may not send"),
        }
    }
    producer.flush(FLUSH_MAX).context("the broker does not take the last records")?;
    let failed = reports.0.failed.load(Ordering::Relaxed);
    ensure!(failed == 0, "the broker refused {failed} records of a producer");
    Ok(last)
}
