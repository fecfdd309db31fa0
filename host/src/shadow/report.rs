//! What a shadow run showed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasmill_registry::Kind;

use crate::capabilities::AskedOutside;
use crate::problem::Problem;

/// Most calls or records of one shadow run.
pub const LAST_MAX: u32 = 1000;
/// Most differences that are shown; the others are counted.
const SHOWN_MAX: usize = 100;
/// Most bytes of an output that are shown; all of it is compared.
const OUTPUT_SHOWN_MAX: usize = 4 * 1024;

/// What a shadow run showed.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ShadowReport {
    /// The version in question, `name@version`.
    pub component: String,
    /// The version that it was compared with, `name@version`.
    pub current: String,
    /// Tool or agent.
    pub kind: Kind,
    /// What both were given.
    pub given: Given,
    /// How often they did the same.
    pub same: u32,
    /// How often they did not.
    pub different: u32,
    /// Why not all was given that there was; none where all was.
    pub cut: Option<String>,
    /// Time of all that was given, for each of the two.
    pub micros: Micros,
    /// What came out differently, in order; the first hundred.
    pub differences: Vec<Compared>,
}

/// What the two versions were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Given {
    /// The last calls that journals of runs have kept.
    Calls,
    /// Examples that came with the tool.
    Examples,
    /// The last records of the topics that both read, one at a time; state began empty.
    Records,
}

/// Time, microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Micros {
    /// Of the current version.
    pub current: u64,
    /// Of the one in question.
    pub candidate: u64,
}

/// One thing that was given, and what the two made of it.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Compared {
    /// The call or the record, for people.
    pub given: String,
    /// What the current version did.
    pub current: Side,
    /// What the one in question did.
    pub candidate: Side,
}

/// What one version did.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// The answer of a tool as `{"answer"}`, the records that an agent would send as `{"records"}`, or `{"error"}` with its
    /// code and message. What is longer than 4 KiB is shown as `{"begins"}`.
    pub output: Value,
    /// What it asked of the outside.
    pub asked: Vec<AskedOutside>,
    /// How long it took, microseconds.
    pub micros: u64,
}

impl ShadowReport {
    /// Nothing was given yet.
    pub(super) fn new(kind: Kind, component: &str, current: &str, given: Given) -> Self {
        Self {
            component: component.to_owned(),
            current: current.to_owned(),
            kind,
            given,
            same: 0,
            different: 0,
            cut: None,
            micros: Micros::default(),
            differences: Vec::new(),
        }
    }

    /// Takes what the two made of one thing.
    pub(super) fn add(&mut self, given: impl FnOnce() -> String, current: Side, candidate: Side) {
        self.micros.current += current.micros;
        self.micros.candidate += candidate.micros;
        if current.output == candidate.output && current.asked == candidate.asked {
            self.same += 1;
            return;
        }
        self.different += 1;
        if self.differences.len() < SHOWN_MAX {
            let (current, candidate) = (current.shown(), candidate.shown());
            self.differences.push(Compared { given: given(), current, candidate });
        }
    }
}

impl Side {
    /// Of a version that failed.
    pub(super) fn failed(problem: &Problem, asked: Vec<AskedOutside>, micros: u64) -> Self {
        let output = json!({ "error": { "code": problem.code, "message": problem.message } });
        Self { output, asked, micros }
    }

    fn shown(self) -> Self {
        let text = self.output.to_string();
        if text.len() <= OUTPUT_SHOWN_MAX {
            return self;
        }
        let begins = &text[..text.floor_char_boundary(OUTPUT_SHOWN_MAX)];
        Self { output: json!({ "begins": begins }), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::Came;

    fn side(output: &str, asked: &[Came]) -> Side {
        let asked = asked.iter().map(|came| AskedOutside { what: "x".into(), came: *came }).collect();
        Side { output: output.into(), asked, micros: 3 }
    }

    #[test]
    fn what_comes_out_and_what_is_asked_makes_a_difference_and_time_does_not() {
        let mut report = ShadowReport::new(Kind::Tool, "a@2.0.0", "a@1.0.0", Given::Calls);
        report.add(|| unreachable!(), side("1", &[Came::Refused]), Side { micros: 9, ..side("1", &[Came::Refused]) });
        report.add(|| "output".into(), side("1", &[]), side("2", &[]));
        report.add(|| "denied".into(), side("1", &[Came::Refused]), side("1", &[Came::Denied]));
        assert_eq!((report.same, report.different), (1, 2));
        let given: Vec<&str> = report.differences.iter().map(|compared| compared.given.as_str()).collect();
        assert_eq!(given, ["output", "denied"]);
        assert_eq!((report.micros.current, report.micros.candidate), (9, 15));
    }

    #[test]
    fn long_outputs_and_many_differences_are_compared_whole_and_shown_in_part() {
        let mut report = ShadowReport::new(Kind::Tool, "a@2.0.0", "a@1.0.0", Given::Calls);
        let long = "ä".repeat(OUTPUT_SHOWN_MAX);
        for _ in 0..=SHOWN_MAX {
            report.add(String::new, side(&format!("{long}1"), &[]), side(&format!("{long}2"), &[]));
        }
        assert_eq!((report.different, report.differences.len()), (101, SHOWN_MAX));
        let shown = report.differences[0].candidate.output["begins"].as_str().unwrap();
        assert!(shown.len() <= OUTPUT_SHOWN_MAX && shown.contains('ä'), "{}", shown.len());
    }
}
