//! `/v1/figures`: what a host counts, for those who watch.

use axum::Json;
use axum::extract::State;

use super::openapi::Routes;
use super::state::SharedGateway;
use crate::problem::Problem;
use crate::watch::Figures;

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/figures", "What the host counts", figures)
}

async fn figures(State(gateway): State<SharedGateway>) -> Result<Json<Figures>, Problem> {
    Ok(Json(gateway.host().await?.figures().await))
}
