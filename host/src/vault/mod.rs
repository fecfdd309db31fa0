//! Credentials that were entered at a running host: encrypted in the database, with a key that lies in the home beside it.
//!
//! Hosts on one database that have the same key file see the same credentials. What comes in here never goes out again:
//! neither to whoever entered it, nor into a log, a row or an error. `secrets.toml` of the home wins: its owner wrote it.

mod error;
mod key;
mod seal;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use crate::capabilities::Secrets;
use crate::store::{SecretRow, Store};

pub use error::VaultError;
use key::KeyFile;
use seal::{open, seal};

/// How often is looked whether another host has changed something.
const LOOK: Duration = Duration::from_secs(1);
/// Most credentials of a database.
const SECRETS_MAX: usize = 1_000;
/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// What is known of a credential; never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecretState {
    /// Name.
    pub name: String,
    /// Where it is from.
    #[serde(flatten)]
    pub origin: Origin,
}

/// Where a credential is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "origin", rename_all = "lowercase")]
pub enum Origin {
    /// From `secrets.toml` of the home.
    File,
    /// It was entered.
    Entered {
        /// By whom, as a principal.
        changed_by: String,
        /// When, milliseconds since 1970.
        changed_ms: i64,
        /// False where this host's key does not open it.
        is_usable: bool,
    },
}

/// Keeps credentials for one host.
pub struct Vault {
    store: Store,
    key: KeyFile,
    secrets: Secrets,
    /// The rows that were taken over last. Held while they are changed, so that an older reading never comes last.
    seen: Mutex<Vec<SecretRow>>,
}

impl Vault {
    /// Keeps them in a database, encrypted with the key in a file, and gives them to whoever uses `secrets`.
    pub fn new(store: Store, key: PathBuf, secrets: Secrets) -> Self {
        Self { store, key: KeyFile::new(key), secrets, seen: Mutex::default() }
    }

    /// Follows the database until `stop` becomes true.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut complaint = String::new();
        loop {
            let said = self.sync().await.err().map(|error| error.to_string()).unwrap_or_default();
            if !said.is_empty() && said != complaint {
                tracing::warn!("entered credentials are not followed now: {said}");
            }
            complaint = said;
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Takes over what the database has.
    ///
    /// # Errors
    /// Where the database or the key file can't be read: what was known before counts on then. That the key opens some of
    /// it only is [`VaultError::OtherKey`]; the rest counts.
    pub async fn sync(&self) -> Result<(), VaultError> {
        self.take_over(&mut *self.seen.lock().await).await
    }

    async fn take_over(&self, seen: &mut Vec<SecretRow>) -> Result<(), VaultError> {
        let rows = self.store.secrets().await?;
        let entered = if rows.is_empty() { BTreeMap::new() } else { self.opened(&rows)? };
        let closed = rows.iter().find(|row| !entered.contains_key(&row.name)).map(|row| row.name.clone());
        self.secrets.enter(entered);
        *seen = rows;
        closed.map_or(Ok(()), |name| Err(VaultError::OtherKey(name)))
    }

    fn opened(&self, rows: &[SecretRow]) -> Result<BTreeMap<String, String>, VaultError> {
        let key = self.key.read()?;
        let open = |row: &SecretRow| Some((row.name.clone(), open(key.as_ref()?, &row.name, &row.sealed)?));
        Ok(rows.iter().filter_map(open).collect())
    }

    /// All that are known, by name.
    ///
    /// # Errors
    /// As [`Vault::sync`].
    pub async fn list(&self) -> Result<Vec<SecretState>, VaultError> {
        let mut seen = self.seen.lock().await;
        match self.take_over(&mut seen).await {
            Ok(()) | Err(VaultError::OtherKey(_)) => {}
            Err(error) => return Err(error),
        }
        let file = self.secrets.names_of_file().map(|name| (name.to_owned(), Origin::File));
        let entered = seen.iter().map(|row| {
            let (changed_by, changed_ms) = (row.changed_by.clone(), row.changed_ms);
            let is_usable = self.secrets.get(&row.name).is_some();
            (row.name.clone(), Origin::Entered { changed_by, changed_ms, is_usable })
        });
        // Those of the file come last, and win.
        let all: BTreeMap<String, Origin> = entered.chain(file).collect();
        Ok(all.into_iter().map(|(name, origin)| SecretState { name, origin }).collect())
    }

    /// Sets one, for every host that has the key. It counts at once here.
    ///
    /// # Errors
    /// What is wrong with it, without its value; [`VaultError::OtherKey`] where hosts have other keys.
    pub async fn set(&self, name: &str, value: &str, by: &str) -> Result<(), VaultError> {
        check_name(name)?;
        let value = value.trim_end_matches(['\r', '\n']);
        check_value(value)?;
        if self.secrets.names_of_file().any(|known| known == name) {
            return Err(VaultError::OfFile(name.to_owned()));
        }
        let mut seen = self.seen.lock().await;
        self.take_over(&mut seen).await?;
        if seen.len() >= SECRETS_MAX && seen.iter().all(|row| row.name != name) {
            return Err(VaultError::TooMany(SECRETS_MAX));
        }
        // A second key beside that of the others would split what all hosts share.
        let key = match self.key.read()? {
            Some(key) => key,
            None => self.key.make()?,
        };
        self.store.set_secret(name, &seal(&key, name, value)?, by).await?;
        self.take_over(&mut seen).await
    }

    /// Removes one, on every host. False where there was none.
    ///
    /// # Errors
    /// As [`Vault::sync`]; [`VaultError::Name`], [`VaultError::OfFile`].
    pub async fn remove(&self, name: &str) -> Result<bool, VaultError> {
        check_name(name)?;
        if self.secrets.names_of_file().any(|known| known == name) {
            return Err(VaultError::OfFile(name.to_owned()));
        }
        let mut seen = self.seen.lock().await;
        let removed = self.store.remove_secret(name).await?;
        match self.take_over(&mut seen).await {
            // Others that this host can't open are no reason to keep this one.
            Ok(()) | Err(VaultError::OtherKey(_)) => Ok(removed),
            Err(error) => Err(error),
        }
    }
}

fn check_name(name: &str) -> Result<(), VaultError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let is_name = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(fits);
    if is_name { Ok(()) } else { Err(VaultError::Name(NAME_CHARS_MAX)) }
}

/// What goes into a header: one line, visible characters.
fn check_value(value: &str) -> Result<(), VaultError> {
    let is_value = !value.is_empty() && value.len() <= VALUE_BYTES_MAX && !value.chars().any(char::is_control);
    if is_value { Ok(()) } else { Err(VaultError::Value(VALUE_BYTES_MAX)) }
}

#[cfg(test)]
mod tests;
