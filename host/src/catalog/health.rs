//! Whether a version of a tool fails, by how its last calls ended on this host.

use std::sync::{Mutex, PoisonError};

/// Calls of one caller that are looked at: the last ones. Enough to tell a rate of a half from chance, few enough that a
/// version which begins to fail is found out within a minute of use.
const WINDOW: u32 = 20;
/// Failures that a caller must have seen. What fails less often may be a matter of single arguments, and of retries: a
/// record is given five times at most.
const FAILURES_MIN: u32 = 5;
/// Callers that are remembered: those that called last.
const CALLERS_MAX: usize = 8;

/// How the last calls of a version ended.
#[derive(Default)]
pub struct Health(Mutex<Callers>);

/// Callers with their windows, the last one first.
#[derive(Default)]
struct Callers(Vec<(Box<str>, Window)>);

/// The last calls of one caller: a bit for each, 1 where it failed, the last one lowest.
#[derive(Debug, Default, Clone, Copy)]
struct Window {
    failures: u32,
    calls: u32,
}

/// What was seen of a version that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// Calls that failed by the tool's own fault, of the callers for which it fails.
    pub failures: u32,
    /// All calls of theirs that were looked at.
    pub calls: u32,
    /// How many callers these are.
    pub callers: usize,
}

impl Health {
    /// Notes how a call ended. Some where the version fails by now; counting begins anew then, so that the same is said
    /// again only after as many failures more.
    pub fn note(&self, caller: &str, failed: bool) -> Option<Failing> {
        // Each change of it is whole at any moment: a poisoned lock is as good as any.
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callers.note(caller, failed);
        let failing = callers.failing().filter(|_| failed)?;
        callers.0.clear();
        Some(failing)
    }
}

impl Callers {
    fn note(&mut self, caller: &str, failed: bool) {
        let known = self.0.iter().position(|(name, _)| **name == *caller);
        let (name, mut window) = known.map_or_else(|| (caller.into(), Window::default()), |at| self.0.remove(at));
        window.note(failed);
        self.0.insert(0, (name, window));
        self.0.truncate(CALLERS_MAX);
    }

    /// A version fails where it does for more than half of those who can tell: else it is the arguments of a few, and one
    /// caller could take a version away from all others.
    fn failing(&self) -> Option<Failing> {
        let can_tell = self.0.iter().filter(|(_, window)| window.calls >= FAILURES_MIN).count();
        let failing: Vec<Window> = self.0.iter().map(|(_, window)| *window).filter(Window::fails).collect();
        let sum = |of: fn(&Window) -> u32| failing.iter().map(of).sum();
        (failing.len() * 2 > can_tell).then(|| Failing {
            failures: sum(Window::failed),
            calls: sum(|window| window.calls),
            callers: failing.len(),
        })
    }
}

impl Window {
    fn note(&mut self, failed: bool) {
        self.failures = ((self.failures << 1) | u32::from(failed)) & ((1 << WINDOW) - 1);
        self.calls = (self.calls + 1).min(WINDOW);
    }

    fn failed(&self) -> u32 {
        self.failures.count_ones()
    }

    fn fails(&self) -> bool {
        self.failed() >= FAILURES_MIN && self.failed() * 2 >= self.calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes calls, `x` for one that failed, and says after how many the version was said to fail.
    fn said(health: &Health, caller: &str, calls: &str) -> Option<usize> {
        calls.bytes().position(|call| health.note(caller, call == b'x').is_some()).map(|at| at + 1)
    }

    #[test]
    fn a_version_fails_from_the_fifth_failure_on_where_that_is_half_of_the_last_calls() {
        let fresh = Health::default;
        assert_eq!(said(&fresh(), "a", "xxxx"), None);
        assert_eq!(said(&fresh(), "a", "xxxxx"), Some(5));
        assert_eq!(said(&fresh(), "a", ".....".repeat(4).as_str()), None);
        assert_eq!(said(&fresh(), "a", ".x.x.x.x.x"), Some(10), "half of all");
        assert_eq!(said(&fresh(), "a", "..x..x..x..x..x..x"), None, "a third");
        // It starts to fail after it was well for long: ten of the last twenty.
        assert_eq!(said(&fresh(), "a", &(".".repeat(1000) + &"x".repeat(20))), Some(1010));
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let health = Health::default();
        assert_eq!(said(&health, "a", &format!("xxxx{}x", ".".repeat(16))), None, "the first has left the window");
        assert_eq!(said(&health, "a", &format!("{}xxxx", ".".repeat(20))), None);
    }

    #[test]
    fn one_caller_of_several_can_not_take_a_version_away_from_the_others() {
        let health = Health::default();
        assert_eq!(said(&health, "well", "......"), None);
        assert_eq!(said(&health, "hostile", &"x".repeat(100)), None, "one of two is not more than half");
        assert_eq!(said(&health, "third", "xxxxx"), Some(5), "two of three are");
        // Who has called less than five times can tell nothing.
        let health = Health::default();
        assert_eq!(said(&health, "once", "."), None);
        assert_eq!(said(&health, "often", "xxxxx"), Some(5));
    }

    #[test]
    fn it_is_said_once_and_then_counted_anew() {
        let health = Health::default();
        assert_eq!(said(&health, "a", "xxxxx"), Some(5));
        assert_eq!(said(&health, "a", "xxxx"), None);
        let failing = health.note("a", true).unwrap();
        assert_eq!(failing, Failing { failures: 5, calls: 5, callers: 1 });
    }

    #[test]
    fn only_so_many_callers_are_remembered() {
        let health = Health::default();
        for n in 0..1000 {
            health.note(&n.to_string(), false);
        }
        assert_eq!(health.0.lock().unwrap().0.len(), CALLERS_MAX);
    }
}
