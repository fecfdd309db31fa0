//! The server that one client talks to.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, Implementation, JsonObject, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler, ServiceExt as _};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{answer, forge, topics};
use crate::capabilities::{Caller, Invocation, ToolCalls, problem};
use crate::catalog::names;
use crate::gateway::given_traceparent;
use crate::host::Host;
use crate::problem::Problem;
use crate::telemetry::{About, SpanKind, Work, is_traceparent};

/// What a client is told about this server.
const INSTRUCTIONS: &str = "Tools that run as WebAssembly components on a Wasmill host. The list holds what you are \
    permitted to call and changes when tools are made, approved or revoked. A denial names the row of the permission \
    matrix that would allow the call: show it to the person you work for.";

/// How often is looked whether a client that waits for changes has gone.
const LOOK_FOR_PEER: Duration = Duration::from_secs(10);

/// Answers one client.
#[derive(Clone)]
pub struct McpServer {
    host: Arc<Host>,
    client: Arc<str>,
}

impl McpServer {
    /// For `client:NAME`.
    pub fn new(host: Arc<Host>, client: impl Into<Arc<str>>) -> Self {
        Self { host, client: client.into() }
    }

    /// Talks to the client at the other end of a pair of streams, until one of both ends it.
    ///
    /// # Errors
    /// `mcp.talk` where the client doesn't speak MCP.
    pub async fn converse<R, W>(self, streams: (R, W)) -> Result<(), Problem>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let failed = |error: &dyn std::fmt::Display| {
            let next =
                "This is for MCP clients: a message of theirs is one line of JSON, `initialize` the first of them.";
            Problem::invalid("mcp.talk", format!("the client doesn't speak MCP: {error}"), next)
        };
        let served = self.serve(streams).await.map_err(|error| failed(&error))?;
        served.waiting().await.map(drop).map_err(|error| failed(&error))
    }

    /// The client with its rows as they are now.
    fn caller(&self) -> Caller {
        self.host.client(&self.client)
    }

    fn tools(&self, caller: &Caller) -> Vec<Tool> {
        let grant = &caller.identity.grant;
        let snapshot = self.host.catalog.snapshot();
        let mut tools = forge::tools(caller);
        for tool in snapshot.tools_for(grant) {
            let name = &tool.manifest.name;
            tools.extend(tool.functions.iter().map(|f| {
                let input = object(&f.function.input_schema).unwrap_or_default();
                let function = &f.function;
                let title = format!("{name} {}", function.name);
                let shown = Tool::new(
                    names::shown(name, &function.name),
                    Cow::Owned(function.description.clone()),
                    Arc::new(input),
                );
                let shown = shown.with_title(title);
                // MCP knows structured results that are objects, and no others.
                match object(&function.output_schema).filter(|s| s.get("type") == Some(&Value::from("object"))) {
                    Some(output) => shown.with_raw_output_schema(Arc::new(output)),
                    None => shown,
                }
            }));
        }
        tools
    }

    /// A call with its span, by OpenTelemetry's conventions for MCP.
    async fn traced(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, Problem> {
        let mut span = self.host.telemetry().span(given_trace(context).as_deref(), || {
            About::new(format!("tools/call {}", request.name), SpanKind::Server)
                .with("mcp.method.name", "tools/call")
                .with("gen_ai.operation.name", "execute_tool")
                .with("gen_ai.tool.name", request.name.to_string())
                .with("wasmill.client", self.client.to_string())
        });
        let (traceparent, client) = (Some(span.traceparent().clone()), Some(self.client.clone()));
        let work = Work { traceparent, client, ..Work::default() };
        let answer = work.scope(self.call(request, context)).await;
        if let Err(problem) = &answer {
            span.fail(&problem.code);
        }
        answer
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, Problem> {
        let caller = self.caller();
        let CallToolRequestParams { name, arguments, input_responses, .. } = request;
        let arguments = arguments.unwrap_or_default();
        match &*name {
            forge::BUILD => {
                return forge::build(&self.host, &caller, arguments, context, input_responses.is_some()).await;
            }
            forge::STATUS => return Ok(forge::status(&self.host, &caller, arguments).await?.into()),
            _ => {}
        }
        let (tool, function) = names::meant(&name).ok_or_else(|| {
            Problem::invalid(
                "tool.unknown",
                format!("there is no tool `{name}`"),
                "List the tools to see which there are.",
            )
        })?;
        let invocation = Invocation { tool, function, arguments: Value::Object(arguments).to_string() };
        let text = self.host.toolbox.call(&caller, invocation).await.map_err(|error| problem(&error))?;
        let value = serde_json::from_str(&text).map_err(|error| Problem::invalid("tool.answer", error, ""))?;
        Ok(answer::result(value).into())
    }

    /// Tells a client whenever its list may have changed, until `gone`. True where it could be told.
    async fn tell_of_changes<F: Future<Output = bool>>(&self, gone: impl Future<Output = ()>, tell: impl Fn() -> F) {
        let mut tools = self.host.catalog.changes();
        let mut matrix = self.host.catalog.matrix().subscribe();
        tokio::pin!(gone);
        loop {
            tokio::select! {
                () = &mut gone => return,
                changed = tools.changed() => if changed.is_err() { return },
                changed = matrix.changed() => if changed.is_err() { return },
            }
            if !tell().await {
                return;
            }
        }
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_tool_list_changed().enable_resources().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("wasmill", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools(&self.caller())))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(self.traced(request, &context).await.unwrap_or_else(|problem| answer::problem(&problem).into()))
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let listed = topics::list(&self.host, &self.caller()).await.map_err(|problem| refused(&problem))?;
        Ok(ListResourcesResult::with_all_items(listed))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let read = topics::read(&self.host, &self.caller(), &request.uri).await.map_err(|problem| refused(&problem))?;
        Ok(ReadResourceResult::new(vec![read]).into())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let (server, peer) = (self.clone(), context.peer);
        tokio::spawn(async move {
            let gone = async {
                while !peer.is_transport_closed() {
                    tokio::time::sleep(LOOK_FOR_PEER).await;
                }
            };
            let tell = || async { peer.notify_tool_list_changed().await.is_ok() };
            server.tell_of_changes(gone, tell).await;
        });
    }

    fn accepted_subscription_filter(&self, _: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(SubscriptionFilter::builder().tools_list_changed().build())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let tell = || async { context.sink().notify_tool_list_changed().await.is_ok() };
        self.tell_of_changes(context.cancelled(), tell).await;
        Ok(())
    }
}

/// The trace that a request came with: in its `_meta`, as MCP has it, or in the HTTP request that carried it.
fn given_trace(context: &RequestContext<RoleServer>) -> Option<String> {
    let meta = context.meta.get("traceparent").and_then(Value::as_str).filter(|text| is_traceparent(text));
    let carried = || given_traceparent(&context.extensions.get::<http::request::Parts>()?.headers);
    meta.or_else(carried).map(str::to_owned)
}

fn object(schema: &str) -> Option<JsonObject> {
    serde_json::from_str(schema).ok()
}

fn refused(problem: &Problem) -> ErrorData {
    let data = serde_json::to_value(problem).ok();
    ErrorData::invalid_params(problem.message.clone(), data)
}
