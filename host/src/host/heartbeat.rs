//! What a host tells the others, every few seconds: that it lives, and which agents and partitions it has.

use std::time::Duration;

use tokio::sync::watch;

use super::Host;
use crate::store::{HostNote, StoreError, now_ms};
use crate::watch::{encode, held};

/// How often.
const EVERY: Duration = Duration::from_secs(5);
/// How long a host that says nothing is remembered, milliseconds.
const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1_000;
/// How long the last word of a host that stops may take.
const LAST_WORD_MAX: Duration = Duration::from_secs(2);

impl Host {
    /// Tells until `stop` becomes true; then takes its row away, so that nobody waits for a host that went in order.
    pub(super) async fn tell_others(&self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_heard = true;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = ticks.tick() => {}
            }
            let told = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                told = self.tell() => told,
            };
            match told {
                Ok(()) => is_heard = true,
                // Once, not every few seconds; everything else goes on.
                Err(error) if std::mem::take(&mut is_heard) => {
                    tracing::warn!(code = error.code(), "other hosts can't see this one: {error}");
                }
                Err(_) => {}
            }
        }
        // Where it can't be said, the others notice by themselves.
        let _ = tokio::time::timeout(LAST_WORD_MAX, self.store.remove_host(&self.instance)).await;
    }

    async fn tell(&self) -> Result<(), StoreError> {
        let figures = self.figures().await;
        let note = HostNote {
            instance: self.instance.clone(),
            name: figures.host.name.clone(),
            version: figures.host.version.clone(),
            started_ms: self.started_ms,
            seen_ms: now_ms(),
            every_ms: i64::try_from(EVERY.as_millis()).unwrap_or(i64::MAX),
            holds: encode(&held(&figures)),
        };
        self.store.set_host(&note).await?;
        self.store.remove_hosts_before(now_ms().saturating_sub(REMEMBERED_MS)).await
    }
}
