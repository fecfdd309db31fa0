use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::json;
use wasmill_registry::Digest;

use super::super::examine;
use super::super::subject::Answer;
use super::*;
use crate::permissions::{Grant, GrantLimits, Matrix, Principal};

/// A function of this program, called as a tool is.
struct Function<F> {
    grant: Grant,
    schemas: (Value, Value),
    answers: F,
    calls: Mutex<Vec<(Value, Reach)>>,
}

impl<F: Fn(&Value) -> Result<Value, Unanswered> + Send + Sync> Function<F> {
    fn new(input: Value, output: Value, answers: F) -> Self {
        let grant = Matrix::parse("").unwrap().grant(&Principal::tool("a"), None, None, None);
        Self { grant, schemas: (input, output), answers, calls: Mutex::default() }
    }

    async fn tried(&self, inputs: u32) -> Result<RandomFindings, Value> {
        let seed = Seed::of(&Digest::of(b"a"));
        let plan = RandomPlan { inputs, time: Duration::from_secs(30), seed };
        let findings = examine(self, &[], Some(&plan)).await.map_err(|(problem, diagnostics)| {
            assert_eq!((problem.code.as_str(), diagnostics.len()), ("forge.random", 1));
            serde_json::from_str::<Value>(&diagnostics[0].rendered).unwrap()
        })?;
        Ok(findings.random.unwrap())
    }
}

#[async_trait]
impl<F: Fn(&Value) -> Result<Value, Unanswered> + Send + Sync> Subject for Function<F> {
    fn functions(&self) -> Vec<Described> {
        let (input, output) = &self.schemas;
        vec![Described { name: "f".into(), input_schema: input.to_string(), output_schema: output.to_string() }]
    }

    fn limits(&self) -> &GrantLimits {
        self.grant.limits()
    }

    async fn call(&self, _: &str, arguments: &str, reach: Reach) -> Answer {
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let result = (self.answers)(&arguments).map(|answer| answer.to_string());
        self.calls.lock().unwrap().push((arguments, reach));
        Answer { result, micros: 1, cpu_micros: 1, memory_bytes: 1 }
    }
}

fn numbers() -> Value {
    json!({ "type": "object", "properties": { "n": { "type": "integer", "minimum": 0, "maximum": 500 },
            "text": { "type": "string" } }, "required": ["n"], "additionalProperties": false })
}

#[tokio::test]
async fn what_bears_all_inputs_is_called_as_often_as_planned_and_reaches_nothing() {
    let honest = Function::new(numbers(), json!({ "type": "integer" }), |input| Ok(input["n"].clone()));
    let found = honest.tried(20).await.unwrap();
    assert_eq!((found.calls, found.errors, found.untried.len()), (20, 0, 0));
    let calls = honest.calls.lock().unwrap();
    assert!(calls.iter().all(|(_, reach)| *reach == Reach::Nowhere));
    let validator = jsonschema::draft202012::new(&numbers()).unwrap();
    assert!(calls.iter().all(|(input, _)| validator.is_valid(input)));
}

#[tokio::test]
async fn an_input_that_ends_badly_is_made_small_and_handed_to_the_maker() {
    let traps = |input: &Value| match input["n"].as_u64() {
        Some(n) if n > 100 && n % 2 == 1 => Err(Unanswered::Ended("it trapped: unreachable".into())),
        _ => Ok(json!(1)),
    };
    let failing = Function::new(numbers(), json!(true), traps).tried(100).await.unwrap_err();
    assert_eq!(
        (failing["function"].as_str(), failing["happened"].as_str()),
        (Some("f"), Some("it trapped: unreachable"))
    );
    let arguments = failing["arguments"].as_object().unwrap();
    assert!(traps(&failing["arguments"]).is_err() && arguments.len() == 1, "{failing}");
    assert_eq!(failing["seed"].as_str().unwrap().len(), 16);
}

#[tokio::test]
async fn an_answer_that_its_schema_does_not_take_is_as_bad_as_a_trap_and_an_own_error_is_none() {
    let lying = Function::new(numbers(), json!({ "type": "string" }), |_| Ok(json!(1)));
    let failing = lying.tried(5).await.unwrap_err();
    assert!(failing["happened"].as_str().unwrap().contains("doesn't fit the output schema"), "{failing}");
    assert_eq!(failing["arguments"], json!({ "n": 0 }));

    let strict = Function::new(numbers(), json!(true), |_| Err(Unanswered::Said("no".into())));
    let found = strict.tried(5).await.unwrap();
    assert_eq!((found.calls, found.errors), (5, 5));

    let busy = Function::new(numbers(), json!(true), |_| Err(Unanswered::Unavailable("no room".into())));
    let found = busy.tried(5).await.unwrap();
    assert_eq!((found.calls, found.untried), (0, vec!["f".to_owned()]));
}

#[tokio::test]
async fn a_function_for_which_no_input_is_found_is_named() {
    let never = json!({ "type": "object", "properties": { "x": { "type": "array", "minItems": u64::MAX } },
                        "required": ["x"] });
    let found = Function::new(never, json!(true), |_| Ok(json!(1))).tried(3).await.unwrap();
    assert_eq!((found.calls, found.untried), (0, vec!["f".to_owned()]));
}

#[tokio::test]
async fn the_time_for_all_inputs_ends() {
    let slow = Function::new(numbers(), json!(true), |_| {
        std::thread::sleep(Duration::from_millis(20));
        Ok(json!(1))
    });
    let plan = RandomPlan { inputs: 1_000, time: Duration::from_millis(100), seed: Seed::of(&Digest::of(b"a")) };
    let found = examine(&slow, &[], Some(&plan)).await.unwrap();
    let calls = found.random.unwrap().calls;
    assert!((1..=10).contains(&calls), "{calls}");
    assert_eq!(found.measured.unwrap().calls, calls);
    assert_eq!(examine(&slow, &[], None).await.unwrap().random, None);
}
