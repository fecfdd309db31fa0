//! Which fault strikes when and whom: decided by a seed alone.

use std::time::Duration;

use serde::Serialize;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9` of a host, and its start again.
    KillHost,
    /// SIGSTOP of a host until its group has given it up, then SIGCONT.
    FreezeHost,
    /// One host more.
    AddHost,
    /// SIGTERM of a host, for good.
    RemoveHost,
    /// SIGTERM of the broker, and its start again.
    RestartBroker,
    /// `kill -9` of the broker, and its start again.
    KillBroker,
    /// No packet between a host and the broker until its group has given it up.
    CutNetwork,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::KillHost,
        Self::FreezeHost,
        Self::AddHost,
        Self::RemoveHost,
        Self::RestartBroker,
        Self::KillBroker,
        Self::CutNetwork,
    ];

    /// Its name in a report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KillHost => "kill_host",
            Self::FreezeHost => "freeze_host",
            Self::AddHost => "add_host",
            Self::RemoveHost => "remove_host",
            Self::RestartBroker => "restart_broker",
            Self::KillBroker => "kill_broker",
            Self::CutNetwork => "cut_network",
        }
    }

    fn is_about_the_broker(self) -> bool {
        matches!(self, Self::RestartBroker | Self::KillBroker)
    }
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strike {
    /// What.
    pub fault: Fault,
    /// Chooses the victim among those there are.
    pub victim: u64,
    /// How long it lasts, from 0 (as short as makes sense) to 1.
    pub length: f64,
}

/// Faults that strike at the same time, after a pause.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Without faults before.
    pub pause: Duration,
    /// One or two.
    pub strikes: Vec<Strike>,
}

/// The endless list of steps that a seed gives.
///
/// Kinds come in rounds, each kind once in a round in an order of its own, so that none is left out and as many hosts
/// are added as removed. From the second round on, some strike two at a time.
#[derive(Debug)]
pub struct Plan {
    random: Random,
    kinds: Vec<Fault>,
    round: Vec<Fault>,
    rounds: u32,
}

impl Plan {
    /// The plan of a seed for these kinds, of which there must be at least one.
    #[must_use]
    pub fn new(seed: u64, kinds: &[Fault]) -> Self {
        Self { random: Random(seed), kinds: kinds.to_vec(), round: Vec::new(), rounds: 0 }
    }

    /// The next step.
    pub fn next_step(&mut self) -> Step {
        if self.round.is_empty() {
            self.rounds = self.rounds.saturating_add(1);
            self.round = self.shuffled();
        }
        let pause = Duration::from_millis(500 + self.random.below(4_000));
        let mut strikes = Vec::new();
        strikes.extend(self.strike());
        if self.rounds > 1 && self.random.below(3) == 0 {
            let about_broker = strikes.iter().any(|strike| strike.fault.is_about_the_broker());
            if self.round.last().is_some_and(|next| !(about_broker && next.is_about_the_broker())) {
                strikes.extend(self.strike());
            }
        }
        Step { pause, strikes }
    }

    fn strike(&mut self) -> Option<Strike> {
        let fault = self.round.pop()?;
        let length = self.random.below(1_000) as f64 / 1_000.0;
        Some(Strike { fault, victim: self.random.next(), length })
    }

    fn shuffled(&mut self) -> Vec<Fault> {
        let mut round = self.kinds.clone();
        for i in (1..round.len()).rev() {
            let j = self.random.below(i as u64 + 1);
            round.swap(i, usize::try_from(j).unwrap_or(0));
        }
        round
    }
}

/// Numbers from a seed (SplitMix64): the same ones on every machine and in every version.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(seed: u64, count: usize) -> Vec<Step> {
        let mut plan = Plan::new(seed, &Fault::ALL);
        (0..count).map(|_| plan.next_step()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_another() {
        assert_eq!(steps(7, 50), steps(7, 50));
        assert_ne!(steps(7, 50), steps(8, 50));
    }

    #[test]
    fn each_kind_strikes_once_and_alone_in_the_first_round() {
        for seed in 0..50 {
            let first = steps(seed, Fault::ALL.len());
            assert!(first.iter().all(|step| step.strikes.len() == 1));
            let mut kinds: Vec<Fault> = first.iter().flat_map(|s| s.strikes.iter().map(|s| s.fault)).collect();
            kinds.sort_unstable();
            assert_eq!(kinds, Fault::ALL, "seed {seed}");
        }
    }

    #[test]
    fn later_two_may_strike_together_but_never_two_at_the_broker() {
        let pairs: Vec<Step> = (0..20).flat_map(|seed| steps(seed, 60)).filter(|s| s.strikes.len() > 1).collect();
        assert!(pairs.len() > 20);
        for pair in pairs {
            assert!(pair.strikes.iter().filter(|s| s.fault.is_about_the_broker()).count() < 2, "{pair:?}");
        }
    }

    #[test]
    fn a_kind_that_is_left_out_never_strikes() {
        let mut plan = Plan::new(1, &[Fault::KillHost, Fault::AddHost]);
        for _ in 0..40 {
            let step = plan.next_step();
            assert!(step.strikes.iter().all(|s| matches!(s.fault, Fault::KillHost | Fault::AddHost)));
        }
    }
}
