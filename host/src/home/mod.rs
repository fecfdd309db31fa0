//! The home directory: everything that belongs to one host, and where it lies.
//!
//! ```text
//! host.toml         settings                      permissions.toml  the matrix
//! trust.toml        whose signatures count        secrets.toml      mode 0600
//! topics.toml       topics that shall be, where an admin declares them
//! veto.rego         what nobody may, where an admin wrote such a policy
//! keys/             secret keys, mode 0600        registry/         components, an OCI layout
//! log/              the embedded log              store.db          the database
//! cache/            compiled code                 forge/            scratch of the forge
//! checkpoints/      state as it was a while ago, with Kafka
//! host.sock         where a running host listens  host.lock         held by a running host
//! policy.serial     of what other hosts shared    tokens.toml       digests of clients' tokens, mode 0600
//! secrets.key       opens entered credentials, mode 0600
//! audit.jsonl       signed checkpoints of the audit trail
//! wasmill.lock      what was installed, with digests and where it came from
//! advisories.jsonl  what admins warned of, as they signed it
//! ```
//!
//! This folder knows files and settings. It must never know what a running host does with them.

mod config;
mod error;
mod files;
mod init;
mod lock;
mod parts;
mod ports;
mod tokens;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wasmill_registry::{Registry, TrustRoots, parse_document};

pub use config::{
    ConsoleConfig, ConversationsConfig, EmbeddedSection, HostConfig, HostLimits, McpConfig, MetricsConfig, PortConfig,
    StoreConfig, StreamsConfig, ToolTopicsConfig, VetoConfig,
};
pub use error::HomeError;
pub use files::{add_to_file, create_private, read_bounded, read_private, read_text, replace};
pub use init::KEY_NAMES;
pub use lock::{alone, install_locked, read_lock};
pub use parts::{instance_of, open_kafka, open_store, open_streams};
pub use ports::{RateConfig, TlsConfig};
pub use tokens::{NewToken, Token, Tokens};

/// Largest of the home's TOML files, in bytes.
const FILE_SIZE_MAX: usize = 4 * 1024 * 1024;

/// A home directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes a new home: folders, the four files with explanations in them, an empty registry.
    ///
    /// # Errors
    /// [`HomeError::Exists`] where there is one already; [`HomeError::Io`].
    pub fn create(root: &Path) -> Result<Self, HomeError> {
        init::create(root)?;
        Self::open(root)
    }

    /// Opens a home.
    ///
    /// # Errors
    /// [`HomeError::Missing`] where there is none.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        let root = std::path::absolute(root).map_err(|error| HomeError::io(root, error))?;
        let home = Self { root };
        if home.config_file().is_file() { Ok(home) } else { Err(HomeError::Missing(home.root)) }
    }

    /// The directory itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `host.toml`.
    pub fn config_file(&self) -> PathBuf {
        self.root.join("host.toml")
    }

    /// `permissions.toml`.
    pub fn permissions_file(&self) -> PathBuf {
        self.root.join("permissions.toml")
    }

    /// The policy that may deny what the matrix allows, where the settings name one.
    pub fn veto_file(&self, config: &VetoConfig) -> Option<PathBuf> {
        config.file.as_ref().map(|file| self.root.join(file))
    }

    /// `topics.toml`, where an admin has written one.
    pub fn topics_file(&self) -> PathBuf {
        self.root.join("topics.toml")
    }

    /// `trust.toml`.
    pub fn trust_file(&self) -> PathBuf {
        self.root.join("trust.toml")
    }

    /// `secrets.toml`.
    pub fn secrets_file(&self) -> PathBuf {
        self.root.join("secrets.toml")
    }

    /// The key of credentials that are entered at a running host. Made when the first one is.
    pub fn secrets_key_file(&self) -> PathBuf {
        self.root.join("secrets.key")
    }

    /// The folder of secret keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The file of one secret key.
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.keys().join(format!("{name}.key"))
    }

    /// The folder of the registry.
    pub fn registry_folder(&self) -> PathBuf {
        self.root.join("registry")
    }

    /// The folder of the embedded log.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.root.join("store.db")
    }

    /// The folder of compiled code. May be deleted at any time.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The folder of checkpoints of state that Kafka holds. May be deleted at any time.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// The forge's folder. May be deleted while no host runs.
    pub fn forge(&self) -> PathBuf {
        self.root.join("forge")
    }

    /// Signed checkpoints of the audit trail, outside of the database that has the trail.
    pub fn audit_file(&self) -> PathBuf {
        self.root.join("audit.jsonl")
    }

    /// Advisories, once an admin has warned of something.
    pub fn advisories_file(&self) -> PathBuf {
        self.root.join("advisories.jsonl")
    }

    /// `wasmill.lock`, once something was installed.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("wasmill.lock")
    }

    /// The socket of the running host.
    pub fn socket(&self) -> PathBuf {
        self.root.join("host.sock")
    }

    /// Reads `host.toml`.
    ///
    /// # Errors
    /// [`HomeError::Document`] with file and line.
    pub fn config(&self) -> Result<HostConfig, HomeError> {
        let path = self.config_file();
        let text = files::read_text(&path, FILE_SIZE_MAX)?;
        HostConfig::parse(&text).map_err(|error| HomeError::Document { path, error })
    }

    /// Reads `trust.toml`. Called for each decision: a revoked key stops counting at once.
    ///
    /// # Errors
    /// [`HomeError::Document`] with file and line.
    pub fn trust(&self) -> Result<TrustRoots, HomeError> {
        let path = self.trust_file();
        let text = files::read_text(&path, FILE_SIZE_MAX)?;
        TrustRoots::parse(&text).map_err(|error| HomeError::Document { path, error })
    }

    /// The texts of `permissions.toml` and `trust.toml`.
    ///
    /// # Errors
    /// [`HomeError::Io`], [`HomeError::Unreadable`].
    pub fn policy_files(&self) -> Result<(String, String), HomeError> {
        let read = |path: PathBuf| files::read_text(&path, FILE_SIZE_MAX);
        Ok((read(self.permissions_file())?, read(self.trust_file())?))
    }

    /// Serial of the policy that was taken last from other hosts; 0 where none ever was.
    ///
    /// # Errors
    /// [`HomeError::Io`], [`HomeError::Unreadable`].
    pub fn policy_serial(&self) -> Result<u64, HomeError> {
        let path = self.policy_serial_file();
        if !path.exists() {
            return Ok(0);
        }
        let text = files::read_text(&path, FILE_SIZE_MAX)?;
        let number = text.trim().parse();
        number.map_err(|_| HomeError::Unreadable { path, reason: "it is not a number".to_owned() })
    }

    /// Replaces `permissions.toml` and `trust.toml` by those of a policy. Interrupted halfway, it is to be done again: the
    /// trust roots that verify it go last.
    ///
    /// # Errors
    /// [`HomeError::Io`], [`HomeError::Unreadable`].
    pub fn set_policy(&self, serial: u64, permissions: &str, trust: &str) -> Result<(), HomeError> {
        files::replace(&self.permissions_file(), permissions)?;
        files::replace(&self.trust_file(), trust)?;
        files::replace(&self.policy_serial_file(), &format!("{serial}\n"))
    }

    /// `tokens.toml`, once a client has one.
    pub fn tokens_file(&self) -> PathBuf {
        self.root.join("tokens.toml")
    }

    /// Reads `tokens.toml`. Called for each request: a token that is taken away stops counting at once. No file: no tokens.
    ///
    /// # Errors
    /// [`HomeError::Exposed`] where others than the owner may read it; [`HomeError::Document`] with file and line.
    pub fn tokens(&self) -> Result<Tokens, HomeError> {
        let path = self.tokens_file();
        if !path.exists() {
            return Ok(Tokens::default());
        }
        files::check_private(&path)?;
        let text = files::read_text(&path, FILE_SIZE_MAX)?;
        Tokens::parse(&text).map_err(|error| HomeError::Document { path, error })
    }

    /// Replaces `tokens.toml`.
    ///
    /// # Errors
    /// [`HomeError::Io`]; [`HomeError::Unreadable`] where a moment can't be written.
    pub fn set_tokens(&self, tokens: &Tokens) -> Result<(), HomeError> {
        let path = self.tokens_file();
        let unreadable =
            |error: toml::ser::Error| HomeError::Unreadable { path: path.clone(), reason: error.to_string() };
        files::replace_private(&path, &tokens.to_text().map_err(unreadable)?)
    }

    fn policy_serial_file(&self) -> PathBuf {
        self.root.join("policy.serial")
    }

    /// Reads `secrets.toml`: name = "value". No file: no secrets.
    ///
    /// # Errors
    /// [`HomeError::Exposed`] where others than the owner may read it; [`HomeError::Document`] with file and line, and
    /// never with a value.
    pub fn secrets(&self) -> Result<BTreeMap<String, String>, HomeError> {
        let path = self.secrets_file();
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        files::check_private(&path)?;
        let text = files::read_text(&path, FILE_SIZE_MAX)?;
        parse_document(&text).map_err(|mut error| {
            error.message = "it is not of the form NAME = \"value\"".into();
            HomeError::Document { path, error }
        })
    }

    /// Opens the registry.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn registry(&self) -> Result<Registry, wasmill_registry::LayoutError> {
        Registry::open(&self.registry_folder())
    }
}
