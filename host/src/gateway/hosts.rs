//! `/v1/hosts`: who runs what, on all hosts that share a database.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::openapi::Routes;
use super::state::SharedGateway;
use crate::problem::Problem;
use crate::store::{HostNote, now_ms};
use crate::watch::{AgentHeld, decode};

/// How many of its own intervals a host may miss before it is said to be silent.
const MISSED_MAX: i64 = 3;

/// Whether a host lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Liveness {
    /// It has spoken lately.
    Up,
    /// It has not, and did not say that it stops: its partitions go to others.
    Silent,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HostReply {
    /// What tells it from all other hosts.
    pub instance: String,
    /// Its machine's name.
    pub name: String,
    /// Version of Wasmill.
    pub version: String,
    /// Whether it lives.
    pub state: Liveness,
    /// When it started, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it last spoke, milliseconds since the epoch, by its own clock.
    pub seen_ms: i64,
    /// How long ago that is by this machine's clock, milliseconds.
    pub silent_ms: i64,
    /// What it has; of a silent one, what it had.
    pub agents: Vec<AgentHeld>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/hosts", "Who runs what, on all hosts that share a database", list)
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<HostReply>>, Problem> {
    let notes = gateway.store().await?.hosts().await?;
    let now = now_ms();
    Ok(Json(notes.into_iter().map(|note| reply(note, now)).collect()))
}

fn reply(note: HostNote, now_ms: i64) -> HostReply {
    // A clock that is ahead of ours is no silence.
    let silent_ms = now_ms.saturating_sub(note.seen_ms).max(0);
    let is_up = silent_ms <= note.every_ms.max(1).saturating_mul(MISSED_MAX);
    HostReply {
        agents: decode(&note.holds),
        instance: note.instance,
        name: note.name,
        version: note.version,
        state: if is_up { Liveness::Up } else { Liveness::Silent },
        started_ms: note.started_ms,
        seen_ms: note.seen_ms,
        silent_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_silent_when_it_misses_more_than_three_of_its_intervals() {
        let note = HostNote {
            instance: "i".into(),
            name: "n".into(),
            version: "v".into(),
            started_ms: 0,
            seen_ms: 1_000,
            every_ms: 100,
            holds: "[]".into(),
        };
        assert_eq!(reply(note.clone(), 1_300).state, Liveness::Up);
        assert_eq!(reply(note.clone(), 1_301).state, Liveness::Silent);
        assert_eq!(reply(note, 0).silent_ms, 0, "another clock");
    }
}
