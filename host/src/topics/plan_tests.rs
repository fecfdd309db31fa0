use super::*;
use crate::streams::{Bound, Cleanup, Keeps, TopicSpec};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn declared(name: &str, partitions: u32) -> DeclaredTopic {
    DeclaredTopic { name: name.into(), partitions: Some(partitions), ..DeclaredTopic::default() }
}

fn there(name: &str, partitions: u32, cleanup: Cleanup, retention_ms: Bound) -> TopicShape {
    let compacted = cleanup.is_compacting();
    TopicShape {
        spec: TopicSpec { name: name.into(), partitions, compacted },
        replicas: Some(1),
        keeps: Keeps {
            cleanup: Some(cleanup),
            retention_ms: Some(retention_ms),
            retention_bytes: Some(Bound::Unlimited),
        },
    }
}

fn plain(name: &str, partitions: u32) -> TopicShape {
    there(name, partitions, Cleanup::Delete, Bound::AtMost(7 * DAY))
}

fn reader(agent: &str, topic: &str, keeps_state: bool) -> Reader {
    Reader { agent: agent.into(), reads: vec![topic.into()], keeps_state }
}

fn risks(plan: &Plan) -> Vec<Option<RiskKind>> {
    plan.steps.iter().map(|step| step.risk.as_ref().map(|risk| risk.kind)).collect()
}

/// What there is once the steps are done.
fn applied(mut actual: Vec<TopicShape>, plan: &Plan) -> Vec<TopicShape> {
    for step in &plan.steps {
        let find = |name: &str| actual.iter().position(|shape| shape.spec.name == name).unwrap();
        match &step.change {
            TopicChange::Create(shape) => {
                let mut shape = shape.clone();
                shape.replicas.get_or_insert(1);
                shape.keeps.retention_ms.get_or_insert(Bound::AtMost(7 * DAY));
                shape.keeps.retention_bytes.get_or_insert(Bound::Unlimited);
                actual.push(shape);
            }
            TopicChange::Grow { name, partitions, .. } => {
                let at = find(name);
                actual[at].spec.partitions = *partitions;
            }
            TopicChange::Keep { name, keeps } => {
                let at = find(name);
                let now = &mut actual[at].keeps;
                now.cleanup = keeps.cleanup.or(now.cleanup);
                now.retention_ms = keeps.retention_ms.or(now.retention_ms);
                now.retention_bytes = keeps.retention_bytes.or(now.retention_bytes);
            }
        }
    }
    actual
}

#[test]
fn what_is_missing_is_made_and_what_is_not_declared_stays() {
    let wanted = DeclaredTopic { retention_ms: Some(Bound::AtMost(DAY)), ..declared("new", 3) };
    let plan = plan(&[wanted], &[plain("other", 1)], &[], false);
    assert_eq!(plan.steps[0].text, "create new with 3 partitions, keeping 1d");
    assert_eq!((plan.steps.len(), plan.undeclared), (1, vec!["other".to_owned()]));
    assert!(plan.blocked.is_empty());
}

#[test]
fn growing_is_a_risk_only_where_state_is_kept_by_partition() {
    let readers = [reader("counter", "words", true), reader("upper", "words", false), reader("x", "else", true)];
    let harmless = plan(&[declared("words", 4)], &[plain("words", 2)], &readers[1..], false);
    assert_eq!(risks(&harmless), [None]);
    let risky = plan(&[declared("words", 4)], &[plain("words", 2)], &readers, false);
    assert_eq!(risks(&risky), [Some(RiskKind::MoveKeys)]);
    let states = vec!["counter".to_owned()];
    assert_eq!(risky.steps[0].change, TopicChange::Grow { name: "words".into(), partitions: 4, states });
    assert!(matches!(risky.check(&risky.id, &[]), Err(Refusal::Risky(..))));
    assert!(matches!(risky.check(&risky.id, &[RiskKind::LoseRecords]), Err(Refusal::Risky(..))));
    assert_eq!(risky.check(&risky.id, &[RiskKind::MoveKeys]), Ok(()));
}

#[test]
fn partitions_are_never_taken_away() {
    let plan = plan(&[declared("words", 2), declared("new", 1)], &[plain("words", 4)], &[], false);
    assert_eq!((plan.steps.len(), plan.blocked.len()), (1, 1), "{plan:?}");
    assert!(plan.blocked[0].reason.contains("4 partitions and 2 are declared"));
    assert!(plan.blocked[0].next.contains("another name"));
    assert!(matches!(plan.check(&plan.id, &[]), Err(Refusal::Blocked(_))), "nothing is done at all");
}

#[test]
fn keeping_less_is_a_risk_and_keeping_more_is_none() {
    let keeping = |bound| DeclaredTopic { retention_ms: Some(bound), ..declared("t", 1) };
    let now = [plain("t", 1)];
    let less = plan(&[keeping(Bound::AtMost(DAY))], &now, &[], false);
    assert_eq!(risks(&less), [Some(RiskKind::LoseRecords)]);
    assert_eq!(less.steps[0].text, "change t: keeping 1d (now 7d)");
    assert_eq!(risks(&plan(&[keeping(Bound::AtMost(8 * DAY))], &now, &[], false)), [None]);
    assert_eq!(risks(&plan(&[keeping(Bound::Unlimited)], &now, &[], false)), [None]);
    assert!(plan(&[keeping(Bound::AtMost(7 * DAY))], &now, &[], false).steps.is_empty());
}

#[test]
fn what_is_not_said_is_left_alone() {
    let silent = DeclaredTopic { name: "t".into(), ..DeclaredTopic::default() };
    assert!(plan(std::slice::from_ref(&silent), &[plain("t", 9)], &[], false).steps.is_empty());
    let compacted = DeclaredTopic { compacted: true, ..silent };
    for cleanup in [Cleanup::Compact, Cleanup::CompactAndDelete] {
        let now = [there("t", 1, cleanup, Bound::AtMost(DAY))];
        assert!(plan(std::slice::from_ref(&compacted), &now, &[], false).steps.is_empty());
    }
    let change = plan(&[compacted], &[plain("t", 1)], &[], false);
    assert_eq!(risks(&change), [Some(RiskKind::LoseRecords)]);
}

#[test]
fn settings_that_are_not_shown_are_not_compared() {
    let hidden = TopicShape { keeps: Keeps::default(), ..plain("t", 1) };
    let plan = plan(&[DeclaredTopic { compacted: true, ..declared("t", 1) }], &[hidden], &[], false);
    assert!(plan.steps.is_empty() && plan.notes[0].text.contains("DescribeConfigs"), "{plan:?}");
}

#[test]
fn a_log_with_one_copy_notes_replicas_and_refuses_another_kind() {
    let forever = there("t", 1, Cleanup::Delete, Bound::Unlimited);
    let bounded = DeclaredTopic { retention_ms: Some(Bound::AtMost(DAY)), replicas: Some(3), ..declared("t", 2) };
    let made = plan(std::slice::from_ref(&bounded), &[], &[], true);
    let TopicChange::Create(shape) = &made.steps[0].change else { panic!("{made:?}") };
    assert_eq!((shape.replicas, shape.keeps.retention_ms), (None, Some(Bound::AtMost(DAY))));
    let grown = plan(&[bounded], std::slice::from_ref(&forever), &[], true);
    assert_eq!((grown.steps.len(), grown.notes.len(), grown.blocked.len()), (2, 1, 0), "{grown:?}");
    let compacted = plan(&[DeclaredTopic { compacted: true, ..declared("t", 1) }], &[forever], &[], true);
    assert_eq!((compacted.steps.len(), compacted.blocked.len()), (0, 1));
}

#[test]
fn replicas_are_set_once_and_then_only_compared() {
    let wanted = DeclaredTopic { replicas: Some(3), ..declared("t", 1) };
    let plan = plan(&[wanted], &[plain("t", 1)], &[], false);
    assert!(plan.steps.is_empty() && plan.notes[0].text.contains("kafka-reassign-partitions"), "{plan:?}");
}

#[test]
fn another_plan_than_the_one_shown_is_refused() {
    let shown = plan(&[declared("t", 2)], &[plain("t", 1)], &[], false);
    let same = plan(&[declared("t", 2)], &[plain("t", 1), plain("u", 1)], &[], false);
    assert_eq!(same.check(&shown.id, &[]), Ok(()), "what isn't touched doesn't matter");
    let other = plan(&[declared("t", 3)], &[plain("t", 1)], &[], false);
    assert!(matches!(other.check(&shown.id, &[]), Err(Refusal::Changed { .. })));
    let done = plan(&[declared("t", 2)], &[plain("t", 2)], &[], false);
    assert!(matches!(done.check(&shown.id, &[]), Err(Refusal::Changed { .. })));
}

#[test]
fn after_its_steps_there_is_nothing_left_to_do() {
    use proptest::prelude::*;
    let bound = || prop_oneof![Just(Bound::Unlimited), (1..4_u64).prop_map(Bound::AtMost)];
    let cleanup = || prop_oneof![Just(Cleanup::Delete), Just(Cleanup::Compact), Just(Cleanup::CompactAndDelete)];
    let topic = (1..4_u32, any::<bool>(), prop::option::of(bound()), prop::option::of(bound()));
    let found = prop::option::of((1..4_u32, cleanup(), bound()));
    proptest!(|(topic in topic, found in found, keeps_one_copy: bool)| {
        let (partitions, compacted, retention_ms, retention_bytes) = topic;
        let wanted = [DeclaredTopic { compacted, retention_ms, retention_bytes, ..declared("t", partitions) }];
        let actual: Vec<TopicShape> = found.map(|(count, cleanup, age)| there("t", count, cleanup, age)).into_iter().collect();
        let first = plan(&wanted, &actual, &[], keeps_one_copy);
        let second = plan(&wanted, &applied(actual, &first), &[], keeps_one_copy);
        prop_assert!(second.steps.is_empty(), "{first:?}\n{second:?}");
        prop_assert_eq!(second.blocked, first.blocked);
    });
}
