//! A client of the gateway that costs little beside the host: one connection, HTTP/1.1, no pool.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    /// Connects.
    pub async fn connect(address: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(2048, stream), token: token.to_owned() })
    }

    fn head(&self, request: &str) -> String {
        format!("{request} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\n", self.token)
    }

    /// Posts JSON, and gives the answer.
    pub async fn post(&mut self, path: &str, body: &str) -> Result<Value> {
        let head = self.head(&format!("POST {path}"));
        let size = body.len();
        let request = format!("{head}Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let size = self.answer().await?.context("an answer without a length")?;
        let mut body = vec![0; size];
        self.stream.read_exact(&mut body).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Listens to events: the first one is there.
    pub async fn listen(mut self, path: &str) -> Result<Self> {
        let request = format!("{}\r\n", self.head(&format!("GET {path}")));
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        self.answer().await?;
        self.hear("open").await?;
        Ok(self)
    }

    /// Begins a request and leaves it so.
    pub async fn begin(mut self) -> Result<Self> {
        let half = self.head("GET /v1/status");
        self.stream.get_mut().write_all(half.as_bytes()).await?;
        Ok(self)
    }

    /// Waits for an event of this name.
    pub async fn hear(&mut self, name: &str) -> Result<()> {
        let wanted = format!("event: {name}");
        let mut line = String::new();
        while line.trim_end() != wanted {
            line.clear();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the host ended the connection");
        }
        Ok(())
    }

    /// Whether the host still holds the connection: all that came is taken first.
    pub fn is_open(&mut self) -> bool {
        let mut buffer = [0; 1024];
        loop {
            match self.stream.get_ref().try_read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Reads the head of an answer, which must be a good one, and gives the length of its body.
    async fn answer(&mut self) -> Result<Option<usize>> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        ensure!(line.starts_with("HTTP/1.1 200"), "the host answered: {line}");
        let mut size = None;
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the host ended the connection");
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                size = Some(text.trim().parse()?);
            }
            if line == "\r\n" {
                return Ok(size);
            }
        }
    }
}
