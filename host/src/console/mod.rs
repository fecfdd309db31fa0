//! The console: pages for people, served from the host's own binary, that talk to the gateway as every program does.
//!
//! Nothing here knows anything of the host, and nothing in it is secret: who may see what is decided by `/v1`, for the
//! token that the person brings.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Only what this host serves runs, nothing is embedded anywhere, and nothing is sent elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the console: its path, its type, its content.
type File = (&'static str, &'static str, &'static str);

const FILES: &[File] = &[
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/console.css", "text/css; charset=utf-8", include_str!("console.css")),
    ("/console.js", "text/javascript; charset=utf-8", include_str!("console.js")),
    ("/pages.js", "text/javascript; charset=utf-8", include_str!("pages.js")),
    ("/dom.js", "text/javascript; charset=utf-8", include_str!("dom.js")),
    ("/now.js", "text/javascript; charset=utf-8", include_str!("now.js")),
    ("/topology.js", "text/javascript; charset=utf-8", include_str!("topology.js")),
    ("/runs.js", "text/javascript; charset=utf-8", include_str!("runs.js")),
    ("/timeline.js", "text/javascript; charset=utf-8", include_str!("timeline.js")),
    ("/forge.js", "text/javascript; charset=utf-8", include_str!("forge.js")),
    ("/talk.js", "text/javascript; charset=utf-8", include_str!("talk.js")),
    ("/topics.js", "text/javascript; charset=utf-8", include_str!("topics.js")),
    ("/matrix.js", "text/javascript; charset=utf-8", include_str!("matrix.js")),
    ("/shadow.js", "text/javascript; charset=utf-8", include_str!("shadow.js")),
    ("/settings.js", "text/javascript; charset=utf-8", include_str!("settings.js")),
    ("/cost.js", "text/javascript; charset=utf-8", include_str!("cost.js")),
    ("/sign.js", "text/javascript; charset=utf-8", include_str!("sign.js")),
];

/// All files, for everybody.
pub fn routes() -> Router {
    FILES.iter().fold(Router::new(), |router, file| router.route(file.0, get(async || answer(file))))
}

fn answer((_, kind, content): &File) -> Response {
    let headers: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Another version of the host brings another console.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), *content).into_response()
}
