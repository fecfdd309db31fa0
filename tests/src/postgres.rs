//! A private PostgreSQL from the machine's own binaries: started for a test, gone with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{Gid, Uid, User, chown};
use tempfile::TempDir;

use crate::parts::{Missing, on_path, require};
use crate::server::{Launch, Server, free_port, until};

const PASSWORD: &str = "for-the-tests-only";

/// A running PostgreSQL with an empty database. Dropping it stops the server and removes its files,
/// also when the test panics.
#[derive(Debug)]
pub struct Postgres {
    // Fields are dropped in this order: the server ends before its folder goes.
    _server: Server,
    _folder: TempDir,
    port: u16,
    programs: PathBuf,
}

impl Postgres {
    /// A server of its own for this test, or `None` (said loudly) where the machine has no PostgreSQL.
    ///
    /// # Panics
    /// When PostgreSQL is there and does not start, with what it wrote; and with `CI=true` when it is not there.
    #[must_use]
    pub fn start() -> Option<Self> {
        let programs = require(programs())?;
        // Between choosing a free port and listening on it, another process may take it.
        let mut last = None;
        for _ in 0..3 {
            match Self::start_on_free_port(&programs) {
                Ok(running) => return Some(running),
                Err(error) => last = Some(error),
            }
        }
        panic!("PostgreSQL in {} does not start: {:?}", programs.display(), last);
    }

    /// The address of its first database, for sqlx and every other client.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// A new empty database with this name on the same server; gives its address.
    ///
    /// # Errors
    /// When the name is taken or PostgreSQL refuses it.
    pub fn create_database(&self, name: &str) -> Result<String> {
        let mut createdb = Command::new(self.programs.join("createdb"));
        createdb.args(["-h", "127.0.0.1", "-U", "postgres", "-p"]).arg(self.port.to_string());
        run(createdb.env("PGPASSWORD", PASSWORD).args(["--", name]))?;
        Ok(self.url_of(name))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    fn start_on_free_port(programs: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("wasmill-postgres-").tempdir()?;
        let user = server_user()?;
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        if let Some((uid, gid)) = user {
            for path in [folder.path(), &password] {
                chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
            }
        }
        initialise(&programs.join("initdb"), &data, &password, user)?;

        let port = free_port()?;
        let log = folder.path().join("log");
        let mut server = Server::start(&Launch {
            command: &command_line(&programs.join("postgres"), &data, port),
            env: &[],
            log: &log,
            // SIGINT is PostgreSQL's fast shutdown; on SIGTERM it would wait for its clients to leave.
            stop_signal: "INT",
            user,
        })?;
        let mut ready = Command::new(programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p"]).arg(port.to_string());
        let up = until(Duration::from_secs(60), || {
            !matches!(server.ended(), Ok(None)) || ready.status().is_ok_and(|status| status.success())
        });
        let alive = matches!(server.ended(), Ok(None));
        ensure!(up && alive, "it wrote:\n{}", fs::read_to_string(&log).unwrap_or_default());
        Ok(Self { _server: server, _folder: folder, port, programs: programs.to_owned() })
    }
}

/// The folder with PostgreSQL's programs: Debian keeps them off the path, the newest version wins.
fn programs() -> Result<PathBuf, Missing> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .collect();
    found.sort_unstable();
    let elsewhere = || on_path("initdb").and_then(|initdb| initdb.parent().map(Path::to_owned));
    found.pop().map(|(_, bin)| bin).or_else(elsewhere).ok_or_else(|| Missing {
        part: "PostgreSQL",
        reason: "neither /usr/lib/postgresql nor the path has `initdb`; run `cargo xtask setup`".to_owned(),
    })
}

/// PostgreSQL refuses to run as root, so root borrows the account that the package made, or else `nobody`.
fn server_user() -> Result<Option<(u32, u32)>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name)? {
            return Ok(Some((user.uid.as_raw(), user.gid.as_raw())));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody`")
}

fn initialise(initdb: &Path, data: &Path, password: &Path, user: Option<(u32, u32)>) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(initdb);
    command.arg("--pgdata").arg(data).arg("--pwfile").arg(password);
    // Password login as in earnest; no fsync, since the files are gone with the test.
    command.args(["--username=postgres", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"]);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    // initdb wants a current directory that its user may enter.
    run(command.current_dir("/"))
}

fn command_line(postgres: &Path, data: &Path, port: u16) -> Vec<String> {
    let settings = [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        "shared_buffers=32MB".to_owned(),
    ];
    let start = [postgres.display().to_string(), "-D".to_owned(), data.display().to_string()];
    start.into_iter().chain(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting])).collect()
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `psql` answers to one statement.
    fn ask(postgres: &Postgres, url: &str, statement: &str) -> String {
        let psql = postgres.programs.join("psql");
        let output = Command::new(psql).args([url, "-Atc", statement]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn a_server_answers_at_its_address_and_is_gone_when_dropped() {
        let Some(postgres) = Postgres::start() else { return };
        assert_eq!(ask(&postgres, &postgres.url(), "select 6 * 7"), "42");

        let second = postgres.create_database("second").unwrap();
        assert_eq!(ask(&postgres, &second, "select current_database()"), "second");

        let (port, folder) = (postgres.port, postgres._folder.path().to_owned());
        drop(postgres);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "something still listens on {port}");
        assert!(!folder.exists(), "its files are still in {}", folder.display());
    }

    #[test]
    fn a_login_with_a_wrong_password_is_refused() {
        let Some(postgres) = Postgres::start() else { return };
        let wrong = postgres.url().replace(PASSWORD, "guessed");
        let psql = Command::new(postgres.programs.join("psql")).args([&wrong, "-c", "select 1"]).output().unwrap();
        assert!(!psql.status.success());
    }
}
