//! `wasmill.v1.Agents`

use tonic::{Request, Response, Status};

use super::proto::agents_server::Agents;
use super::proto::{Agent, AgentList, ListAgents, StartAgent, StartedAgent, StopAgent, StoppedAgent};
use super::status::of;
use crate::gateway::agents::{StartRequest, all_started, started_by, stopped_by};
use crate::gateway::asker::Asker;
use crate::gateway::state::SharedGateway;

/// Agents of this gateway's host.
pub(super) struct Service(pub SharedGateway);

#[tonic::async_trait]
impl Agents for Service {
    async fn start(&self, request: Request<StartAgent>) -> Result<Response<StartedAgent>, Status> {
        let Asker(client) = asker(&request)?;
        let StartAgent { name, component, reads, settings } = request.into_inner();
        let wanted = StartRequest { name, component, reads, settings: settings.into_iter().collect() };
        let host = self.0.host().await.map_err(|problem| of(&problem))?;
        let started = started_by(host, &client, wanted).await.map_err(|problem| of(&problem))?;
        Ok(Response::new(StartedAgent { name: started.name, is_new: started.is_new }))
    }

    async fn stop(&self, request: Request<StopAgent>) -> Result<Response<StoppedAgent>, Status> {
        let Asker(client) = asker(&request)?;
        let host = self.0.host().await.map_err(|problem| of(&problem))?;
        let stopped = stopped_by(host, &client, &request.into_inner().name).await;
        let was_there = stopped.map_err(|problem| of(&problem))?;
        Ok(Response::new(StoppedAgent { was_there }))
    }

    async fn list(&self, _: Request<ListAgents>) -> Result<Response<AgentList>, Status> {
        let all = all_started(&self.0).await.map_err(|problem| of(&problem))?;
        let agents = all.into_iter().map(|agent| Agent {
            name: agent.name,
            maker: agent.started.maker.to_string(),
            component: agent.started.component,
            reads: agent.started.reads,
            reason: agent.reason.unwrap_or_default(),
        });
        Ok(Response::new(AgentList { agents: agents.collect() }))
    }
}

/// Who asks; the door has said so.
pub(super) fn asker<T>(request: &Request<T>) -> Result<Asker, Status> {
    request.extensions().get::<Asker>().cloned().ok_or_else(|| Status::internal("nobody said who asks"))
}
