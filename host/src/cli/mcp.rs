//! `wasmill mcp`

use clap::Args;
use rmcp::transport::stdio;
use wasmill_registry::check_component_name;

use super::Context;
use crate::gateway::{Client, Gateway};
use crate::mcp::{McpServer, relay};
use crate::problem::Problem;

/// Serves the tools to an MCP client, on standard input and output.
#[derive(Debug, Args)]
#[command(after_help = "For the settings of an MCP client that starts its servers itself:
  {\"command\": \"wasmill\", \"args\": [\"mcp\", \"--home\", \"/srv/wasmill\", \"--client\", \"desk\"]}

The client is `client:NAME` of permissions.toml: without a row it may do nothing.
Where a host runs on the home it answers; where none runs, this command does.

Examples:
  wasmill mcp
  wasmill mcp --client desk")]
pub(super) struct Mcp {
    /// Whose rows count: `client:NAME` of permissions.toml
    #[arg(long, value_name = "NAME", default_value = "mcp")]
    client: String,
}

impl Mcp {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        check_component_name(&self.client)?;
        let home = cx.home()?;
        if let Some(Client::Running(host)) = Client::running(home.socket()).await {
            return relay(&host, &self.client).await;
        }
        let gateway = Gateway::new(home)?;
        let host = gateway.host().await?.clone();
        host.meet_mcp_servers().await?;
        let server = McpServer::new(host, self.client.as_str());
        server.converse(stdio()).await
    }
}
