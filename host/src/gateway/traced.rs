//! Requests as spans, by OpenTelemetry's conventions for HTTP servers.

use std::future::Future;
use std::pin::Pin;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::{FromFnLayer, Next, from_fn_with_state};
use axum::response::Response;

use super::state::SharedGateway;
use crate::telemetry::{About, Span, SpanKind, Work, is_traceparent};

/// Header of W3C trace context.
pub(super) const TRACEPARENT: &str = "traceparent";

type Traced = fn(State<SharedGateway>, Request, Next) -> Pin<Box<dyn Future<Output = Response> + Send>>;

/// What goes around the routes. Each request is a piece of work of its own; where it says nothing of a trace and nothing is
/// recorded here, it has none.
pub(super) fn layer(gateway: &SharedGateway) -> FromFnLayer<Traced, SharedGateway, (State<SharedGateway>, Request)> {
    let traced: Traced = |state, request, next| Box::pin(traced(state, request, next));
    from_fn_with_state(gateway.clone(), traced)
}

/// The trace that a request came with.
pub(crate) fn given_traceparent(headers: &HeaderMap) -> Option<&str> {
    headers.get(TRACEPARENT)?.to_str().ok().filter(|text| is_traceparent(text))
}

async fn traced(State(gateway): State<SharedGateway>, request: Request, next: Next) -> Response {
    let telemetry = gateway.host_at_work().map(|host| host.telemetry().clone()).unwrap_or_default();
    let given = given_traceparent(request.headers());
    if given.is_none() && !telemetry.is_on() {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let mut span = telemetry.span(given, || about(request.method(), route));
    let work = Work { traceparent: Some(span.traceparent().clone()), ..Work::default() };
    let response = work.scope(next.run(request)).await;
    end(&mut span, &response);
    response
}

fn about(method: &Method, route: &str) -> About {
    About::new(format!("{method} {route}"), SpanKind::Server)
        .with("http.request.method", method.as_str().to_owned())
        .with("http.route", route.to_owned())
}

/// What the asker did wrong is no failure of the server.
fn end(span: &mut Span, response: &Response) {
    let status = response.status();
    span.set("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.fail(status.as_str());
    }
}
