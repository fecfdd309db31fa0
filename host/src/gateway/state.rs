//! What the routes work on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use wasmill_registry::Registry;

use crate::home::{Home, HostConfig, open_store, open_streams};
use crate::host::{Host, from_home};
use crate::problem::Problem;
use crate::store::Store;
use crate::streams::SharedStreams;

/// How long a single command waits for the audit trail.
const AUDIT_WAIT: Duration = Duration::from_secs(5);

/// What the routes work on: a home, and what belongs to it.
pub struct Gateway {
    home: Home,
    config: HostConfig,
    registry: Registry,
    streams: OnceCell<SharedStreams>,
    store: OnceCell<Store>,
    host: OnceCell<Arc<Host>>,
}

/// As the router holds it.
pub type SharedGateway = Arc<Gateway>;

impl Gateway {
    /// For one command: the log is opened when something needs it.
    ///
    /// # Errors
    /// Where the home's settings or its registry can't be read.
    pub fn new(home: Home) -> Result<Self, Problem> {
        let config = home.config()?;
        let registry = home.registry()?;
        Ok(Self { home, config, registry, streams: OnceCell::new(), store: OnceCell::new(), host: OnceCell::new() })
    }

    /// For a running host, which has its log open already.
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn with_streams(home: Home, streams: SharedStreams) -> Result<Self, Problem> {
        Ok(Self { streams: OnceCell::new_with(Some(streams)), ..Self::new(home)? })
    }

    /// For a running host.
    ///
    /// # Errors
    /// As [`Gateway::new`].
    pub fn of_host(home: Home, host: Arc<Host>) -> Result<Self, Problem> {
        Ok(Self {
            streams: OnceCell::new_with(Some(host.streams.clone())),
            store: OnceCell::new_with(Some(host.store.clone())),
            host: OnceCell::new_with(Some(host)),
            ..Self::new(home)?
        })
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The settings, as they were when this was made.
    pub fn config(&self) -> &HostConfig {
        &self.config
    }

    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The log, opened at the first call.
    ///
    /// # Errors
    /// As [`open_streams`].
    pub async fn streams(&self) -> Result<&SharedStreams, Problem> {
        self.streams.get_or_try_init(|| open_streams(&self.home, &self.config.streams)).await
    }

    /// The database, opened at the first call.
    ///
    /// # Errors
    /// As [`open_store`].
    pub async fn store(&self) -> Result<&Store, Problem> {
        Ok(self.store.get_or_try_init(|| open_store(&self.home, &self.config.store)).await?)
    }

    /// The host, put together at the first call; it runs no agents unless it is the running one.
    ///
    /// # Errors
    /// As [`from_home::open`].
    pub async fn host(&self) -> Result<&Arc<Host>, Problem> {
        let open = async || {
            let streams = self.streams().await?.clone();
            from_home::open(&self.home, &self.config, streams).await.map(Arc::new)
        };
        self.host.get_or_try_init(open).await
    }

    /// Waits until the audit trail has what was done so far, and notes which tools were called: a single command ends
    /// afterwards.
    pub(super) async fn write_audit(&self) {
        if let Some(host) = self.host.get() {
            host.note_uses().await;
        }
        if let Some(host) = self.host.get()
            && tokio::time::timeout(AUDIT_WAIT, host.audit.flush()).await.is_err()
        {
            tracing::warn!("the audit trail does not have all of this: the database does not answer");
        }
    }

    /// The host, where there is one already: the running one, or what an earlier request put together.
    pub fn host_at_work(&self) -> Option<&Arc<Host>> {
        self.host.get()
    }
}
