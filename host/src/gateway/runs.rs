//! `/v1/runs`: work that lasts, and what an admin orders it to do.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::asker::Asker;
use super::extract::{Params, Path};
use super::openapi::Routes;
use super::paging::{Limit, Page, bad_cursor};
use super::state::SharedGateway;
use crate::agents::{Replayed, replay};
use crate::host::from_home::host_name;
use crate::permissions::Principal;
use crate::problem::{Problem, ProblemKind};
use crate::runs::afresh;
use crate::store::{AuditEntry, RUNS_LISTED_MAX, RunFilter, RunPlace, RunRow, RunStatus, StepRow, Store};

/// Digits of an id that must be given at least.
const ID_DIGITS_MIN: usize = 4;

#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Only those of this agent.
    agent: Option<String>,
    /// Only those that stand so.
    status: Option<RunStatus>,
    /// Most runs.
    #[serde(default)]
    limit: Limit<RUNS_LISTED_MAX>,
    /// Where to go on: out of the `Link` of the page before.
    cursor: Option<String>,
}

/// A run with its journal.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunReply {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// What it asked, in order.
    pub steps: Vec<StepRow>,
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .get("/v1/runs", "Runs of agents in task mode, newest first", list)
        .get("/v1/runs/{id}", "A run with its journal", show)
        .post("/v1/runs/{id}/replay", "Run it once more against its journal, without any effect", replayed)
        .post("/v1/runs/{id}/{order}", "Order it about: pause, resume, cancel, restart, pin", ordered)
}

async fn list(
    State(gateway): State<SharedGateway>,
    here: Uri,
    Params(params): Params<ListParams>,
) -> Result<Page<RunRow>, Problem> {
    let after = params.cursor.as_deref().map(place).transpose()?;
    let filter = RunFilter { agent: params.agent, status: params.status, limit: params.limit.get() + 1, after };
    let runs = gateway.store().await?.runs(&filter).await?;
    Ok(Page::of(runs, params.limit.items(), &here, |run| format!("{}.{}", run.started_ms, run.id)))
}

/// The run that a cursor names.
fn place(cursor: &str) -> Result<RunPlace, Problem> {
    let read = || {
        let (started_ms, id) = cursor.split_once('.')?;
        Some(RunPlace { started_ms: started_ms.parse().ok()?, id: id.to_owned() })
    };
    read().ok_or_else(bad_cursor)
}

async fn show(State(gateway): State<SharedGateway>, Path(id): Path<String>) -> Result<Json<RunReply>, Problem> {
    let store = gateway.store().await?;
    let run = find(store, &id).await?;
    let steps = store.steps(&run.id).await?;
    Ok(Json(RunReply { run, steps }))
}

async fn replayed(State(gateway): State<SharedGateway>, Path(id): Path<String>) -> Result<Json<Replayed>, Problem> {
    let run = find(gateway.store().await?, &id).await?;
    Ok(Json(replay(&gateway.host().await?.catalog, &run).await?))
}

async fn ordered(
    State(gateway): State<SharedGateway>,
    Asker(client): Asker,
    Path((id, order)): Path<(String, String)>,
) -> Result<Json<RunRow>, Problem> {
    let store = gateway.store().await?;
    let run = find(store, &id).await?;
    let done = match order.as_str() {
        "pause" => store.pause_run(&run.id).await?,
        "resume" => store.resume_run(&run.id).await?,
        "restart" => store.restart_run(&run.id, &afresh()).await?,
        "pin" => store.pin_run(&run.id).await?,
        "cancel" => {
            let message = format!("run {} was cancelled by an admin", run.id);
            let next = "send its record again with `wasmill dlq redrive`";
            store.cancel_run(&run.id, &json!({ "code": "run.cancelled", "message": message, "next": next })).await?
        }
        other => {
            let message = format!("a run takes no order `{other}`");
            return Err(Problem::invalid(
                "run.order",
                message,
                "It takes pause, resume, cancel, restart, pin, replay.",
            ));
        }
    };
    let now = find(store, &run.id).await?;
    let (decision, action) = (if done { "allowed" } else { "failed" }, format!("{order} run {}", run.id));
    let entry =
        AuditEntry::now(Principal::client(&client).as_str(), action, decision, format!("it is {}", now.status.word()));
    store.append_audit(&host_name(), &[entry]).await?;
    if !done {
        let message = format!("run {} is {}: it can't {order} now", now.id, now.status.word());
        let next = format!("See `wasmill run show {}`.", now.id);
        return Err(Problem::new(ProblemKind::Conflict, "run.status", message, next));
    }
    Ok(Json(now))
}

/// The run that an id, or the beginning of one, means.
async fn find(store: &Store, id: &str) -> Result<RunRow, Problem> {
    if id.len() < ID_DIGITS_MIN || !id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        let message = format!("`{}` is no run: an id has at least {ID_DIGITS_MIN} of 0-9 and a-f", id.escape_default());
        return Err(Problem::invalid("run.id", message, "See `wasmill run list`."));
    }
    let mut found = store.runs_beginning(id).await?;
    match (found.pop(), found.is_empty()) {
        (Some(run), true) => Ok(run),
        (Some(_), false) => {
            let message = format!("more than one run begins with `{id}`");
            Err(Problem::invalid("run.ambiguous", message, "Give more digits."))
        }
        (None, _) => {
            let message = format!("there is no run `{id}`; finished ones are kept for `runs.keep_days` of host.toml");
            Err(Problem::new(ProblemKind::NotFound, "run.unknown", message, "See `wasmill run list`."))
        }
    }
}
