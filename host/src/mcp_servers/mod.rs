//! Other MCP servers, whose tools are tools of this host: the client's side of MCP.
//!
//! Each row of `[[mcp.servers]]` is one connection, kept by a task of its own: nobody waits for it but calls of its
//! tools. What a server says is not trusted: it is bounded before it is read, and checked before it is used. Who may
//! call is not decided here.

mod answer;
mod check;
mod config;
#[cfg(test)]
mod config_tests;
mod connect;
mod error;
mod guard;
mod keep;
mod mask;
mod offer;
mod program;
mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

pub use config::{Program, Reach, ServerConfig, ServerSection, servers};
pub use error::ServerError;

use crate::agents::again;
use crate::capabilities::Secrets;
use crate::catalog::{Offer, RemoteTools};
use crate::problem::Problem;
use keep::keep;
use server::Server;

/// All other servers of a host.
pub struct McpServers {
    servers: Vec<Arc<Server>>,
    changes: watch::Sender<u64>,
    is_started: AtomicBool,
    stop: watch::Sender<bool>,
}

impl McpServers {
    /// Servers that nobody has connected to yet.
    pub fn new(configs: Vec<ServerConfig>, secrets: &Secrets) -> Self {
        let changes = watch::channel(0).0;
        let server = |config| Arc::new(Server::new(config, secrets.clone(), changes.clone()));
        let servers = configs.into_iter().map(server).collect();
        Self { servers, changes, is_started: AtomicBool::new(false), stop: watch::channel(false).0 }
    }

    /// Begins to connect, once; nobody waits for it. True where this call began it.
    pub fn start(&self) -> bool {
        if self.is_started.swap(true, Ordering::Relaxed) {
            return false;
        }
        for server in &self.servers {
            let (server, stop) = (server.clone(), self.stop.subscribe());
            tokio::spawn(async move {
                let work = async || {
                    keep(&server).await.map_err(|error| {
                        server.lost(&error);
                        Problem::from(error)
                    })
                };
                // It was told where it happened.
                again(work, drop, stop).await;
            });
        }
        true
    }

    /// Waits until each was tried once, or `most` has passed.
    pub async fn tried(&self, most: Duration) {
        let tried = self.servers.iter().map(|server| async {
            // The sender lives as long as the server.
            let _ = server.tried.subscribe().wait_for(|tried| *tried).await;
        });
        let _ = tokio::time::timeout(most, futures::future::join_all(tried)).await;
    }

    /// Ends all connections, and the programs with them.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Announces each change of what is offered.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl RemoteTools for McpServers {
    fn offers(&self) -> Vec<Offer> {
        self.servers.iter().map(|server| server.offer()).collect()
    }
}

/// Refuses programs that could read the home of the host, its keys and secrets among it.
///
/// # Errors
/// `mcp.paths` with the path.
pub fn check_home(configs: &[ServerConfig], home: &Path) -> Result<(), Problem> {
    for config in configs {
        let Reach::Program(program) = &config.reach else { continue };
        if let Some(path) = program::shows(program, home) {
            let message = format!("`{path}` would show the MCP server `{}` this home with its keys", config.name);
            return Err(Problem::invalid("mcp.paths", message, "Name narrower `paths` for it in host.toml."));
        }
    }
    Ok(())
}
