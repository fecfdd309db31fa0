//! `wasmill up`

use std::future::Future;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use console::style;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::Context;
use super::steps::step;
use crate::gateway::{Gateway, GrpcPort, HttpPort, Listener, MetricsPort, router};
use crate::home::{Home, HostConfig, open_streams};
use crate::host::advisories::Warnings;
use crate::host::policy::Policies;
use crate::host::sharing::Sharing;
use crate::host::{Host, from_home};
use crate::mcp::{self, McpPort};
use crate::problem::{Problem, ProblemKind};
use crate::telemetry::JsonLines;

/// How long a host that stops waits for the receiver of its last spans.
const SPANS_WAIT: Duration = Duration::from_secs(2);

/// What is logged unless RUST_LOG says otherwise. The MCP library would tell of each message that a stranger sends.
const LOG: &str = "info,rmcp=warn";

/// Starts the host of this home and runs until it is told to stop.
#[derive(Debug, Args)]
#[command(
    after_help = "The log goes to standard error: RUST_LOG chooses what (default: info), and with --output json each
line is an object. Ctrl-C or SIGTERM stops the host; what was not committed is done again at the next start.

Examples:
  wasmill up
  wasmill up --home /srv/wasmill --output json 2> host.log"
)]
pub(super) struct Up;

impl Up {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        start_log(cx.output.is_human());
        let home = cx.home()?;
        let config = home.config()?;
        // First, so that a second host ends here and commands wait until this one is up.
        let listener = Listener::bind(&home.socket()).await?;
        let metrics = MetricsPort::bind(&home, &config.metrics).await?;
        let http = HttpPort::bind(&home, &config.gateway).await?;
        let grpc = GrpcPort::bind(&home, &config.grpc).await?;
        let mcp_port = McpPort::bind(&home, &config.mcp).await?;
        let streams = step("opening the log", open_streams(&home, &config.streams)).await?;
        let telemetry = from_home::telemetry(&home, &config.telemetry)?;
        let opening = from_home::open_with(&home, &config, streams, telemetry.clone());
        let host = step("loading what is installed", opening).await?;
        let host = Arc::new(host);
        let (stop, stopped) = watch::channel(false);
        let gateway = Arc::new(Gateway::of_host(home.clone(), host.clone())?);
        let routes = router(gateway.clone()).merge(mcp::routes(gateway.clone()));
        let mut until_stopped = stopped.clone();
        let until = async move { drop(until_stopped.wait_for(|stop| *stop).await) };
        let told = tokio::spawn(tell(told_to_stop()?, stop.clone()));
        let ports = Ports {
            socket: home.socket().display().to_string(),
            metrics: metrics.as_ref(),
            http: http.as_ref(),
            grpc: grpc.as_ref(),
            mcp: mcp_port.as_ref(),
        };
        greet(cx, &host, &ports)?;
        let metrics = metrics.map(|port| tokio::spawn(port.serve(host.clone())));
        let grpc = grpc.map(|port| tokio::spawn(port.serve(gateway.clone())));
        let http = http.map(|port| tokio::spawn(port.serve(gateway, crate::console::routes())));
        let mcp_port = mcp_port.map(|port| tokio::spawn(port.serve(home.clone(), host.clone())));
        let shared = share(&home, &config, &host, stopped.clone());
        let (served, (), ()) = tokio::join!(serve_until(listener, routes, until, stop), host.run(stopped), shared);
        told.abort();
        // Whoever reads metrics or waits for changes must not hold up the end.
        metrics.inspect(tokio::task::JoinHandle::abort);
        http.inspect(tokio::task::JoinHandle::abort);
        grpc.inspect(tokio::task::JoinHandle::abort);
        mcp_port.inspect(tokio::task::JoinHandle::abort);
        host.seal_audit().await;
        telemetry.close(SPANS_WAIT).await;
        served
    }
}

/// Gives and takes components, and follows policies and advisories, where the database may be other hosts' too.
async fn share(home: &Home, config: &HostConfig, host: &Host, stopped: watch::Receiver<bool>) {
    if config.store.url.is_some() {
        let components =
            Sharing::new(host.catalog.registry().clone(), home.trust_file(), home.lock_file(), host.store.clone());
        let policies = Policies::new(home.clone(), host.store.clone());
        let warnings = Warnings::new(home.advisories_file(), home.trust_file(), host.store.clone());
        tokio::join!(components.run(stopped.clone()), policies.run(stopped.clone()), warnings.run(stopped));
    }
}

/// Serves; where that fails, the agents are told to stop as well.
async fn serve_until(
    listener: Listener,
    router: axum::Router,
    until: impl Future<Output = ()> + Send + 'static,
    stop: watch::Sender<bool>,
) -> Result<(), Problem> {
    let served = listener.serve(router, until).await;
    stop.send_replace(true);
    served
}

async fn tell(told: impl Future<Output = ()>, stop: watch::Sender<bool>) {
    told.await;
    stop.send_replace(true);
}

/// Done at Ctrl-C or SIGTERM.
fn told_to_stop() -> Result<impl Future<Output = ()>, Problem> {
    let refused = |e: std::io::Error| Problem::new(ProblemKind::Failed, "host.signals", e, "");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Where a host listens.
struct Ports<'a> {
    socket: String,
    metrics: Option<&'a MetricsPort>,
    http: Option<&'a HttpPort>,
    grpc: Option<&'a GrpcPort>,
    mcp: Option<&'a McpPort>,
}

fn greet(cx: &Context, host: &Host, ports: &Ports<'_>) -> Result<(), Problem> {
    let socket = &ports.socket;
    let snapshot = host.catalog.snapshot();
    let (agents, tools) = (snapshot.agents.len(), snapshot.tools.len());
    let (waiting, refused) = (snapshot.waiting.len(), snapshot.refused.len());
    let policy = host.catalog.matrix().revision();
    let metrics = ports.metrics.map(MetricsPort::url);
    let console = ports.http.map(HttpPort::url);
    let grpc = ports.grpc.map(GrpcPort::url);
    let mcp = ports.mcp.map(McpPort::url);
    let started = json!({
        "host": "up", "agents": agents, "tools": tools, "waiting": waiting, "refused": refused,
        "policy": &*policy, "socket": socket, "metrics": metrics, "console": console, "grpc": grpc, "mcp": mcp,
    });
    cx.output.show(&started, |_| {
        let mut text = format!(
            "{} {agents} agents, {tools} tools, policy {policy}, listening at {socket}",
            style("wasmill is up:").green().bold()
        );
        if let Some(metrics) = &metrics {
            text.push_str(&format!(", metrics at {metrics}"));
        }
        if let Some(console) = &console {
            text.push_str(&format!(", console at {console}"));
        }
        if let Some(grpc) = &grpc {
            text.push_str(&format!(", gRPC at {grpc}"));
        }
        if let Some(mcp) = &mcp {
            text.push_str(&format!(", MCP at {mcp}"));
        }
        if waiting > 0 {
            text.push_str(&format!("\n  {waiting} wait for an admin: `wasmill approval list`"));
        }
        if refused > 0 {
            text.push_str(&format!("\n  {refused} were refused: `wasmill status`"));
        }
        text
    })
}

fn start_log(human: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error says that somebody has started a log before, which is as good.
    let _ = if human {
        log.with_ansi(std::io::stderr().is_terminal()).try_init()
    } else {
        log.event_format(JsonLines).try_init()
    };
}
