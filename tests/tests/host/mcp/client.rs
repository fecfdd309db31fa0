//! The official client as a process, a step at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const SCRIPT: &str = include_str!("client.py");

/// A client that is connected.
pub struct Talk {
    process: Child,
    steps: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Talk {
    pub fn start(python: &Path, mode: &str, to: &Value) -> Self {
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, mode, &to.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (steps, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, steps, answers }
    }

    /// What a step came to.
    #[track_caller]
    pub fn step(&mut self, step: Value) -> Value {
        let answer = self.answer(&step);
        assert!(answer.get("ok").is_some(), "{step}: {answer}");
        answer["ok"].clone()
    }

    /// How a step failed, by an error of the protocol.
    #[track_caller]
    pub fn fails(&mut self, step: Value) -> String {
        let answer = self.answer(&step);
        answer["failed"].as_str().unwrap_or_else(|| panic!("{step}: {answer}")).to_owned()
    }

    fn answer(&mut self, step: &Value) -> Value {
        writeln!(self.steps.as_mut().unwrap(), "{step}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the client ended at {step}");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        // The end of its input is the client's sign to go.
        drop(self.steps.take());
        let ended = self.process.wait();
        assert!(std::thread::panicking() || ended.is_ok_and(|status| status.success()), "the client failed at its end");
    }
}
