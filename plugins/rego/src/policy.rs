//! One policy: read, and asked.

use std::num::{NonZeroU32, NonZeroUsize};

use regorus::{Engine, PolicyLengthConfig, Value};

use crate::refusal::Refusal;

/// What the module is called where something is wrong with it.
const NAME: &str = "veto.rego";
/// Its package, which a mistyped one would silently not be.
const PACKAGE: &str = "data.wasmill";
/// The rule that is asked for.
const RULE: &str = "data.wasmill.deny";
/// Longest line, characters.
const LINE_MAX: NonZeroU32 = NonZeroU32::new(1024).unwrap();
/// Largest text, bytes.
const TEXT_MAX: NonZeroUsize = NonZeroUsize::new(64 * 1024).unwrap();
/// Most lines.
const LINES_MAX: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

pub struct Policy(Engine);

impl Policy {
    /// Reads the text of a policy.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut engine = Engine::new();
        engine.set_policy_length_config(PolicyLengthConfig {
            max_col: LINE_MAX,
            max_file_bytes: TEXT_MAX,
            max_lines: LINES_MAX,
        });
        // Else a rule with `regex.match` of a wrong pattern would deny nothing, and nobody would know.
        engine.set_strict_builtin_errors(true);
        let package = engine.add_policy(NAME.to_owned(), text.to_owned()).map_err(|error| Refusal::of(&error))?;
        if package != PACKAGE {
            return Err(Refusal::said(format!("its package is {package:?}; write `package wasmill`")));
        }
        Ok(Self(engine))
    }

    /// Why it denies what `input` is about, sorted; empty where it doesn't.
    pub fn denies(&mut self, input: Value) -> Result<Vec<String>, Refusal> {
        self.0.set_input(input);
        let answer = self.0.eval_rule(RULE.to_owned()).map_err(|error| Refusal::of_rule(&error))?;
        let Ok(reasons) = answer.as_set() else {
            return Err(Refusal::said("`deny` is no set of texts; write `deny contains \"why\" if { … }`".to_owned()));
        };
        let text = |reason: &Value| match reason.as_string() {
            Ok(text) => Ok(text.to_string()),
            Err(_) => Err(Refusal::said(format!("`deny` has {reason} in it, which is no text"))),
        };
        let mut reasons = reasons.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        reasons.sort();
        Ok(reasons)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(text: &str, input: &str) -> Result<Vec<String>, String> {
        let input = Value::from_json_str(input).unwrap();
        Policy::read(text).and_then(|mut policy| policy.denies(input)).map_err(|refusal| refusal.fault().message)
    }

    #[test]
    fn reasons_come_sorted_and_none_where_nothing_is_denied() {
        let text = "package wasmill\ndeny contains \"b\" if input.x > 1\ndeny contains \"a\" if input.x > 2\n";
        assert_eq!(asked(text, r#"{"x": 3}"#).unwrap(), ["a", "b"]);
        assert_eq!(asked(text, r#"{"x": 2}"#).unwrap(), ["b"]);
        assert!(asked(text, r#"{"x": 1}"#).unwrap().is_empty());
        assert!(asked(text, "{}").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_set_of_texts_is_no_answer() {
        for (text, says) in [
            ("package wasmill\ndeny := true\n", "no set of texts"),
            ("package wasmill\ndeny contains 7\n", "which is no text"),
            ("package wasmill\nallow := true\n", "no rule `deny`"),
            ("package wasmil\ndeny contains \"x\"\n", "write `package wasmill`"),
            ("package wasmill\ndeny contains \"x\" if {\n", ""),
            ("package wasmill\ndeny contains \"x\" if regex.match(\"[\", \"x\")\n", "regex"),
        ] {
            let error = asked(text, "{}").unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_outside_of_the_input_can_be_asked_for() {
        for call in [
            "http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1/\"})",
            "opa.runtime()",
            "time.now_ns()",
            "rand.intn(\"x\", 10)",
            "uuid.rfc4122(\"x\")",
            "net.lookup_ip_addr(\"localhost\")",
        ] {
            let text = format!("package wasmill\ndeny contains \"x\" if {{\n\tgot := {call}\n\tgot == 1\n}}\n");
            assert!(asked(&text, "{}").unwrap_err().contains("could not find function"), "{call}");
        }
    }

    #[test]
    fn a_rule_that_needs_itself_is_no_answer() {
        assert!(asked("package wasmill\ndeny contains \"x\" if count(deny) > 0\n", "{}").is_err());
    }

    #[test]
    fn a_mistake_has_its_place() {
        let Err(refusal) = Policy::read("package wasmill\n\ndeny contains if\n") else { panic!() };
        assert_eq!(refusal.fault().line, 3);
    }
}
