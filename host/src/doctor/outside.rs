//! What a host speaks with: commands through its socket, the database, the language model.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Finding, Level, clock};
use crate::capabilities::ModelConfig;
use crate::gateway::Client;
use crate::home::{Home, StoreConfig, open_store};

/// How long a running host may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The host that runs on the home, if one does.
pub(super) async fn host(running: Option<&Client>) -> Finding {
    let Some(client) = running else { return Finding::ok("host", "none runs on this home; `wasmill up` starts one") };
    let silent = "See its log; stop it and start it again with `wasmill up`.";
    match tokio::time::timeout(ANSWER_MAX, client.get::<Value>("/v1/status")).await {
        Ok(Ok(status)) => {
            let agents = status["agents"].as_array().map_or(0, Vec::len);
            let waiting = status["agents"].as_array().into_iter().flatten().filter(|a| a["state"] != "running").count();
            let says = format!("runs, version {}, {agents} agents", status["version"].as_str().unwrap_or("unknown"));
            if waiting == 0 {
                return Finding::ok("host", says);
            }
            Finding::advise("host", Level::Warn, format!("{says}, {waiting} of them wait"), "See `wasmill status`.")
        }
        Ok(Err(problem)) => Finding::fail("host", problem),
        Err(_) => Finding::advise("host", Level::Fail, "one listens on the socket and does not answer", silent),
    }
}

/// The database, which is brought to this version when it is opened, as a host would; and its clock.
pub(super) async fn store(home: &Home, config: &StoreConfig) -> Vec<Finding> {
    // The address may hold a password and is not shown.
    let name = match &config.url {
        None if !home.database().exists() => return vec![Finding::ok("database", "store.db; made at the first start")],
        None => "store.db",
        Some(url) if url.starts_with("postgres") => "PostgreSQL",
        Some(_) => "SQLite",
    };
    let store = match open_store(home, config).await {
        Ok(store) => store,
        Err(error) => return vec![Finding::fail("database", error)],
    };
    let asked = Instant::now();
    let answer = store.clock_ms().await;
    let millis = asked.elapsed().as_millis();
    let mut all = Vec::new();
    match answer {
        Ok(_) => {
            all.push(Finding::ok("database", format!("{name} answers in {millis} ms")));
            all.extend(clock::of_database(&store).await);
        }
        Err(error) => all.push(Finding::fail("database", error)),
    }
    store.close().await;
    all
}

/// The language model. It is not asked: that may cost money.
pub(super) fn model(home: &Home, config: Option<&ModelConfig>) -> Finding {
    let Some(config) = config else { return Finding::ok("model", "none configured; everything works without one") };
    let says = format!("`{}` at {}", config.model, config.url);
    let known = |name: &str| home.secrets().is_ok_and(|secrets| secrets.contains_key(name));
    match config.api_key_secret.as_deref().filter(|name| !known(name)) {
        None => Finding::ok("model", says),
        Some(name) => Finding::advise(
            "model",
            Level::Warn,
            format!("{says}, without a key: there is no secret `{name}`"),
            format!("Add `{name} = \"…\"` to secrets.toml."),
        ),
    }
}
