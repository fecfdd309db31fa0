//! Keeping one server connected, and its list fresh.

use std::convert::Infallible;
use std::time::Duration;

use rmcp::model::SubscriptionFilter;
use rmcp::service::Subscription;

use super::ServerError;
use super::connect::{Link, connect};
use super::offer;
use super::server::Server;

/// How long a server may take for its list.
const LIST_MAX: Duration = Duration::from_secs(10);
/// How often the list is read although nobody says that it changed: it also shows whether the server is there.
const LOOK: Duration = Duration::from_secs(300);
/// The list is read no more often than this, whatever the server says.
const LOOK_MIN: Duration = Duration::from_secs(1);

/// Connects, and stays so until it fails.
///
/// # Errors
/// Why it is not connected any more, or could not be.
pub(super) async fn keep(server: &Server) -> Result<Infallible, ServerError> {
    let link = connect(&server.config, &server.secrets, &server.wake).await?;
    let mut subscription = subscribe(&link).await;
    let mut ended = link.ended.clone();
    loop {
        look(server, &link).await?;
        tokio::time::sleep(LOOK_MIN).await;
        tokio::select! {
            biased;
            _ = ended.wait_for(Option::is_some) => return Err(link.end()),
            () = server.wake.notified() => {}
            () = changed(&mut subscription) => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn look(server: &Server, link: &Link) -> Result<(), ServerError> {
    let list = offer::list(link.service.peer(), server.config.tools_max);
    let mut ended = link.ended.clone();
    let tools = tokio::select! {
        // First: that the connection ended says more than that it could not be used.
        biased;
        _ = ended.wait_for(Option::is_some) => return Err(link.end()),
        tools = tokio::time::timeout(LIST_MAX, list) => tools,
    };
    let tools = tools.map_err(|_| ServerError::Silent { what: "what tools it has", within: LIST_MAX })??;
    let info = link.service.peer().peer_info();
    let version = info.as_ref().and_then(|info| info.server_info.as_ref()).map(|server| server.version.as_str());
    let (offered, left_out) = offer::offered(&server.config.name, version, tools);
    server.found(link, offered, &left_out);
    Ok(())
}

/// From 2026-07-28 on, changes are told to those who ask for it; before that, to everybody.
async fn subscribe(link: &Link) -> Option<Subscription> {
    let info = link.service.peer().peer_info()?;
    if info.protocol_version.has_initialize() {
        return None;
    }
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let asked = tokio::time::timeout(LIST_MAX, link.service.peer().listen(filter)).await;
    // Without it, changes are seen a little later.
    asked.ok()?.ok()
}

/// Done when the server tells of a change; never, where it doesn't any more.
async fn changed(subscription: &mut Option<Subscription>) {
    if let Some(open) = subscription
        && let Ok(Some(_)) = open.next().await
    {
        return;
    }
    *subscription = None;
    std::future::pending().await
}
