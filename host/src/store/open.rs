//! Connecting: from an address to a store with current tables.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyConnection, ConnectOptions, Connection, Executor};

use super::error::StoreError;
use super::{Store, migrations};

/// How long to wait for a database to answer, at start and for a connection out of the pool.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// Connections. SQLite has one writer at a time, so more would only queue elsewhere.
const CONNECTIONS_MAX: u32 = 8;

/// Said to every new SQLite connection. FULL: an approval that was answered is on the disk, also after a power cut.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                               PRAGMA foreign_keys = ON;";

impl Store {
    /// Opens a SQLite file, and makes it where there is none. Its folder must exist.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_file(path: &Path) -> Result<Self, StoreError> {
        Self::open(&sqlite_url(path)?).await
    }

    /// Opens a database by its address, `sqlite://` or `postgres://`, and brings its tables to this version.
    ///
    /// # Errors
    /// [`StoreError::Url`] for an address that is none, [`StoreError::Unreachable`] where nobody answers within ten
    /// seconds, [`StoreError::Schema`] where the tables belong to a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let shown = without_password(url);
        let wrong = |reason: &str| StoreError::Url { url: shown.clone(), reason: reason.to_string() };
        let sqlite = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => true,
            Some("postgres" | "postgresql") => false,
            Some(other) => return Err(wrong(&format!("nothing here speaks `{other}`"))),
            None => return Err(wrong("it has no scheme")),
        };
        // A database that is to be made on first use is no special case for whoever writes the address.
        let create = if sqlite && !url.contains("mode=") {
            if url.contains('?') { "&mode=rwc" } else { "?mode=rwc" }
        } else {
            ""
        };
        let options =
            AnyConnectOptions::from_str(&format!("{url}{create}")).map_err(|error| wrong(&error.to_string()))?;
        let options = options.disable_statement_logging();

        // The pool would retry silently and then only say that it waited; one plain connection says why.
        let unreachable = |reason: String| StoreError::Unreachable { url: shown.clone(), reason };
        let first = async {
            let mut connection = AnyConnection::connect_with(&options).await?;
            if sqlite {
                connection.execute(SQLITE_SETTINGS).await?;
            }
            connection.close().await
        };
        match tokio::time::timeout(ANSWER_WAIT, first).await {
            Err(_) => return Err(unreachable(format!("no answer within {} s", ANSWER_WAIT.as_secs()))),
            Ok(Err(sqlx::Error::Configuration(error))) => return Err(wrong(&error.to_string())),
            Ok(Err(error)) => {
                return Err(match StoreError::from(error) {
                    damaged @ (StoreError::Damaged(_) | StoreError::DiskFull(_)) => damaged,
                    StoreError::Unreachable { reason, .. } | StoreError::Failed(reason) => unreachable(reason),
                    other => unreachable(other.to_string()),
                });
            }
            Ok(Ok(())) => {}
        }

        let pool = AnyPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(ANSWER_WAIT);
        let pool = pool.after_connect(move |connection, _| {
            Box::pin(async move {
                if sqlite {
                    connection.execute(SQLITE_SETTINGS).await?;
                }
                Ok(())
            })
        });
        let pool = pool.connect_lazy_with(options);
        migrations::run(&pool).await?;
        Ok(Self { pool })
    }

    /// Closes all connections; what is under way is finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The address of a file. Everything that could mean something in an address is written as `%XX`.
fn sqlite_url(path: &Path) -> Result<String, StoreError> {
    let Some(text) = path.to_str() else {
        let (url, reason) = (path.display().to_string(), "a path must be UTF-8".to_string());
        return Err(StoreError::Url { url, reason });
    };
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(url)
}

/// An address that may be shown: without password and without parameters, which can hold one too.
fn without_password(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    match rest.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split_once(':').map_or(user.to_string(), |(user, _)| format!("{user}:***"));
            format!("{scheme}://{user}@{place}")
        }
        None => url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        assert_eq!(without_password("postgres://u:p@h:5432/d?password=q"), "postgres://u:***@h:5432/d");
        assert_eq!(without_password("postgres://u:p@ss@h/d"), "postgres://u:***@h/d");
        assert_eq!(without_password("postgres://h/d"), "postgres://h/d");
        assert_eq!(without_password("sqlite:///a/b.db"), "sqlite:///a/b.db");
    }

    #[tokio::test]
    async fn a_path_may_hold_anything_that_a_folder_may_be_called() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("50% of #1? ü");
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("store.db");
        Store::open_file(&path).await.unwrap().close().await;
        assert!(path.exists());
    }

    #[tokio::test]
    async fn an_address_that_is_none_says_what_one_looks_like() {
        for url in ["", "store.db", "mysql://root@localhost/x", "postgres://[::1", "sqlite:///tmp/x.db?mode=sometimes"]
        {
            let error = Store::open(url).await.unwrap_err();
            assert_eq!(error.code(), "store.url", "{url}: {error}");
            assert!(error.to_string().contains("postgres://user:password@host/database"));
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_said_to_be_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        std::fs::write(&path, "no database, but long enough to be taken for one".repeat(100)).unwrap();
        let error = Store::open_file(&path).await.unwrap_err();
        assert_eq!(error.code(), "store.damaged", "{error}");
    }

    #[tokio::test]
    async fn a_folder_that_does_not_exist_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Store::open_file(&dir.path().join("missing/store.db")).await.unwrap_err();
        assert_eq!(error.code(), "store.unreachable");
        assert!(error.to_string().contains("missing/store.db"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named_without_its_password() {
        // Bound and dropped: nobody listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = Store::open(&format!("postgres://u:hush@127.0.0.1:{port}/db")).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(error.code(), "store.unreachable", "{text}");
        assert!(text.contains(&format!("127.0.0.1:{port}")) && !text.contains("hush"), "{text}");
        assert!(error.is_transient());
    }
}
