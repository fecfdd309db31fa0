//! The OpenAPI document, made of the routes themselves: types of their handlers say what they take and answer, so that
//! it can't say something else than what is served.

mod describe;
mod document;
mod routes;
mod schemas;

pub(super) use describe::{Asks, Parts};
pub(super) use document::document;
pub(super) use routes::Routes;
pub(super) use schemas::Schemas;
