//! Web servers: an ordinary one for files, and one that answers as a test says, which no ordinary one does.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::parts::{self, require};
use crate::server::{Launch, Server, free_port, until};

/// Python's own web server, which gives the files of a folder to this machine. Dropping it stops it.
#[derive(Debug)]
pub struct Files {
    _server: Server,
    _log: tempfile::TempDir,
    port: u16,
}

impl Files {
    /// Serves a folder, or `None` (said loudly) where the machine has no Python.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test without its server has nothing to say")]
    pub fn serve(folder: &Path) -> Option<Self> {
        let python = require(parts::python())?;
        let log = tempfile::tempdir().expect("a scratch folder");
        for _ in 0..3 {
            let port = free_port().expect("a free port");
            let command = [
                &python.display().to_string(),
                "-m",
                "http.server",
                "--bind",
                "127.0.0.1",
                "--directory",
                &folder.display().to_string(),
                &port.to_string(),
            ];
            let command = command.map(str::to_owned);
            let file = log.path().join("log");
            let launch = Launch { command: &command, env: &[], log: &file, stop_signal: "TERM", user: None };
            let mut server = Server::start(&launch).expect("the server starts");
            let up = until(Duration::from_secs(60), || {
                !matches!(server.ended(), Ok(None)) || TcpStream::connect(("127.0.0.1", port)).is_ok()
            });
            if up && matches!(server.ended(), Ok(None)) {
                return Some(Self { _server: server, _log: log, port });
            }
        }
        panic!("Python's web server does not start");
    }

    /// The address of the folder.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}

/// Answers each request as `answer` writes it: it is given the first line, `GET /path HTTP/1.1`, and the connection, and
/// says no more than what it writes. Gives the port; listens until the test's process ends.
///
/// # Panics
/// When there is no port.
#[must_use]
#[allow(clippy::expect_used, reason = "a test without its server has nothing to say")]
pub fn answering(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let Ok(mut writing) = connection.try_clone() else { return };
                let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.find(String::is_empty);
                answer(&first, &mut writing);
                // Whoever asked may be gone by now.
                let _ = writing.flush();
                let _ = writing.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}
