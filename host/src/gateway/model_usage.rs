//! `/v1/model/usage`: what questions to language models took.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::Params;
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::problem::Problem;
use crate::store::{ModelDay, ModelUse, now_ms};

const HOUR_MS: i64 = 60 * 60 * 1000;
/// Longest time of one answer, hours: a month.
const HOURS_MAX: i64 = 31 * 24;

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct UsageParams {
    /// How far back, hours.
    #[serde(default = "hours_default")]
    #[schemars(range(min = 1, max = 744))]
    hours: i64,
}

fn hours_default() -> i64 {
    24
}

/// What questions to language models took, of all hosts on the same database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelUsageReply {
    /// What amounts are in; a label of host.toml, which may be empty.
    pub currency: String,
    /// The first hour that counts, hours since 1970-01-01T00:00:00Z.
    pub from_hour: i64,
    /// The hour that it is now.
    pub to_hour: i64,
    /// By hour, asker and model, newest first. At most 10,000 rows.
    pub uses: Vec<ModelUse>,
    /// What counts towards the budgets of today (UTC), by payer: with what its makings used and what is under way.
    pub today: Vec<ModelDay>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/model/usage", "What questions to language models took", usage)
}

async fn usage(
    State(gateway): State<SharedGateway>,
    Params(params): Params<UsageParams>,
) -> Result<Json<ModelUsageReply>, Problem> {
    if !(1..=HOURS_MAX).contains(&params.hours) {
        let message = format!("{} hours is not between 1 and {HOURS_MAX}", params.hours);
        return Err(Problem::invalid("request.query", message, "Ask for another time."));
    }
    let to_hour = now_ms().div_euclid(HOUR_MS);
    let from_hour = to_hour - params.hours + 1;
    let store = gateway.store().await?;
    Ok(Json(ModelUsageReply {
        currency: gateway.config().model.as_ref().map(|model| model.currency.clone()).unwrap_or_default(),
        from_hour,
        to_hour,
        uses: store.model_uses(from_hour).await?,
        today: store.model_days(to_hour.div_euclid(24)).await?,
    }))
}
