//! Removes runs, and counts of what models took, that nobody needs any more.

use std::time::Duration;

use tokio::sync::watch;

use crate::store::{Store, now_ms};

/// How often to look.
const EVERY: Duration = Duration::from_secs(600);
/// Most runs of one transaction, so that others get at the database between.
const RUNS_AT_ONCE: u32 = 200;

/// How long is known what questions to models took, hours: 90 days.
const MODEL_USES_KEPT_H: i64 = 90 * 24;

/// Removes runs that were finished longer than `kept` ago, until `stop` becomes true.
pub(super) async fn tidy(store: &Store, kept: Duration, mut stop: watch::Receiver<bool>) {
    let kept_ms = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    loop {
        let before = now_ms().saturating_sub(kept_ms);
        let pause = match store.remove_runs(before, RUNS_AT_ONCE).await {
            Ok(removed) if removed >= u64::from(RUNS_AT_ONCE) => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(code = error.code(), "old runs stay for now: {error}");
                EVERY
            }
        };
        let before_hour = now_ms().div_euclid(60 * 60 * 1000).saturating_sub(MODEL_USES_KEPT_H);
        if let Err(error) = store.remove_model_uses(before_hour).await {
            tracing::warn!(code = error.code(), "old counts of what models took stay for now: {error}");
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
