//! What a pair of topics has on its desk: the records of its partitions, and the calls that are under way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};

use super::call::{Around, Order, Outcome};
use crate::agents::{Stage, Window, single};
use crate::problem::{Problem, ProblemKind};
use crate::streams::Batch;

/// Records of one partition that may be in hand: how far other sessions go on beside a slow call.
const IN_HAND_MAX: usize = 256;
/// Most bytes of all records in hand and their answers.
const IN_HAND_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long to wait for a call to end before looking for records.
const WAIT_AT_WORK: Duration = Duration::from_millis(5);
/// How long to wait for records where nothing is in hand; a stop doesn't wait for it.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Topic and partition.
pub type Place = (String, u32);

/// A record in hand.
pub struct Job {
    /// The record, alone in its batch.
    pub record: Batch,
    /// What it asks for; none where it is no request.
    order: Option<Arc<Order>>,
}

/// The records in hand, and the calls under way.
pub struct Desk {
    around: Arc<Around>,
    windows: BTreeMap<Place, Window<Job, Outcome>>,
    calls: JoinSet<Outcome>,
    at_work: HashMap<Id, (Place, u64, AbortHandle)>,
    /// Counts places in the order.
    order: u64,
}

impl Desk {
    /// An empty desk.
    pub fn new(around: Arc<Around>) -> Self {
        let (windows, calls, at_work) = (BTreeMap::new(), JoinSet::new(), HashMap::new());
        Self { around, windows, calls, at_work, order: 0 }
    }

    /// The windows, by place.
    pub fn windows(&mut self) -> &mut BTreeMap<Place, Window<Job, Outcome>> {
        &mut self.windows
    }

    /// A partition is not ours any more: its calls end here.
    pub fn lose(&mut self, place: &Place) {
        self.windows.remove(place);
        self.at_work.retain(|_, (of, _, abort)| {
            if of == place {
                abort.abort();
            }
            of != place
        });
    }

    /// Everything in hand is given again by the log.
    pub fn clear(&mut self) {
        let places: Vec<Place> = self.windows.keys().cloned().collect();
        places.iter().for_each(|place| self.lose(place));
    }

    /// Takes records in hand. What is no request has its outcome at once.
    pub fn take(&mut self, batch: &Batch) {
        let window = self.windows.entry((batch.topic.clone(), batch.partition)).or_default();
        for (row, offset) in batch.offsets.iter().enumerate() {
            self.order += 1;
            let record = single(batch, row);
            let order = Order::of(&record);
            let session = order.as_ref().ok().map(|order| order.session().to_vec());
            // The record and what was read from it.
            let size = 2 * (batch.keys.row(row).len() + batch.values.row(row).len());
            let (order, problem) = match order {
                Ok(order) => (Some(Arc::new(order)), None),
                Err(problem) => (None, Some(problem)),
            };
            window.take(*offset, session, size, self.order, Job { record, order });
            if let Some(problem) = problem {
                window.settle(*offset, Outcome::SetAside(problem), 0);
            }
        }
    }

    /// Partitions that must give nothing more now.
    pub fn full(&self) -> BTreeSet<Place> {
        let is_full = self.windows.values().map(Window::size).sum::<usize>() >= IN_HAND_BYTES_MAX;
        let full = self.windows.iter().filter(|(_, window)| is_full || window.len() >= IN_HAND_MAX);
        full.map(|(place, _)| place.clone()).collect()
    }

    /// Waits a moment for the next call to end where calls are under way; says how long to wait for records then.
    pub async fn wait(&mut self) -> Duration {
        if self.windows.values().any(|window| window.prefix().next().is_some()) {
            return Duration::ZERO;
        }
        if self.at_work.is_empty() {
            return WAIT_MAX;
        }
        // Elapsed: the calls under way take longer.
        if let Ok(Some(ended)) = tokio::time::timeout(WAIT_AT_WORK, self.calls.join_next_with_id()).await {
            self.note(ended);
        }
        Duration::ZERO
    }

    /// Takes note of the calls that have ended.
    pub fn collect(&mut self) {
        while let Some(ended) = self.calls.try_join_next_with_id() {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: Result<(Id, Outcome), tokio::task::JoinError>) {
        let (id, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let next = "this is a mistake of the host; please report it";
                let problem = Problem::new(ProblemKind::Failed, "host.panic", &error, next);
                (error.id(), Outcome::SetAside(problem))
            }
        };
        // Calls of partitions that were lost are not known any more.
        let Some((place, offset, _)) = self.at_work.remove(&id) else { return };
        if let Some(window) = self.windows.get_mut(&place) {
            let size = outcome.size();
            window.settle(offset, outcome, size);
        }
    }

    /// Begins calls while there are places, the record that has waited longest first.
    pub fn start(&mut self) {
        let places = self.around.config.calls_at_once.saturating_sub(self.at_work.len());
        if places == 0 {
            return;
        }
        let startable = |(place, window): (&Place, &Window<Job, Outcome>)| {
            let place = place.clone();
            window.startable().into_iter().map(move |(order, offset)| (order, place.clone(), offset))
        };
        let mut startable: Vec<(u64, Place, u64)> = self.windows.iter().flat_map(startable).collect();
        startable.sort_unstable();
        for (_, place, offset) in startable.into_iter().take(places) {
            let Some(entry) = self.windows.get_mut(&place).and_then(|window| window.get_mut(offset)) else { continue };
            let Some(order) = entry.record.order.clone() else { continue };
            entry.stage = Stage::Running;
            let around = self.around.clone();
            let abort = self.calls.spawn(async move { order.answer(&around).await });
            self.at_work.insert(abort.id(), (place, offset, abort));
        }
    }
}
