//! Expected against got.

use serde_json::Value;

use super::case::Expected;
use crate::problem::{Problem, ProblemKind};

/// True where two JSON values say the same: `1` and `1.0` are one number.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// True where a problem is the expected one.
pub(super) fn is_expected(expected: &Expected, row: Option<u32>, problem: &Problem) -> bool {
    expected.row.is_none_or(|wanted| row == Some(wanted))
        && expected.case.as_deref().is_none_or(|case| case == case_of(problem.kind))
        && expected.code.as_deref().is_none_or(|code| code == own_code(&problem.code))
}

/// An expected error, as values to show.
pub(super) fn expected_value(expected: &Expected) -> Value {
    let part = |name: &str, value: Option<Value>| value.map(|value| (name.to_owned(), value));
    let parts = [
        part("row", expected.row.map(Value::from)),
        part("case", expected.case.clone().map(Value::from)),
        part("code", expected.code.clone().map(Value::from)),
    ];
    Value::Object(parts.into_iter().flatten().collect())
}

/// A problem, as values to show.
pub(super) fn problem_value(row: Option<u32>, problem: &Problem) -> Value {
    let mut value = serde_json::json!({
        "case": case_of(problem.kind), "code": own_code(&problem.code), "message": problem.message,
    });
    if let Some(row) = row {
        value["row"] = row.into();
    }
    value
}

/// A tool's own code, without what the host puts in front so that nobody takes it for its own.
fn own_code(code: &str) -> &str {
    code.strip_prefix("tool.said.").unwrap_or(code)
}

fn case_of(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::Denied => "denied",
        ProblemKind::Invalid => "invalid",
        ProblemKind::NotFound => "not-found",
        ProblemKind::Limit => "limit",
        ProblemKind::Unavailable => "unavailable",
        ProblemKind::Conflict | ProblemKind::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_what_they_say_wherever_they_are() {
        assert!(same(&json!({ "a": [1, 2.0] }), &json!({ "a": [1.0, 2] })));
        for other in [json!({ "a": [1] }), json!({ "a": [1, 2], "b": 1 }), json!({ "a": ["1", 2] })] {
            assert!(!same(&json!({ "a": [1, 2] }), &other), "{other}");
        }
    }

    #[test]
    fn what_is_left_out_of_an_expected_error_does_not_matter() {
        let problem = Problem::new(ProblemKind::Invalid, "tool.said.x.y", "no", "");
        let expected = |case: Option<&str>, code: Option<&str>| Expected {
            row: None,
            case: case.map(Into::into),
            code: code.map(Into::into),
        };
        for (case, code, is) in [
            (None, None, true),
            (Some("invalid"), Some("x.y"), true),
            (Some("failed"), None, false),
            (None, Some("x"), false),
        ] {
            assert_eq!(is_expected(&expected(case, code), Some(3), &problem), is, "{case:?} {code:?}");
        }
        let row = |row| Expected { row: Some(row), ..Expected::default() };
        assert!(is_expected(&row(3), Some(3), &problem) && !is_expected(&row(2), Some(3), &problem));
    }
}
