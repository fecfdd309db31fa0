use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use wasmill_registry::Permissions;

use super::super::decision::Decision;
use super::super::matrix::Matrix;
use super::super::principal::Principal;
use super::*;

const ROWS: &str = "[[row]]\nprincipal = \"agent:*\"\ntopics.write = [\"out\", \"p*\"]\nstate = true\n\
    http = [{ host = \"*\", methods = [\"GET\"] }]\n[[row]]\nprincipal = \"tool:a.*\"\ntopics.write = [\"out\"]\n";

/// Answers by a function of the question, and counts how often it was asked.
struct By<F>(F, AtomicUsize);

impl<F: Fn(&Value) -> Result<Vec<String>, String> + Send + Sync> Judge for By<F> {
    fn judge(&self, question: &str) -> Result<Vec<String>, String> {
        self.1.fetch_add(1, Ordering::Relaxed);
        (self.0)(&serde_json::from_str(question).unwrap())
    }
}

fn by<F: Fn(&Value) -> Result<Vec<String>, String> + Send + Sync + 'static>(judge: F) -> (Matrix, Arc<By<F>>) {
    let judge = Arc::new(By(judge, AtomicUsize::new(0)));
    let veto = Veto::asked("policy", judge.clone());
    (Matrix::parse(ROWS).unwrap().with_veto(Some(Arc::new(veto))), judge)
}

fn code(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed { .. } => "allowed",
        Decision::Denied(denial) => denial.code(),
    }
}

#[test]
fn it_denies_what_the_rows_allow_and_allows_nothing_that_they_deny() {
    let (matrix, judge) = by(|asked| match asked["action"]["name"] == "out" {
        true => Ok(vec!["not out".into()]),
        false => Ok(vec![]),
    });
    let a = matrix.grant(&Principal::agent("a"), None, None, None);
    let denied = a.check(Action::TopicWrite("out")).ok().unwrap_err();
    assert_eq!(denied.code(), "permission.veto");
    assert!(
        denied.to_string().contains("agent:a may not write topic out, because the veto policy says: not out: no row")
    );
    assert_eq!(code(a.check(Action::TopicWrite("pay"))), "allowed");
    let asked = judge.1.load(Ordering::Relaxed);
    assert_eq!(code(a.check(Action::TopicWrite("else"))), "permission.denied");
    assert_eq!(judge.1.load(Ordering::Relaxed), asked, "what the rows deny is no question");
}

#[test]
fn the_same_question_is_asked_once() {
    let (matrix, judge) = by(|_| Ok(vec!["no".into()]));
    for _ in 0..3 {
        // A client's grant is compiled for each of its requests.
        let a = matrix.grant(&Principal::agent("a"), None, None, None);
        assert_eq!(code(a.check(Action::TopicWrite("out"))), "permission.veto");
        assert_eq!(code(a.check(Action::TopicWrite("pay"))), "permission.veto");
    }
    assert_eq!(judge.1.load(Ordering::Relaxed), 2);
    let b = matrix.grant(&Principal::agent("b"), None, None, None);
    b.check(Action::TopicWrite("out"));
    assert_eq!(judge.1.load(Ordering::Relaxed), 3, "another principal is another question");
}

#[test]
fn where_there_is_no_answer_nothing_is_allowed() {
    let (matrix, _) = by(|_| Err("it took too long".into()));
    let a = matrix.grant(&Principal::agent("a"), None, None, None);
    let denied = a.check(Action::State).ok().unwrap_err();
    assert_eq!(denied.code(), "veto.failed");
    assert!(denied.message().contains("it took too long"), "{denied}");

    let broken = Veto::broken(Broken { code: "veto.policy", reason: "no rule".into() });
    let matrix = Matrix::parse(ROWS).unwrap().with_veto(Some(Arc::new(broken)));
    let a = matrix.grant(&Principal::agent("a"), None, None, None);
    assert_eq!(code(a.check(Action::TopicWrite("out"))), "veto.policy");
    assert_eq!(code(a.check(Action::TopicWrite("else"))), "permission.denied");
}

#[test]
fn what_is_denied_to_a_maker_is_denied_to_what_it_made() {
    let (matrix, _) = by(|asked| match asked["principal"]["id"] == "agent:a" {
        true => Ok(vec!["not a".into()]),
        false => Ok(vec![]),
    });
    let maker = matrix.grant(&Principal::agent("a"), None, None, None);
    let mut wanted = Permissions::default();
    wanted.topics.write.push("out".into());
    let made = matrix.grant(&Principal::tool("a.made"), Some(&wanted), None, Some(&maker));
    let denied = made.check(Action::TopicWrite("out")).ok().unwrap_err();
    assert!(denied.message().contains("it was made for agent:a and agent:a may not"), "{denied}");
    assert!(denied.message().contains("not a"), "{denied}");
}

#[test]
fn a_question_says_who_what_and_by_which_row() {
    let (sender, asked) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let (matrix, _) = by(move |question| {
        sender.lock().unwrap().send(question.clone()).unwrap();
        Ok(vec![])
    });
    let maker = matrix.grant(&Principal::agent("a"), None, None, None);
    let made = matrix.grant(&Principal::agent("b"), None, None, Some(&maker));
    made.check(Action::Http { host: "API.example.com.:8443", method: "GET" });
    let question = asked.recv().unwrap();
    assert_eq!(question["principal"]["id"], "agent:b");
    assert_eq!(question["principal"]["kind"], "agent");
    assert_eq!(question["principal"]["makers"], serde_json::json!(["agent:a"]));
    assert_eq!(question["action"]["column"], "http");
    assert_eq!(question["action"]["risk"], "high");
    assert_eq!(question["action"]["method"], "GET");
    assert_eq!(question["action"]["name"], "api.example.com:8443", "one host has one name");
    assert_eq!(question["row"], serde_json::json!({ "principal": "agent:*", "line": 1 }));
    assert_eq!(question["limits"]["memory_mib"], 128);
    assert_eq!(question["limits"]["tool_calls_per_minute"], Value::Null, "unlimited");
}

#[test]
fn reasons_are_few_short_and_on_one_line() {
    let (matrix, _) = by(|_| Ok((0..100).map(|i| format!("{i}\n{}", "x".repeat(10_000))).collect()));
    let a = matrix.grant(&Principal::agent("a"), None, None, None);
    let Decision::Denied(denial) = a.check(Action::State) else { panic!() };
    let Layer::Veto { reasons } = &denial.layer else { panic!("{denial}") };
    assert_eq!(reasons.len(), REASONS_MAX);
    assert!(reasons.iter().all(|reason| reason.chars().count() <= REASON_CHARS_MAX && !reason.contains('\n')));
}

#[test]
fn another_policy_makes_the_matrix_another_one() {
    let (with, _) = by(|_| Ok(vec![]));
    let without = with.clone().with_veto(None);
    assert_eq!(without.revision(), Matrix::parse(ROWS).unwrap().revision());
    assert!(with.revision().starts_with(&format!("{}+", without.revision())));
}
