//! The port for gRPC: agents, conversations and traces, as `proto/wasmill.proto` has them.
//!
//! Clients, their rows and their rate are those of the HTTP port.

mod agents;
mod door;
mod status;
mod talk;
mod traces;

/// What is answered, made of `proto/wasmill.proto`.
#[allow(missing_docs, reason = "generated")]
mod proto {
    tonic::include_proto!("wasmill.v1");
}

use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use tonic::service::Routes;

use super::connection::Protocol;
use super::port::Port;
use super::rate::Rate;
use super::state::SharedGateway;
use crate::home::{Home, PortConfig};
use crate::problem::Problem;
use door::{Door, guard};
use proto::agents_server::AgentsServer;
use proto::conversations_server::ConversationsServer;
use proto::traces_server::TracesServer;

/// How long one connection may last. Who listens connects again.
const LIFETIME_MAX: Duration = Duration::from_secs(3600);
/// Largest message of a client, bytes.
const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// What is told that a slow client may be behind.
const BEHIND_MAX: usize = 16;

/// The port for gRPC.
pub struct GrpcPort {
    port: Port,
    rate: Rate,
    connections: usize,
}

impl GrpcPort {
    /// Binds the port that a home's settings name; none where they name none.
    ///
    /// # Errors
    /// `grpc.listen` where the system refuses; `tls.files`.
    pub async fn bind(home: &Home, config: &PortConfig) -> Result<Option<Self>, Problem> {
        let Some(address) = config.listen else { return Ok(None) };
        let risk = "gRPC is served without encryption to whoever can reach this address";
        let port = Port::bind(home, "grpc", Protocol::Grpc, address, config.tls.as_ref(), risk).await?;
        Ok(Some(Self { port, rate: Rate::new(&config.rate), connections: config.connections }))
    }

    /// Where clients connect to.
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Serves until this is dropped.
    pub async fn serve(self, gateway: SharedGateway) {
        let agents = AgentsServer::new(agents::Service(gateway.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let talks = ConversationsServer::new(talk::Service(gateway.clone()));
        let talks = talks.max_decoding_message_size(MESSAGE_BYTES_MAX);
        let traces = TracesServer::new(traces::Service(gateway.clone())).max_decoding_message_size(MESSAGE_BYTES_MAX);
        let routes = Routes::new(agents).add_service(talks).add_service(traces).into_axum_router();
        let door = Arc::new(Door::new(gateway, self.rate));
        let router = routes.layer(from_fn_with_state(door, guard));
        self.port.serve(self.connections, LIFETIME_MAX, router).await;
    }
}
