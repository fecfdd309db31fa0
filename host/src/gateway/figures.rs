//! `/v1/figures`: what a host counts, for those who watch.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::state::SharedGateway;
use crate::problem::Problem;
use crate::watch::Figures;

pub(super) fn routes() -> Router<SharedGateway> {
    Router::new().route("/v1/figures", get(figures))
}

async fn figures(State(gateway): State<SharedGateway>) -> Result<Json<Figures>, Problem> {
    Ok(Json(gateway.host().await?.figures().await))
}
