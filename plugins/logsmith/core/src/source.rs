//! What is known of one source, and when it is time for a parser. Decisions only: who keeps lines, calls tools and asks the
//! forge is the agent.

use serde::{Deserialize, Serialize};

/// Lines that make a sample.
pub const SAMPLE_LINES: usize = 2_000;
/// Bytes of waiting lines that make a sample even if they are fewer lines.
pub const SAMPLE_BYTES: usize = 2 * 1024 * 1024;
/// Lines that are enough when nothing more comes.
pub const QUIET_LINES: usize = 8;
/// Waiting lines at most.
pub const WAITING_MAX: usize = 8_000;
/// Bytes of waiting lines at most.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Share of recent lines, in percent, that may match no template.
pub const MISSED_MAX_PERCENT: u64 = 5;
/// Lines that are recent.
const RECENT: u64 = 2_000;
/// Lines that must have matched nothing before a new version is worth it.
const MISSED_MIN: u64 = 20;
/// Fewest lines between two tries.
const PATIENCE_MIN: u64 = 50;
/// Most lines between two tries.
const PATIENCE_MAX: u64 = 64_000;

/// One source of log lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// Its name: the key of its records.
    pub name: String,
    /// The parser; none before the first.
    pub tool: Option<String>,
    /// How often a parser was made.
    pub version: u32,
    /// Lines that wait for a parser.
    pub waiting: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Lines seen since the last try to make a parser.
    pub since_try: u64,
    /// Lines that must come before the next try.
    pub patience: u64,
    /// Recent lines that went through the parser.
    pub recent: u64,
    /// How many of them matched no template.
    pub missed: u64,
}

impl Source {
    /// A source that was never seen before.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Notes lines that wait.
    pub fn waits(&mut self, lines: usize, bytes: usize) {
        self.waiting += lines;
        self.waiting_bytes += bytes;
        self.since_try += lines as u64;
    }

    /// Notes lines that went through the parser.
    pub fn parsed(&mut self, lines: usize, missed: usize) {
        self.since_try += lines as u64;
        self.recent += lines as u64;
        self.missed += missed as u64;
        while self.recent > RECENT {
            self.recent = self.recent.div_ceil(2);
            self.missed /= 2;
        }
    }

    /// True when the waiting lines are worth a first parser; `quiet`: no more came for a while.
    pub fn wants_parser(&self, quiet: bool) -> bool {
        let enough = self.waiting >= SAMPLE_LINES || self.waiting_bytes >= SAMPLE_BYTES;
        self.tool.is_none() && self.since_try >= self.patience && (enough || (quiet && self.waiting >= QUIET_LINES))
    }

    /// True when too many recent lines match nothing, and enough of them came for a better parser.
    pub fn wants_next(&self, quiet: bool) -> bool {
        let drifted = self.missed >= MISSED_MIN && self.missed * 100 > self.recent * MISSED_MAX_PERCENT;
        let enough = quiet || self.recent >= self.patience.min(RECENT / 2);
        self.tool.is_some() && drifted && enough && self.since_try >= self.patience
    }

    /// Notes a new parser that was made from so many lines. The larger the sample, the longer the next one has to wait; and
    /// twice as long each time, unless this one does well for a while.
    pub fn forged(&mut self, tool: &str, sample: usize) {
        self.tool = Some(tool.to_owned());
        self.version += 1;
        (self.recent, self.missed) = (0, 0);
        self.tried();
        self.patience = self.patience.max((sample as u64 / 2).min(RECENT / 2));
    }

    /// Notes a try that came to nothing.
    pub fn tried(&mut self) {
        let held = self.since_try > self.patience * 4;
        self.patience = if held { PATIENCE_MIN } else { (self.patience * 2).clamp(PATIENCE_MIN, PATIENCE_MAX) };
        self.since_try = 0;
    }

    /// True when more lines wait than can be kept: they go out unparsed.
    pub fn overflows(&self) -> bool {
        self.waiting > WAITING_MAX || self.waiting_bytes > WAITING_BYTES_MAX
    }

    /// Notes that the waiting lines were sent.
    pub fn drained(&mut self) {
        (self.waiting, self.waiting_bytes) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_parser() -> Source {
        let mut source = Source::new("x");
        source.waits(SAMPLE_LINES, 1);
        source.forged("logsmith.parse-x", SAMPLE_LINES);
        source.drained();
        source
    }

    #[test]
    fn a_full_sample_is_worth_a_parser() {
        let mut source = Source::new("x");
        source.waits(SAMPLE_LINES - 1, 100_000);
        assert!(!source.wants_parser(false));
        source.waits(1, 50);
        assert!(source.wants_parser(false));
    }

    #[test]
    fn few_lines_are_enough_when_the_source_falls_quiet() {
        let mut source = Source::new("x");
        source.waits(QUIET_LINES, 100);
        assert!(!source.wants_parser(false));
        assert!(source.wants_parser(true));
    }

    #[test]
    fn a_few_long_lines_are_a_sample_too() {
        let mut source = Source::new("x");
        source.waits(3, SAMPLE_BYTES);
        assert!(source.wants_parser(false));
    }

    #[test]
    fn five_percent_of_strange_lines_are_borne() {
        let mut source = with_parser();
        source.parsed(2_000, 100);
        assert!(!source.wants_next(false));
        source.parsed(2_000, 200);
        assert!(source.wants_next(false));
    }

    #[test]
    fn versions_that_do_not_help_come_ever_more_slowly() {
        let mut source = with_parser();
        let mut tries = 0;
        for _ in 0..1_000 {
            source.parsed(100, 100);
            if source.wants_next(false) {
                source.forged("logsmith.parse-x", SAMPLE_LINES);
                tries += 1;
            }
        }
        assert!((1..8).contains(&tries), "{tries}");
    }

    #[test]
    fn a_parser_made_from_few_lines_is_soon_replaced() {
        let mut source = Source::new("x");
        source.waits(QUIET_LINES, 100);
        source.forged("logsmith.parse-x", QUIET_LINES);
        source.drained();
        source.parsed(100, 30);
        assert!(source.wants_next(false));
    }

    #[test]
    fn a_refused_parser_is_not_asked_for_again_at_once() {
        let mut source = Source::new("x");
        source.waits(SAMPLE_LINES, 1);
        source.tried();
        assert!(!source.wants_parser(false) && !source.wants_parser(true));
        source.waits(SAMPLE_LINES, 1);
        assert!(source.wants_parser(false));
    }
}
