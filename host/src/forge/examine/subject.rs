//! What is tried, and who brings it up. The runtime behind it is that in which the finished tool runs.

use async_trait::async_trait;
use wasmill_registry::{Digest, Manifest};

use super::super::bench::EngineFacts;
use super::super::diagnostics::Diagnostic;
use super::super::outcome::Problem;
use super::super::request::Language;
use crate::permissions::{Grant, GrantLimits};

/// A component that was built and inspected, and is not installed yet.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The component.
    pub component: Vec<u8>,
    /// SHA-256 of it.
    pub digest: Digest,
    /// The manifest that it would get.
    pub manifest: Manifest,
    /// What its maker holds.
    pub maker: Grant,
}

/// What is wrong with a source that an engine has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Code, sentence and what to do next.
    pub problem: Problem,
    /// The same with its place in the source.
    pub diagnostic: Diagnostic,
}

/// Runs candidates.
#[async_trait]
pub trait Examiner: Send + Sync {
    /// The newest engine that runs sources of a language; none where none may run here.
    fn engine(&self, language: Language) -> Option<EngineFacts>;

    /// Has an engine read and evaluate a source, in an instance that may do nothing, for `tool` of the maker who holds
    /// `maker`.
    ///
    /// # Errors
    /// The first thing that makes it no tool.
    async fn look(&self, engine: &EngineFacts, tool: &str, source: &str, maker: &Grant) -> Result<(), Fault>;

    /// Loads a candidate and has it describe itself.
    ///
    /// # Errors
    /// Where it can't be loaded or described, or a description is not what the contract says.
    async fn bring_up(&self, candidate: &Candidate) -> Result<Box<dyn Subject>, Problem>;
}

/// What a function says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Name.
    pub name: String,
    /// JSON Schema of its arguments, as text.
    pub input_schema: String,
    /// JSON Schema of its answer, as text.
    pub output_schema: String,
}

/// How far a call may reach beyond its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As far as the finished tool before any approval; only other tools are refused.
    Granted,
    /// Nowhere: every capability that leads out is refused, and nobody hears of it.
    Nowhere,
}

/// A candidate that can be called.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Its functions.
    fn functions(&self) -> Vec<Described>;

    /// The limits that its calls have, which are those of the finished tool.
    fn limits(&self) -> &GrantLimits;

    /// Makes one call in a fresh instance.
    async fn call(&self, function: &str, arguments: &str, reach: Reach) -> Answer;
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result as JSON text, or why there is none.
    pub result: Result<String, Unanswered>,
    /// How long the call took, microseconds.
    pub micros: u64,
    /// CPU time of it, microseconds.
    pub cpu_micros: u64,
    /// Most linear memory that the instance had, bytes.
    pub memory_bytes: u64,
}

/// Why a call has no result, each with a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// The tool says so itself.
    Said(String),
    /// It did not get to answer: a trap, a limit, something that is no answer.
    Ended(String),
    /// This host could not call it now.
    Unavailable(String),
}

impl Unanswered {
    /// The sentence.
    pub fn message(&self) -> &str {
        let (Self::Said(message) | Self::Ended(message) | Self::Unavailable(message)) = self;
        message
    }
}
