//! The host's one front door: a router of JSON requests under `/v1`, on the Unix socket of the home, and on a port.
//!
//! Whoever wants something of a host, the command line first of all, asks this router: over the socket where a host
//! runs, else in its own process, so that both ways behave the same. Over the port each route is for who may have it. This folder turns requests into calls and answers
//! into JSON. It must never decide what is allowed, nor hold state beyond how much each client asked and which keys it used.

mod access;
mod advisories;
mod agents;
mod approvals;
mod asker;
mod audit;
mod builds;
mod client;
mod connection;
mod conversations;
mod details;
mod dlq;
mod etag;
mod events;
mod extract;
mod figures;
#[cfg(fuzzing)]
mod fuzzing;
mod grpc;
mod hosts;
mod http;
mod idempotency;
mod identity;
mod kafka_acls;
mod live;
mod metrics;
mod model_usage;
mod openapi;
mod paging;
mod permissions;
mod plugins;
mod policy;
mod port;
mod rate;
mod records;
mod reference;
mod rollbacks;
mod runs;
mod serve;
mod settings;
mod shadow;
mod slow;
mod socket;
mod stalled;
mod state;
mod status;
mod text;
mod tls;
mod tools;
mod topic_plan;
mod topics;
mod traced;
mod upgrade;
mod what_if;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

use idempotency::Once;
use openapi::Routes;

pub use advisories::{AdviseReply, AdviseRequest, AdvisoryReply, TouchedReply};
pub use agents::{StartReply, StartRequest, StartedReply};
pub use approvals::{DenyRequest, GrantRequest};
pub use client::Client;
pub(crate) use connection::Protocol;
pub(crate) use details::Refusal;
pub use dlq::RedriveRequest;
#[cfg(fuzzing)]
pub(crate) use fuzzing::body as fuzz_body;
pub use grpc::GrpcPort;
pub use hosts::{HostReply, Liveness};
pub use http::HttpPort;
pub(crate) use http::{locked, unauthorized};
pub(crate) use identity::{Identity, identify};
pub use kafka_acls::ExportReply;
pub use metrics::MetricsPort;
pub use model_usage::ModelUsageReply;
pub use permissions::{Answer, ExplainReply, ExplainRequest, MatrixReply};
pub use plugins::{InstallReply, InstallRequest, Plugin};
pub use policy::{PolicyReply, ShareReply, ShareRequest};
pub(crate) use port::Port;
pub(crate) use rate::Rate;
pub(crate) use records::records_of;

pub use records::{AppendReply, AppendRequest, Position, ReadReply, RecordIn, RecordOut};
pub use reference::openapi_document;
pub use runs::RunReply;
pub use serve::Listener;
pub use settings::{ModelReply, SecretRequest, SettingsReply};
pub use shadow::ShadowRequest;
pub use state::{Gateway, SharedGateway};
pub use text::Text;
pub(crate) use tls::Peer;
pub use tools::{CallReply, CallRequest, FunctionReply, ToolReply};
pub use topic_plan::{ApplyRequest, PlanRequest};
pub use topics::TopicReply;
pub(crate) use traced::given_traceparent;

/// All routes for the home's owner, who comes in by its socket.
pub fn router(gateway: SharedGateway) -> Router {
    let all = served()
        .route_layer(traced::layer(&gateway))
        .fallback(extract::no_such_route)
        .method_not_allowed_fallback(extract::no_such_method)
        .with_state(gateway);
    http::owners(all)
}

/// The routes, with what is the same for all of them.
fn served() -> Router<SharedGateway> {
    let (routes, _) = routes().into_parts();
    routes.route_layer(from_fn(etag::tagged)).route_layer(from_fn_with_state(Once::default(), idempotency::once))
}

/// A noun has one file with its routes, and one line here.
fn routes() -> Routes {
    [
        advisories::routes,
        agents::routes,
        builds::routes,
        approvals::routes,
        audit::routes,
        conversations::routes,
        dlq::routes,
        events::routes,
        figures::routes,
        hosts::routes,
        kafka_acls::routes,
        model_usage::routes,
        permissions::routes,
        plugins::routes,
        policy::routes,
        records::routes,
        reference::routes,
        rollbacks::routes,
        runs::routes,
        settings::routes,
        shadow::routes,
        status::routes,
        tools::routes,
        topic_plan::routes,
        topics::routes,
        what_if::routes,
    ]
    .into_iter()
    .fold(Routes::new(), |all, noun| all.merge(noun()))
}
