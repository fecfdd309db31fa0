//! Whether a chain is what was written: rows in order against each other, and against what was signed. Pure: whoever has
//! rows and checkpoints gives them page by page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, FaultKind};
use crate::store::{AuditHash, AuditRow, NO_ROW};

/// Most faults of one chain that are told one by one.
const FAULTS_MAX: usize = 1_000;
/// Most rows that are kept until the end because their hash is wrong: to see whether two of them were swapped.
const SUSPECTS_MAX: usize = 100;

/// What a host has signed: up to this row the chain has this hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signed {
    /// Number of the row.
    pub seq: i64,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
}

/// What is found of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ChainReport {
    /// The chain.
    pub chain: String,
    /// How many rows there are.
    pub rows: u64,
    /// Number of the first row; 0 where there is none.
    pub from: i64,
    /// Number of the last row; 0 where there is none.
    pub to: i64,
    /// The first row that has a hash; none where no row has. Rows before it are held by nothing.
    pub hashed_from: Option<i64>,
    /// How many checkpoints the database has.
    pub checkpoints: u64,
    /// Up to which row something is signed; 0 where nothing is. Rows after it are held by nothing but their hashes.
    pub signed_to: i64,
    /// What is wrong, in the order in which it was found.
    pub faults: Vec<Fault>,
    /// How many more faults there are, which are not told one by one.
    pub more_faults: u64,
}

impl ChainReport {
    /// How many faults there are.
    pub fn fault_count(&self) -> u64 {
        self.faults.len() as u64 + self.more_faults
    }
}

/// A chain that is being verified.
pub struct ChainCheck {
    report: ChainReport,
    /// Hash of the row before, as it says, and as it would have to be.
    before: Before,
    /// The hash that the last row says it has.
    stated: Option<String>,
    suspects: Vec<Suspect>,
    /// Last row that something signed is about, and that never came.
    beyond: i64,
}

/// What a row can hang on. Where the two differ, one of them is what the next row was made of.
#[derive(Clone, Copy)]
enum Before {
    Known {
        stated: AuditHash,
        computed: AuditHash,
    },
    /// The row before is missing.
    Unknown,
}

/// A row whose hash is not that of what is in it.
struct Suspect {
    row: AuditRow,
    stated: String,
    before: AuditHash,
}

impl ChainCheck {
    /// A chain of which nothing was seen yet.
    pub fn new(chain: &str) -> Self {
        let report = ChainReport {
            chain: chain.to_owned(),
            rows: 0,
            from: 0,
            to: 0,
            hashed_from: None,
            checkpoints: 0,
            signed_to: 0,
            faults: Vec::new(),
            more_faults: 0,
        };
        let before = Before::Known { stated: NO_ROW, computed: NO_ROW };
        Self { report, before, stated: None, suspects: Vec::new(), beyond: 0 }
    }

    /// Takes the next rows, in order, and all that was signed over rows after the last page and up to the last of these.
    /// What was signed over rows that are not there comes with the last page, which may have no rows.
    pub fn page(&mut self, rows: &[AuditRow], signed: &[Signed]) {
        let mut signed: Vec<&Signed> = signed.iter().collect();
        // Database, file and topic say the same.
        signed.sort_unstable();
        signed.dedup();
        let mut signed = signed.into_iter().peekable();
        for row in rows {
            self.row(row);
            while let Some(claim) = signed.next_if(|claim| claim.seq <= row.seq) {
                self.signed(claim);
            }
        }
        signed.for_each(|claim| self.signed(claim));
    }

    /// The database has a checkpoint.
    pub fn count_checkpoint(&mut self) {
        self.report.checkpoints += 1;
    }

    /// Notes something wrong.
    pub fn fault(&mut self, seq: i64, kind: FaultKind, says: impl Into<String>) {
        if self.report.faults.len() < FAULTS_MAX {
            self.report.faults.push(Fault { seq, kind, says: says.into() });
        } else {
            self.report.more_faults += 1;
        }
    }

    /// All rows were seen.
    pub fn finish(mut self) -> ChainReport {
        self.judge_suspects();
        let (last, beyond) = (self.report.to, self.beyond);
        if beyond > last {
            let says = format!("{} gone: up to row {beyond} it was signed", rows(last + 1, beyond));
            self.fault(last + 1, FaultKind::Truncated, says);
        }
        self.report
    }

    fn row(&mut self, row: &AuditRow) {
        let (seq, expected) = (row.seq, self.report.to + 1);
        self.report.rows += 1;
        if seq < expected || row.chain != self.report.chain {
            self.fault(seq, FaultKind::Changed, "it stands where no row can be");
            return;
        }
        if self.report.from == 0 {
            self.report.from = seq;
        }
        if seq > expected {
            self.fault(expected, FaultKind::Missing, format!("{} missing", rows(expected, seq - 1)));
            self.before = Before::Unknown;
        }
        self.report.to = seq;
        self.stated.clone_from(&row.hash);
        let Some(stated) = &row.hash else { return self.row_without_hash(row) };
        self.report.hashed_from.get_or_insert(seq);
        let own = AuditHash::read(Some(stated));
        let (before, computed) = match self.before {
            Before::Unknown => (NO_ROW, own),
            Before::Known { stated: before, computed: other } => {
                let by = [before, other].map(|before| row.hash_at(seq, before));
                (before, by.into_iter().find(|hash| *hash == own).unwrap_or(by[0]))
            }
        };
        self.before = Before::Known { stated: own, computed };
        // As text: there is one spelling of a hash.
        if computed.to_string() != *stated {
            self.suspect(Suspect { row: row.clone(), stated: stated.clone(), before });
        }
    }

    fn row_without_hash(&mut self, row: &AuditRow) {
        if self.report.hashed_from.is_none() {
            self.before = Before::Known { stated: NO_ROW, computed: NO_ROW };
            return;
        }
        self.fault(row.seq, FaultKind::Changed, "its hash is gone");
        if let Before::Known { stated, computed } = self.before {
            let [stated, computed] = [stated, computed].map(|before| row.hash_at(row.seq, before));
            self.before = Before::Known { stated, computed };
        }
    }

    fn signed(&mut self, claim: &Signed) {
        if claim.seq > self.report.to {
            self.beyond = self.beyond.max(claim.seq);
            return;
        }
        self.report.signed_to = self.report.signed_to.max(claim.seq);
        // A row that is missing was told already.
        if claim.seq == self.report.to && self.stated.as_ref() != Some(&claim.hash) {
            self.fault(claim.seq, FaultKind::Changed, "rows up to here are not those that were signed");
        }
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.suspects.len() < SUSPECTS_MAX {
            self.suspects.push(suspect);
        } else {
            self.fault(suspect.row.seq, FaultKind::Changed, CHANGED);
        }
    }

    fn judge_suspects(&mut self) {
        let suspects = std::mem::take(&mut self.suspects);
        // The hash that belongs to each place where a row of another place stands.
        let mut right: BTreeMap<i64, AuditHash> = BTreeMap::new();
        for (index, first) in suspects.iter().enumerate() {
            for second in &suspects[index + 1..] {
                let (here, there) = (first.row.seq, second.row.seq);
                let is_settled = right.contains_key(&here) || right.contains_key(&there);
                if let Some([hash_here, hash_there]) = swapped(first, second).filter(|_| !is_settled) {
                    right.extend([(here, hash_here), (there, hash_there)]);
                    self.fault(
                        here,
                        FaultKind::Swapped,
                        format!("rows {here} and {there} stand in each other's place"),
                    );
                }
            }
        }
        for Suspect { row, stated, .. } in &suspects {
            let follows = |before: &AuditHash| row.hash_at(row.seq, *before).to_string() == *stated;
            if !right.contains_key(&row.seq) && !right.get(&(row.seq - 1)).is_some_and(follows) {
                self.fault(row.seq, FaultKind::Changed, CHANGED);
            }
        }
    }
}

const CHANGED: &str = "this row, or the one before it, is not what was written";

/// The hashes of two places, where each has the row, or all but the hash of the row, that belongs to the other.
fn swapped(first: &Suspect, second: &Suspect) -> Option<[AuditHash; 2]> {
    let (here, there) = (first.row.seq, second.row.seq);
    let hash_here = second.row.hash_at(here, first.before);
    let before_there = if there == here + 1 { hash_here } else { second.before };
    let hash_there = first.row.hash_at(there, before_there);
    let found = [first.stated.clone(), second.stated.clone()];
    let whole = [hash_there.to_string(), hash_here.to_string()];
    let texts = [hash_here.to_string(), hash_there.to_string()];
    (found == whole || found == texts).then_some([hash_here, hash_there])
}

/// `row 3 is`, or `rows 3 to 5 are`.
fn rows(from: i64, to: i64) -> String {
    if from == to { format!("row {from} is") } else { format!("rows {from} to {to} are") }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
