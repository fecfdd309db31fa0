//! The host's one front door: a router of JSON requests under `/v1`, on the Unix socket of the home, and on a port.
//!
//! Whoever wants something of a host, the command line first of all, asks this router: over the socket where a host
//! runs, else in its own process, so that both ways behave the same. Over the port each route is for who may have it. This folder turns requests into calls and answers
//! into JSON. It must never decide what is allowed, nor hold state of its own.

mod access;
mod agents;
mod approvals;
mod asker;
mod audit;
mod builds;
mod client;
mod connection;
mod conversations;
mod dlq;
mod events;
mod extract;
mod figures;
mod hosts;
mod http;
mod kafka_acls;
mod live;
mod metrics;
mod model_usage;
mod permissions;
mod plugins;
mod policy;
mod port;
mod records;
mod runs;
mod serve;
mod settings;
mod socket;
mod state;
mod status;
mod text;
mod tools;
mod topic_plan;
mod topics;
mod traced;
mod upgrade;
mod what_if;

use axum::Router;

pub use agents::StartedReply;
pub use approvals::{DenyRequest, GrantRequest};
pub(crate) use asker::bearer;
pub use client::Client;
pub(crate) use connection::Bounded;
pub use dlq::RedriveRequest;
pub use hosts::{HostReply, Liveness};
pub use http::HttpPort;
pub(crate) use http::{locked, unauthorized};
pub use kafka_acls::ExportReply;
pub use metrics::MetricsPort;
pub use model_usage::ModelUsageReply;
pub use permissions::{Answer, ExplainReply, ExplainRequest, MatrixReply};
pub use plugins::{InstallReply, InstallRequest, Plugin};
pub use policy::{PolicyReply, ShareReply, ShareRequest};
pub(crate) use port::bind;
pub(crate) use records::records_of;
pub use records::{AppendReply, AppendRequest, Position, ReadReply, RecordIn, RecordOut};
pub use runs::RunReply;
pub use serve::Listener;
pub use settings::{ModelReply, SecretRequest, SettingsReply};
pub use state::{Gateway, SharedGateway};
pub use text::Text;
pub use tools::{CallReply, CallRequest, FunctionReply, ToolReply};
pub use topic_plan::{ApplyRequest, PlanRequest};
pub use topics::TopicReply;
pub(crate) use traced::given_traceparent;

/// All routes for the home's owner, who comes in by its socket.
pub fn router(gateway: SharedGateway) -> Router {
    let all = routes()
        .route_layer(traced::layer(&gateway))
        .fallback(extract::no_such_route)
        .method_not_allowed_fallback(extract::no_such_method)
        .with_state(gateway);
    http::owners(all)
}

/// A noun has one file with its routes, and one line here.
fn routes() -> Router<SharedGateway> {
    Router::new()
        .merge(agents::routes())
        .merge(builds::routes())
        .merge(approvals::routes())
        .merge(audit::routes())
        .merge(conversations::routes())
        .merge(dlq::routes())
        .merge(events::routes())
        .merge(figures::routes())
        .merge(hosts::routes())
        .merge(kafka_acls::routes())
        .merge(model_usage::routes())
        .merge(permissions::routes())
        .merge(plugins::routes())
        .merge(policy::routes())
        .merge(records::routes())
        .merge(runs::routes())
        .merge(settings::routes())
        .merge(status::routes())
        .merge(tools::routes())
        .merge(topic_plan::routes())
        .merge(topics::routes())
        .merge(what_if::routes())
}
