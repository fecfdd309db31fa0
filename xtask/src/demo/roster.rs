//! A small HTTP server on this machine, for a tool that wants to reach one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// What it says, whatever it is asked.
const ANSWER: &str = "Ada, until Monday";
/// Bytes of a request that are read before it is answered.
const REQUEST_MAX: usize = 8 * 1024;

/// A server until this process ends.
#[derive(Debug)]
pub struct Roster {
    /// `127.0.0.1:port`.
    pub host: String,
}

impl Roster {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen on 127.0.0.1")?;
        let host = listener.local_addr()?.to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who hangs up gets no answer; the next one does.
                let _ = answer(stream);
            }
        });
        Ok(Self { host })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.host)
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") && request.len() < REQUEST_MAX {
        match stream.read(&mut part)? {
            0 => break,
            read => request.extend_from_slice(&part[..read]),
        }
    }
    let length = ANSWER.len();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n")?;
    write!(stream, "connection: close\r\n\r\n{ANSWER}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roster_answers_more_than_once() {
        let roster = Roster::start().unwrap();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(&roster.host).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            assert!(said.starts_with("HTTP/1.1 200") && said.ends_with(ANSWER), "{said}");
        }
    }
}
