//! Why a policy can't be asked, or gave no answer.

use wasmill_sdk::Error;
use wasmill_sdk::engine::Fault;

/// What regorus says of a rule that nobody has written.
const NO_RULE: &str = "not a valid rule path";
/// What stands before line and column in regorus' errors.
const ARROW: &str = "--> ";

/// Why, in one sentence, and where.
pub struct Refusal {
    message: String,
    /// Line and column in the policy, from 1.
    place: Option<(u32, u32)>,
}

impl Refusal {
    /// Without a place.
    pub fn said(message: String) -> Self {
        Self { message, place: None }
    }

    /// Regorus' own words: several lines with a picture of the place, of which the last says what is wrong.
    pub fn of(error: &impl ToString) -> Self {
        let text = error.to_string();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        let place = text.lines().find_map(|line| place(line.trim().strip_prefix(ARROW)?));
        Self { message: last.strip_prefix("error: ").unwrap_or(last).to_owned(), place }
    }

    /// The same where the rule was asked for.
    pub fn of_rule(error: &impl ToString) -> Self {
        let refusal = Self::of(error);
        if refusal.message == NO_RULE {
            return Self::said("it has no rule `deny`; write `deny contains \"why\" if { … }`".to_owned());
        }
        refusal
    }

    /// As something wrong with the source.
    pub fn fault(self) -> Fault {
        let (line, column) = self.place.unwrap_or_default();
        Fault { message: self.message, line, column }
    }

    /// As the end of a call.
    pub fn error(self) -> Error {
        let Self { message, place } = self;
        let message = match place {
            Some((line, column)) => format!("{message} (line {line}, column {column})"),
            None => message,
        };
        Error::failed("rego.policy", message)
    }
}

/// `FILE:LINE:COLUMN`.
fn place(text: &str) -> Option<(u32, u32)> {
    let (before, column) = text.rsplit_once(':')?;
    let (_, line) = before.rsplit_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
