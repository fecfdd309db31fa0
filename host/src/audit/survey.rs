//! Verifies chains: rows and checkpoints from the database, checkpoints from the home's file and the topic, page by page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmill_registry::{Checkpoint, TrustRoots};

use super::error::AuditError;
use super::fault::FaultKind;
use super::file::{Line, Lines};
use super::topic;
use super::verify::{ChainCheck, ChainReport, Signed};
use crate::problem::Problem;
use crate::store::Store;
use crate::streams::SharedStreams;

/// Most rows, and most checkpoints, that are looked at at once.
const PAGE: u32 = 500;

/// What a survey works on.
pub struct Survey<'a> {
    /// The database.
    pub store: &'a Store,
    /// Whose signatures count.
    pub trust: &'a TrustRoots,
    /// The home's file of checkpoints.
    pub file: &'a Path,
    /// The log, or why it can't be read.
    pub streams: Result<SharedStreams, Problem>,
}

/// What is found of all chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditReport {
    /// The chains, by name.
    pub chains: Vec<ChainReport>,
    /// Lines of the home's file that are no checkpoints.
    pub unreadable_lines: u64,
    /// Whether the topic's checkpoints were looked at.
    pub topic: TopicSeen,
}

/// Whether the topic was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TopicSeen {
    /// It was.
    Read,
    /// There is none.
    None,
    /// It could not be read, for this reason.
    Failed(String),
}

impl AuditReport {
    /// How many faults there are in all.
    pub fn fault_count(&self) -> u64 {
        self.unreadable_lines + self.chains.iter().map(ChainReport::fault_count).sum::<u64>()
    }
}

/// What is known outside of the database.
struct Outside {
    lines: BTreeSet<String>,
    unreadable: u64,
    topic: BTreeMap<String, Checkpoint>,
    topic_seen: TopicSeen,
}

impl Survey<'_> {
    /// Verifies all chains, or the one that is named.
    ///
    /// # Errors
    /// [`AuditError::Unknown`] where nothing knows the chain; where database or file can't be read. What is wrong with a
    /// chain is no error.
    pub async fn report(&self, only: Option<&str>) -> Result<AuditReport, AuditError> {
        let mut outside = self.outside().await?;
        let mut names = std::mem::take(&mut outside.lines);
        names.extend(outside.topic.keys().cloned());
        names.extend(self.store.audit_chains().await?);
        if let Some(only) = only {
            if !names.contains(only) {
                return Err(AuditError::Unknown(only.to_owned()));
            }
            names.retain(|name| name == only);
        }
        let mut chains = Vec::with_capacity(names.len());
        for name in names {
            chains.push(self.chain(&name, outside.topic.remove(&name)).await?);
        }
        Ok(AuditReport { chains, unreadable_lines: outside.unreadable, topic: outside.topic_seen })
    }

    async fn outside(&self) -> Result<Outside, AuditError> {
        let read = match &self.streams {
            Ok(streams) => topic::newest(streams.as_ref(), self.trust).await.map_err(Problem::from),
            Err(problem) => Err(problem.clone()),
        };
        let (topic, topic_seen) = match read {
            Ok(Some(newest)) => (newest, TopicSeen::Read),
            Ok(None) => (BTreeMap::new(), TopicSeen::None),
            Err(problem) => (BTreeMap::new(), TopicSeen::Failed(problem.message)),
        };
        let (mut lines, mut unreadable) = (BTreeSet::new(), 0);
        let mut file = Lines::open(self.file).await?;
        while let Some(line) = file.next().await? {
            match line {
                Line::Envelope(_, said) => drop(lines.insert(said.chain)),
                Line::Unreadable => unreadable += 1,
            }
        }
        Ok(Outside { lines, unreadable, topic, topic_seen })
    }

    async fn chain(&self, chain: &str, on_topic: Option<Checkpoint>) -> Result<ChainReport, AuditError> {
        let mut check = ChainCheck::new(chain);
        // A host may write meanwhile, into the table before the file, and rows before both: read in the other direction,
        // all that is signed is there.
        let mut file =
            Witness { lines: Lines::open(self.file).await?, waiting: VecDeque::new(), last: i64::MIN, on_topic };
        let bound = self.store.last_checkpoint(chain).await?;
        let mut after = i64::MIN;
        loop {
            let mut rows = self.store.audit_after(chain, after, PAGE).await?;
            let mut upto = rows.last().map_or(i64::MAX, |row| row.seq);
            // Never back: lines that are out of order are told, and rows are seen once.
            upto = upto.min(file.fill(chain).await?).max(after);
            let table = self.store.checkpoints(chain, after, upto.min(bound), PAGE).await?;
            if table.len() >= PAGE as usize {
                upto = upto.min(table.last().map_or(i64::MAX, |last| last.seq));
            }
            let is_end = rows.is_empty() && upto == i64::MAX;
            rows.retain(|row| row.seq <= upto);
            let mut signed = Vec::new();
            for row in &table {
                check.count_checkpoint();
                match believed(chain, row.seq, row.envelope.as_bytes(), self.trust) {
                    Ok(claim) => signed.push(claim),
                    Err(reason) => check.fault(row.seq, FaultKind::Checkpoint, format!("its checkpoint: {reason}")),
                }
            }
            let there: BTreeSet<i64> = table.iter().map(|row| row.seq).collect();
            self.outside_of((chain, &mut check), &mut file, upto, &there, &mut signed);
            check.page(&rows, &signed);
            if is_end {
                return Ok(check.finish());
            }
            after = upto;
        }
    }

    /// What file and topic have of these rows.
    fn outside_of(
        &self,
        (chain, check): (&str, &mut ChainCheck),
        file: &mut Witness,
        upto: i64,
        there: &BTreeSet<i64>,
        signed: &mut Vec<Signed>,
    ) {
        let mut known: BTreeMap<i64, &str> = BTreeMap::new();
        while let Some((seq, envelope)) = file.waiting.pop_front_if(|(seq, _)| *seq <= upto) {
            if seq <= file.last {
                check.fault(seq, FaultKind::Checkpoint, "its checkpoint is out of order in the home's file");
                continue;
            }
            file.last = seq;
            match believed(chain, seq, &envelope, self.trust) {
                Ok(claim) => signed.push(claim),
                Err(reason) => {
                    check.fault(seq, FaultKind::Checkpoint, format!("its checkpoint in the home's file: {reason}"));
                }
            }
            known.insert(seq, "in the home's file");
        }
        if let Some(found) = file.on_topic.take_if(|found| found.seq <= upto) {
            signed.push(Signed { seq: found.seq, hash: found.hash.to_string() });
            known.entry(found.seq).or_insert("on the topic");
        }
        for (seq, place) in known.into_iter().filter(|(seq, _)| !there.contains(seq)) {
            check.fault(seq, FaultKind::Checkpoint, format!("its checkpoint is {place}, and not in the database"));
        }
    }
}

/// What stands of one chain outside of the database.
struct Witness {
    lines: Lines,
    /// Lines that were read and are not yet needed.
    waiting: VecDeque<(i64, Vec<u8>)>,
    /// Row of the last line that was used.
    last: i64,
    on_topic: Option<Checkpoint>,
}

impl Witness {
    /// Reads on. Up to the row that this gives, all lines of the chain are read.
    async fn fill(&mut self, chain: &str) -> Result<i64, AuditError> {
        while self.waiting.len() < PAGE as usize {
            match self.lines.next().await? {
                Some(Line::Envelope(envelope, said)) if said.chain == chain => {
                    self.waiting.push_back((said.seq, envelope));
                }
                Some(_) => {}
                None => return Ok(i64::MAX),
            }
        }
        // The last one, unless somebody has changed their order.
        Ok(self.waiting.iter().map(|(seq, _)| *seq).max().unwrap_or(i64::MAX))
    }
}

/// What a checkpoint says, where it counts and is about this row.
fn believed(chain: &str, seq: i64, envelope: &[u8], trust: &TrustRoots) -> Result<Signed, String> {
    let found = Checkpoint::verify(envelope, trust).map_err(|error| error.to_string())?;
    if found.chain != chain || found.seq != seq {
        return Err(format!("it is about row {} of chain `{}`", found.seq, found.chain));
    }
    Ok(Signed { seq, hash: found.hash.to_string() })
}
