//! A local server that speaks the OpenAI protocol and replays recorded answers. There is no model behind it: it says
//! what the test has recorded for it, whatever it is asked.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What the server does with a question.
#[derive(Debug, Clone)]
pub enum Recorded {
    /// A chat completion with this content.
    Answer(String),
    /// This status with this body.
    Raw(u16, String),
    /// A body of so many bytes, without an end to its line.
    Flood(usize),
    /// Nothing, until the asker goes away.
    Silence,
}

/// A question as it came.
#[derive(Debug, Clone)]
pub struct Question {
    /// Path.
    pub path: String,
    /// The header `authorization`, where it was sent.
    pub authorization: Option<String>,
    /// The header `idempotency-key`, where it was sent.
    pub idempotency_key: Option<String>,
    /// The body.
    pub body: Value,
}

/// The server; its thread ends with the process.
#[derive(Debug)]
pub struct Replay {
    address: SocketAddr,
    next: Arc<Mutex<VecDeque<Recorded>>>,
    questions: Arc<Mutex<Vec<Question>>>,
}

impl Replay {
    /// A server that answers everything with `recorded`, until it is told otherwise.
    ///
    /// # Errors
    /// When the operating system has no port to give.
    pub fn start(recorded: Recorded) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let next = Arc::new(Mutex::new(VecDeque::from([recorded])));
        let questions = Arc::<Mutex<Vec<Question>>>::default();
        let server = Self { address: listener.local_addr()?, next: next.clone(), questions: questions.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (next, questions) = (next.clone(), questions.clone());
                // An asker that goes away in the middle is part of what is tested.
                thread::spawn(move || drop(answer(stream, &next, &questions)));
            }
        });
        Ok(server)
    }

    /// Base URL, with `/v1`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// From now on everything is answered with this.
    pub fn replay(&self, recorded: Recorded) {
        self.replay_in_turn([recorded]);
    }

    /// From now on the questions are answered with these in turn, and with the last ever after.
    pub fn replay_in_turn(&self, recorded: impl IntoIterator<Item = Recorded>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = recorded.into_iter().collect();
    }

    /// Everything that was asked so far.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut stream: TcpStream, next: &Mutex<VecDeque<Recorded>>, questions: &Mutex<Vec<Question>>) -> io::Result<()> {
    let question = read(&mut BufReader::new(&stream))?;
    let model = question.body["model"].clone();
    questions.lock().unwrap_or_else(PoisonError::into_inner).push(question);
    match turn(next) {
        Recorded::Answer(content) => {
            let choice = json!({ "index": 0, "message": { "role": "assistant", "content": content } });
            let usage = json!({ "prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21 });
            let body = json!({ "object": "chat.completion", "model": model, "choices": [choice], "usage": usage });
            respond(&mut stream, 200, body.to_string().as_bytes())
        }
        Recorded::Raw(status, body) => respond(&mut stream, status, body.as_bytes()),
        Recorded::Flood(size) => respond(&mut stream, 200, &vec![b'x'; size]),
        Recorded::Silence => {
            stream.set_read_timeout(Some(Duration::from_secs(300)))?;
            stream.read(&mut [0]).map(drop)
        }
    }
}

/// What is said now: the first that is left; nothing where nothing was recorded.
fn turn(next: &Mutex<VecDeque<Recorded>>) -> Recorded {
    let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
    let now = if next.len() > 1 { next.pop_front() } else { next.front().cloned() };
    now.unwrap_or(Recorded::Silence)
}

fn read(stream: &mut impl BufRead) -> io::Result<Question> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let (mut length, mut authorization, mut idempotency_key) = (0, None, None);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => authorization = Some(value.to_owned()),
            "idempotency-key" => idempotency_key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Ok(Question { path, authorization, idempotency_key, body })
}

fn respond(stream: &mut TcpStream, status: u16, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} Replayed\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n")?;
    write!(stream, "connection: close\r\n\r\n")?;
    stream.write_all(body)
}
