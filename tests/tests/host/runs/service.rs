//! A web service that writes down what it was asked, and answers when and how a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

/// A request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub key: Option<String>,
}

/// The service. `/gate/NAME` answers once the gate is open; `/flaky/NAME` answers 503 as often as it was told to. Each answer
/// is the request's number.
#[derive(Clone)]
pub struct Service {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<Seen>>,
    open: Mutex<BTreeSet<String>>,
    opened: Condvar,
    failures: Mutex<BTreeMap<String, u32>>,
}

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner::default());
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inner = shared.clone();
                // Whoever has gone away gets no answer.
                std::thread::spawn(move || inner.serve(stream).ok());
            }
        });
        Self { address, inner }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Opens a gate for all who wait and will come.
    pub fn open(&self, gate: &str) {
        self.inner.open.lock().unwrap().insert(format!("/gate/{gate}"));
        self.inner.opened.notify_all();
    }

    pub fn fail(&self, name: &str, times: u32) {
        self.inner.failures.lock().unwrap().insert(format!("/flaky/{name}"), times);
    }

    pub fn all(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// The keys of the requests for a path, in order.
    pub fn keys(&self, path: &str) -> Vec<String> {
        let key = |seen: Seen| seen.key.unwrap_or_else(|| panic!("{path} was asked for without a key"));
        self.all().into_iter().filter(|seen| seen.path == path).map(key).collect()
    }

    pub fn times(&self, path: &str) -> usize {
        self.all().iter().filter(|seen| seen.path == path).count()
    }

    /// Waits until a path was asked for so often.
    pub fn wait(&self, path: &str, times: usize) {
        let came = until(PATIENCE, || self.times(path) >= times);
        assert!(came, "{path} was asked for {} times, not {times}", self.times(path));
    }
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let field = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
            line.map(|line| line[name.len() + 1..].trim().to_owned())
        };
        let size = field("content-length").map_or(0, |size| size.parse().unwrap());
        stream.read_exact(&mut vec![0; size])?;
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.push(Seen { path: path.clone(), key: field("idempotency-key") });
            seen.len()
        };
        if path.starts_with("/gate/") {
            let open = self.open.lock().unwrap();
            let _open = self.opened.wait_timeout_while(open, PATIENCE, |open| !open.contains(&path)).unwrap();
        }
        let status = match self.failures.lock().unwrap().get_mut(&path) {
            Some(left) if *left > 0 => {
                *left -= 1;
                "503 Service Unavailable"
            }
            _ => "200 OK",
        };
        let body = number.to_string();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes())
    }
}
