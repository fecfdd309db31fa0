//! JSON Schemas that somebody else wrote: bounded before they are compiled, and never asked where an answer would not come
//! soon.

mod cost;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use cost::LOOKS_MAX;
pub use cost::is_cheap;

/// Longest schema, bytes.
const SIZE_MAX: usize = 64 * 1024;
/// Most regular expressions in one schema.
const PATTERNS_MAX: usize = 32;
/// Memory of one that is compiled, bytes.
const PATTERN_BYTES_MAX: usize = 100_000;
/// Steps back of one that looks around, before what it is held against does not fit. Others take no such steps.
const PATTERN_STEPS_MAX: usize = 10_000;

/// A schema that values are held against.
#[derive(Debug)]
pub struct Schema {
    text: Value,
    size: Size,
    validator: Validator,
}

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// To hold it against the schema could take for ever.
    Costly,
    /// It doesn't fit.
    Wrong {
        /// Where in it, as a JSON pointer.
        at: String,
        /// In words, which repeat some of it.
        what: String,
    },
}

impl Schema {
    /// Compiles a schema of draft 2020-12.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > SIZE_MAX {
            return Err(format!("has over {SIZE_MAX} bytes"));
        }
        let text: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let size = Size::of(&text);
        if size.patterns > PATTERNS_MAX {
            return Err(format!("has over {PATTERNS_MAX} regular expressions"));
        }
        let patterns = PatternOptions::fancy_regex().backtrack_limit(PATTERN_STEPS_MAX).size_limit(PATTERN_BYTES_MAX);
        let options = jsonschema::options().with_draft(Draft::Draft202012).with_pattern_options(patterns);
        let validator = options.build(&text).map_err(|error| format!("is not a JSON Schema: {error}"))?;
        Ok(Self { text, size, validator })
    }

    /// Its JSON.
    pub fn text(&self) -> &Value {
        &self.text
    }

    /// Holds a value, which had so many bytes as JSON, against it.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn check(&self, value: &Value, bytes: usize) -> Result<(), Misfit> {
        if !self.is_cheap_for(value, bytes) {
            return Err(Misfit::Costly);
        }
        self.validator
            .validate(value)
            .map_err(|error| Misfit::Wrong { at: error.instance_path().to_string(), what: error.to_string() })
    }

    /// Without references each part of a schema looks once at each place of a value, so nothing needs to be counted then.
    fn is_cheap_for(&self, value: &Value, bytes: usize) -> bool {
        let looks = (self.size.parts as u64).saturating_mul(bytes as u64);
        (!self.size.has_references && looks <= LOOKS_MAX) || is_cheap(&self.text, value)
    }
}

/// What there is in a schema.
#[derive(Debug, Default)]
struct Size {
    parts: usize,
    patterns: usize,
    has_references: bool,
}

impl Size {
    fn of(schema: &Value) -> Self {
        let mut size = Self::default();
        size.add(schema);
        size
    }

    fn add(&mut self, value: &Value) {
        self.parts += 1;
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.add(value)),
            Value::Object(object) => {
                for (key, value) in object {
                    self.has_references |= key.ends_with("Ref") || key == "$ref";
                    self.patterns += match key.as_str() {
                        "pattern" => 1,
                        "patternProperties" => value.as_object().map_or(0, serde_json::Map::len),
                        _ => 0,
                    };
                    self.add(value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &Value, value: &Value) -> Result<(), Misfit> {
        Schema::parse(&schema.to_string()).unwrap().check(value, value.to_string().len())
    }

    #[test]
    fn what_would_take_for_ever_is_not_begun() {
        let mut doubled = serde_json::Map::new();
        for n in 0..40 {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            doubled.insert(format!("d{n}"), json!({ "allOf": [next, next] }));
        }
        doubled.insert("d40".into(), json!(true));
        let schema = json!({ "type": "object", "$ref": "#/$defs/d0", "$defs": doubled });
        assert_eq!(check(&schema, &json!({})), Err(Misfit::Costly));
        let all: Vec<_> = (0..2000).map(|n| json!({ "minLength": n })).collect();
        let wide = json!({ "items": { "allOf": all } });
        assert_eq!(check(&wide, &json!(vec!["x"; 5000])), Err(Misfit::Costly));
        assert!(matches!(check(&wide, &json!(["x"])), Err(Misfit::Wrong { .. })));
    }

    #[test]
    fn regular_expressions_are_few_small_and_quick() {
        let many = json!({ "allOf": vec![json!({ "pattern": "a" }); 33] }).to_string();
        assert!(Schema::parse(&many).unwrap_err().contains("over 32"));
        let large = json!({ "pattern": "\\p{L}{1000}" }).to_string();
        assert!(Schema::parse(&large).unwrap_err().contains("not a JSON Schema"));
        let back = json!({ "pattern": "^(?=(a+)+$)(a|b|ab)*c$" });
        assert!(check(&back, &json!("a".repeat(5000))).is_err());
        assert_eq!(check(&json!({ "pattern": "^(?=a)[a-z]+$" }), &json!("abc")), Ok(()));
    }

    #[test]
    fn a_misfit_says_where() {
        let schema = json!({ "properties": { "a": { "items": { "type": "number" } } } });
        let Err(Misfit::Wrong { at, what }) = check(&schema, &json!({ "a": [1, "x"] })) else { panic!("it fits") };
        assert_eq!((at.as_str(), what.contains("x")), ("/a/1", true));
    }
}
