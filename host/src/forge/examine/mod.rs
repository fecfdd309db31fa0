//! The fourth stage: a candidate tried in the ordinary runtime, by its maker's examples and by random inputs, and what
//! its calls took.

mod compare;
mod measure;
mod random;
mod shown;
mod subject;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::diagnostics::Diagnostic;
use super::outcome::{Problem, ProblemKind};
use super::request::Example;

pub use measure::{Measured, Proposal};
pub use random::{RandomFindings, RandomPlan};
pub use subject::{Answer, Candidate, Described, Examiner, Fault, Reach, Subject, Unanswered};

use compare::compare;
use measure::Meter;

/// Time that all examples of one request may take together.
const EXAMPLES_DEADLINE: Duration = Duration::from_secs(30);

/// Why a candidate is no tool: in one sentence, and one by one.
pub type Misfit = (Problem, Vec<Diagnostic>);

/// What the try-out comes to. Part of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Number of examples, all of which were answered as expected.
    pub examples: usize,
    /// How many of them named the answer, and not only that there is one.
    pub compared: usize,
    /// Random inputs; none where there were none to be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomFindings>,
    /// The most that calls took; none where there was no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Limits that would do by what was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Proposal>,
}

/// Tries a candidate.
///
/// # Errors
/// With one diagnostic for each example that was answered otherwise than expected, or for the random input that it can't
/// bear.
pub async fn examine(
    subject: &dyn Subject,
    examples: &[Example],
    plan: Option<&RandomPlan>,
) -> Result<Findings, Misfit> {
    let mut meter = Meter::default();
    let answers = answers(subject, examples, &mut meter).await?;
    let compared = compare(examples, &answers)?;
    let random = match plan {
        Some(plan) => Some(random::try_out(subject, plan, &mut meter).await?),
        None => None,
    };
    let measured = meter.measured();
    let proposed = measured.as_ref().map(|measured| Proposal::of(measured, subject.limits()));
    Ok(Findings { examples: examples.len(), compared, random, measured, proposed })
}

/// What is answered to the examples, in order.
async fn answers(subject: &dyn Subject, examples: &[Example], meter: &mut Meter) -> Result<Vec<Answer>, Misfit> {
    let began = Instant::now();
    let mut answers = Vec::with_capacity(examples.len());
    for example in examples {
        if began.elapsed() > EXAMPLES_DEADLINE {
            let message = format!("the examples take over {} s together", EXAMPLES_DEADLINE.as_secs());
            let next = "Give fewer or smaller ones.";
            return Err((Problem::new(ProblemKind::Limit, "forge.examples", message, next), Vec::new()));
        }
        let answer = subject.call(&example.function, &example.arguments, Reach::Granted).await;
        meter.add(&answer);
        answers.push(answer);
    }
    Ok(answers)
}

/// How much of a text goes into a message, characters.
const TEXT_CHARS_MAX: usize = 600;

/// The beginning of a text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
