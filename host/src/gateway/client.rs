//! Asking a host: the one that runs, or one in this process.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tower::ServiceExt;

use super::details::ProblemDetails;
use super::router;
use super::state::Gateway;
use crate::home::Home;
use crate::problem::{Problem, ProblemKind};

/// Asks the router of a home.
#[derive(Clone)]
pub enum Client {
    /// A host runs; its socket is asked.
    Running(reqwest::Client),
    /// No host runs; the router works in this process.
    InProcess(Router, Arc<Gateway>),
}

impl Client {
    /// A client for a home: of the host that listens at its socket, else of a router in this process.
    ///
    /// # Errors
    /// Where the home can't be opened.
    pub async fn open(home: Home) -> Result<Self, Problem> {
        match Self::running(home.socket()).await {
            Some(client) => Ok(client),
            None => {
                let gateway = Arc::new(Gateway::new(home)?);
                Ok(Self::InProcess(router(gateway.clone()), gateway))
            }
        }
    }

    /// A client of the host that listens at a socket; none where nobody does.
    pub async fn running(socket: PathBuf) -> Option<Self> {
        UnixStream::connect(&socket).await.ok()?;
        reqwest::Client::builder().unix_socket(socket).no_proxy().build().ok().map(Self::Running)
    }

    /// True where a host runs.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// Asks for something.
    ///
    /// # Errors
    /// The host's own problem; `host.gone` where it stopped answering.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.ask(Method::GET, path, None).await
    }

    /// Asks for all of a list that comes in pages.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Problem> {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let answer = self.answer(Method::GET, &path, None).await?;
            items.extend(answer.read::<Vec<T>>()?);
            next = next_page(&answer.headers);
        }
        Ok(items)
    }

    /// Has something done.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| unreadable(&error))?;
        self.ask(Method::POST, path, Some(body.into())).await
    }

    /// Takes something away.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        self.ask(Method::DELETE, path, None).await
    }

    /// Has a connection change its protocol: after that both ends say what they like. Of a running host only.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn upgrade(host: &reqwest::Client, path: &str, protocol: &str) -> Result<reqwest::Upgraded, Problem> {
        let request = host.get(format!("http://wasmill{path}"));
        let request = request.header(header::CONNECTION, "upgrade").header(header::UPGRADE, protocol);
        let answer = request.send().await.map_err(gone)?;
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return answer.upgrade().await.map_err(gone);
        }
        Err(problem_in(status, &answer.bytes().await.map_err(gone)?))
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<T, Problem> {
        self.answer(method, path, body).await?.read()
    }

    async fn answer(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, Problem> {
        match self {
            Self::Running(client) => over_socket(client, method, path, body).await,
            Self::InProcess(router, gateway) => {
                let answered = in_process(router.clone(), method, path, body).await;
                gateway.write_audit().await;
                answered
            }
        }
    }
}

/// What a host answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.status.is_success() {
            return serde_json::from_slice(&self.body).map_err(|error| unreadable(&error));
        }
        Err(problem_in(self.status, &self.body))
    }
}

/// Where the page after this one is.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    Some(link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?.to_owned())
}

fn problem_in(status: StatusCode, answer: &[u8]) -> Problem {
    match serde_json::from_slice::<ProblemDetails>(answer) {
        Ok(details) => details.into_problem(status),
        Err(error) => unreadable(&error),
    }
}

fn gone(error: reqwest::Error) -> Problem {
    let message = format!("the host stopped answering: {error}");
    Problem::new(ProblemKind::Unavailable, "host.gone", message, "See its log; start it again with `wasmill up`.")
}

async fn over_socket(
    client: &reqwest::Client,
    method: Method,
    path: &str,
    body: Option<Bytes>,
) -> Result<Answer, Problem> {
    // The name is not looked up; a URL needs one.
    let mut request = client.request(method, format!("http://wasmill{path}"));
    if let Some(body) = body {
        request = request.header(header::CONTENT_TYPE, "application/json").body(body);
    }
    let answer = request.send().await.map_err(gone)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Answer { status, headers, body: answer.bytes().await.map_err(gone)? })
}

async fn in_process(router: Router, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, Problem> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map_or_else(Body::empty, Body::from))
        .map_err(|error| Problem::invalid("request.path", error.to_string(), ""))?;
    let Ok(answer) = router.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await;
    let body = body.map_err(|error| Problem::new(ProblemKind::Failed, "host.failed", error.to_string(), ""))?;
    Ok(Answer { status: parts.status, headers: parts.headers, body: body.to_bytes() })
}

fn unreadable(error: &serde_json::Error) -> Problem {
    let next = "A host of another version may run on this home: compare `wasmill --version`.";
    Problem::new(ProblemKind::Failed, "host.answer", format!("the host's answer can't be read: {error}"), next)
}
