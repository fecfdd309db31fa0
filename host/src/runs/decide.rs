//! Decisions about a run, apart from all doing.

use std::time::Duration;

use super::stop::Divergence;
use crate::store::StepRow;

/// How often a record is tried whose failure may pass.
pub const ATTEMPTS_MAX: u32 = 5;
/// Longest pause after the first failed attempt; doubled after each further one.
const BACK_OFF_FIRST: Duration = Duration::from_millis(250);
/// Longest pause between two attempts.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// What becomes of a step that a run wants to take.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is answered already.
    Answered(String),
    /// It was under way when its turn ended: it is asked once more under the same key.
    AskAgain(String),
    /// Nobody has been here before.
    New,
    /// The journal has something else here.
    Diverged(Divergence),
}

/// Decides about step `seq`, of which the journal knows `known`.
pub(super) fn decide(known: Option<&StepRow>, seq: u64, kind: &str, digest: &str, request: &str) -> Decision {
    let Some(known) = known else { return Decision::New };
    if known.kind != kind || known.digest != digest {
        let (was, is) = (format!("{} `{}`", known.kind, known.request), format!("{kind} `{request}`"));
        return Decision::Diverged(Divergence { at: seq, was, is });
    }
    match &known.answer {
        Some(answer) => Decision::Answered(answer.clone()),
        None => Decision::AskAgain(known.idempotency_key.clone()),
    }
}

/// What becomes of a run whose attempt has failed.
#[derive(Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Its record is set aside.
    SetAside,
    /// It asks again from this step on; what was answered before stays.
    AskAgainFrom(u64),
    /// It begins from nothing: with the same answers it would fail the same way.
    BeginAgain,
}

/// Decides after attempt number `attempts` (from 1) that may succeed later where `retry` says so. `passing` is the first
/// step whose answer may be another one later.
pub fn after_failure(retry: bool, attempts: u32, passing: Option<u64>) -> AfterFailure {
    match passing {
        _ if !retry || attempts >= ATTEMPTS_MAX => AfterFailure::SetAside,
        Some(seq) => AfterFailure::AskAgainFrom(seq),
        None => AfterFailure::BeginAgain,
    }
}

/// The pause after failed attempt number `attempts` (from 1); `jitter` is between 0 and 1. At least half of what it may
/// be, so that many that failed together don't come back together.
fn back_off(attempts: u32, jitter: f64) -> Duration {
    let longest = BACK_OFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(BACK_OFF_MAX);
    longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

/// The same for a failure that says when it passes: not before that, but at most `longest`, since an agent may say anything.
pub fn pause(attempts: u32, jitter: f64, retry_after_ms: Option<u64>, longest: Duration) -> Duration {
    let said = Duration::from_millis(retry_after_ms.unwrap_or(0)).min(longest);
    back_off(attempts, jitter).max(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(answer: Option<&str>) -> StepRow {
        StepRow {
            seq: 3,
            kind: "http".into(),
            digest: "d".into(),
            idempotency_key: "key".into(),
            request: "GET x".into(),
            asks: 1,
            asked_ms: 0,
            answered_ms: None,
            passing: false,
            answer: answer.map(str::to_owned),
            readings: "[]".into(),
        }
    }

    #[test]
    fn a_step_is_answered_from_the_journal_only_where_it_is_the_same() {
        let decided = |known: Option<&StepRow>, kind: &str, digest: &str| decide(known, 3, kind, digest, "GET y");
        assert_eq!(decided(None, "http", "d"), Decision::New);
        assert_eq!(decided(Some(&step(None)), "http", "d"), Decision::AskAgain("key".into()));
        assert_eq!(decided(Some(&step(Some("7"))), "http", "d"), Decision::Answered("7".into()));
        for (kind, digest) in [("tool", "d"), ("http", "e")] {
            let Decision::Diverged(divergence) = decided(Some(&step(Some("7"))), kind, digest) else {
                panic!("{kind} {digest}")
            };
            assert_eq!(divergence.was, "http `GET x`");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_not_for_ever() {
        assert_eq!(after_failure(false, 1, Some(0)), AfterFailure::SetAside);
        assert_eq!(after_failure(true, 1, Some(4)), AfterFailure::AskAgainFrom(4));
        assert_eq!(after_failure(true, ATTEMPTS_MAX - 1, None), AfterFailure::BeginAgain);
        assert_eq!(after_failure(true, ATTEMPTS_MAX, Some(4)), AfterFailure::SetAside);
    }

    #[test]
    fn pauses_grow_up_to_a_bound_and_differ() {
        assert_eq!((back_off(1, 0.0), back_off(1, 1.0)), (BACK_OFF_FIRST / 2, BACK_OFF_FIRST));
        assert!(back_off(3, 0.0) > back_off(1, 1.0));
        assert_eq!(back_off(u32::MAX, 1.0), BACK_OFF_MAX);
    }

    #[test]
    fn a_pause_lasts_until_what_failed_may_pass_but_not_for_ever() {
        let longest = Duration::from_secs(40);
        assert_eq!(pause(1, 1.0, None, longest), BACK_OFF_FIRST);
        assert_eq!(pause(1, 1.0, Some(9_000), longest), Duration::from_secs(9));
        assert_eq!(pause(1, 1.0, Some(u64::MAX), longest), longest);
        assert_eq!(pause(u32::MAX, 1.0, Some(1), longest), BACK_OFF_MAX);
    }
}
