//! `/v1/topic-plan`: what leads from the topics that there are to those that are declared.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Body, blocking};
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::capabilities::agents::Book;
use crate::problem::Problem;
use crate::topics::{ApplyError, DeclaredTopic, Plan, RiskKind, apply, plan, readers, started};

/// What shall be.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// All declared topics.
    pub topics: Vec<DeclaredTopic>,
}

/// What shall be done.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// All declared topics.
    pub topics: Vec<DeclaredTopic>,
    /// The plan that was shown; nothing else is done.
    pub plan: String,
    /// What its steps may cost.
    #[serde(default)]
    pub taken: Vec<RiskKind>,
}

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/topic-plan", "What leads to the declared topics", show).post(
        "/v1/topic-plan/apply",
        "Do what a plan says",
        carry_out,
    )
}

async fn show(State(gateway): State<SharedGateway>, Body(request): Body<PlanRequest>) -> Result<Json<Plan>, Problem> {
    Ok(Json(made(&gateway, &request.topics).await?))
}

async fn carry_out(
    State(gateway): State<SharedGateway>,
    Body(request): Body<ApplyRequest>,
) -> Result<Json<Plan>, Problem> {
    let plan = made(&gateway, &request.topics).await?;
    plan.check(&request.plan, &request.taken).map_err(ApplyError::from)?;
    apply(gateway.streams().await?, &plan).await?;
    Ok(Json(plan))
}

async fn made(gateway: &SharedGateway, topics: &[DeclaredTopic]) -> Result<Plan, Problem> {
    let streams = gateway.streams().await?;
    let actual = streams.shapes().await?;
    let asked = gateway.clone();
    let mut readers = blocking(move || Ok(readers(asked.registry())?)).await?;
    let book = Book::new(streams.clone());
    book.catch_up().await?;
    let book = book.current();
    let at_work = book.iter().map(|(name, agent)| (name.as_str(), agent.component.as_str(), &agent.reads[..]));
    let at_work = started(&readers, at_work);
    readers.extend(at_work);
    Ok(plan(topics, &actual, &readers, streams.keeps_one_copy()))
}
