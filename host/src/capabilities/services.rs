//! What all guests of a host share: the things that capabilities reach into.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use super::agents::Book;
use super::forge::Forging;
use super::model::{Account, ModelClient};
use super::shadow::Shadow;
use super::tools::ToolCalls;
use crate::meters::Meters;
use crate::permissions::Rates;
use crate::store::AuditWriter;
use crate::streams::{SharedStreams, StreamError};
use crate::telemetry::Telemetry;

/// The services behind the capabilities.
pub struct Services {
    /// The log.
    pub streams: SharedStreams,
    /// Names of the topics that exist.
    pub topics: TopicNames,
    /// Held while a component has a topic made.
    pub(super) making_topics: tokio::sync::Mutex<()>,
    /// The language model; none where none is configured.
    pub model: Option<ModelClient>,
    /// Budgets for language models.
    pub account: Account,
    /// Secrets for HTTP requests.
    pub secrets: Secrets,
    /// Sends guests' HTTP requests.
    pub http: reqwest::Client,
    /// The trail.
    pub audit: AuditWriter,
    /// Counts what agents and tools do.
    pub meters: Meters,
    /// Records traces.
    pub telemetry: Telemetry,
    /// Counts what principals do by the minute.
    pub rates: Rates,
    /// Agents that agents have started.
    pub book: Book,
    /// Stands where the outside would be; none where work is done in earnest.
    pub shadow: Option<Arc<Shadow>>,
    tools: OnceLock<Weak<dyn ToolCalls>>,
    forge: OnceLock<Weak<dyn Forging>>,
}

impl Services {
    /// Services without tools and forge, which are given later, as they need these services themselves.
    pub fn new(
        streams: SharedStreams,
        model: Option<ModelClient>,
        secrets: Secrets,
        http: reqwest::Client,
        audit: AuditWriter,
        telemetry: Telemetry,
        account: Account,
    ) -> Self {
        let (topics, meters, book) = (TopicNames::default(), Meters::default(), Book::new(streams.clone()));
        let rates = Rates::default();
        let (making_topics, tools, forge) = (tokio::sync::Mutex::default(), OnceLock::new(), OnceLock::new());
        Self {
            streams,
            topics,
            making_topics,
            model,
            account,
            secrets,
            http,
            audit,
            meters,
            telemetry,
            rates,
            book,
            shadow: None,
            tools,
            forge,
        }
    }

    /// Services for a shadow run: they read what these read, and nothing that is done with them leaves the host, is counted
    /// or is written down. They have no forge and, until they are given, no tools.
    pub fn beside(&self) -> Self {
        let beside = Self::new(
            self.streams.clone(),
            self.model.clone(),
            self.secrets.clone(),
            self.http.clone(),
            self.audit.clone(),
            Telemetry::off(),
            self.account.clone(),
        );
        Self { shadow: Some(Arc::default()), ..beside }
    }

    /// Gives whoever runs tool calls. Only the first one counts.
    pub fn provide_tools(&self, tools: Weak<dyn ToolCalls>) {
        let _ = self.tools.set(tools);
    }

    /// Gives whoever builds tools. Only the first one counts.
    pub fn provide_forge(&self, forge: Weak<dyn Forging>) {
        let _ = self.forge.set(forge);
    }

    /// Runs tool calls; none while the host starts or stops.
    pub(super) fn tools(&self) -> Option<Arc<dyn ToolCalls>> {
        self.tools.get()?.upgrade()
    }

    /// Builds tools; none while the host starts or stops, or where it has no forge.
    pub(super) fn forge(&self) -> Option<Arc<dyn Forging>> {
        self.forge.get()?.upgrade()
    }
}

/// Secrets by name. Their values are never shown, logged or given to a guest. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Known>);

#[derive(Default)]
struct Known {
    file: BTreeMap<String, String>,
    entered: RwLock<BTreeMap<String, String>>,
}

impl Secrets {
    /// Those that the home's file has.
    pub fn new(file: BTreeMap<String, String>) -> Self {
        Self(Arc::new(Known { file, entered: RwLock::default() }))
    }

    /// The value of a secret: the file's, else the one that was entered.
    pub fn get(&self, name: &str) -> Option<String> {
        // Replaced as a whole: a poisoned lock is as good as any.
        let entered = || self.0.entered.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        self.0.file.get(name).cloned().or_else(entered)
    }

    /// Names of those that the home's file has.
    pub fn names_of_file(&self) -> impl Iterator<Item = &str> {
        self.0.file.keys().map(String::as_str)
    }

    /// Replaces all that were entered at a running host.
    pub fn enter(&self, entered: BTreeMap<String, String>) {
        *self.0.entered.write().unwrap_or_else(PoisonError::into_inner) = entered;
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.file.keys()).finish_non_exhaustive()
    }
}

/// Names of the topics that exist, read again when one is not among them.
#[derive(Default)]
pub struct TopicNames(RwLock<HashSet<String>>);

impl TopicNames {
    /// True where the topic exists, or may: what the log hides from this host fails when the work is committed. It is
    /// not the record's fault, and no reason to set it aside.
    ///
    /// # Errors
    /// Where the log can't be asked.
    pub async fn contain(&self, streams: &SharedStreams, name: &str) -> Result<bool, StreamError> {
        // A set of names can't be half-written in a way that matters: a poisoned lock is as good as any.
        if self.0.read().unwrap_or_else(PoisonError::into_inner).contains(name) {
            return Ok(true);
        }
        let names: HashSet<String> = streams.topics().await?.into_iter().map(|t| t.name).collect();
        let found = names.contains(name);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = names;
        if found {
            return Ok(true);
        }
        match streams.watermarks(name, 0).await {
            Err(StreamError::UnknownTopic(_)) => Ok(false),
            Err(StreamError::Forbidden(_)) => Ok(true),
            answer => answer.map(|_| true),
        }
    }
}
