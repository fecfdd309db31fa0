//! One declared topic against the one that is there, or isn't.

use super::amount::{Age, Size};
use super::declared::DeclaredTopic;
use super::plan::{Blocked, Note, Plan, Risk, RiskKind, Step};
use super::readers::Reader;
use crate::streams::{Bound, Cleanup, Keeps, TopicChange, TopicShape, TopicSpec};

/// A topic that is to be made.
pub(super) fn missing(plan: &mut Plan, topic: &DeclaredTopic, keeps_one_copy: bool) {
    let partitions = topic.partitions.unwrap_or(1);
    let spec = TopicSpec { name: topic.name.clone(), partitions, compacted: topic.compacted };
    let (retention_ms, retention_bytes) = (topic.retention_ms, topic.retention_bytes);
    let cleanup = Some(wanted_cleanup(topic, None));
    let mut shape =
        TopicShape { spec, replicas: topic.replicas, keeps: Keeps { cleanup, retention_ms, retention_bytes } };
    if keeps_one_copy {
        shape.replicas = None;
    }
    let plural = if partitions == 1 { "" } else { "s" };
    let mut text = format!("create {} with {partitions} partition{plural}", topic.name);
    if topic.compacted {
        text.push_str(", compacted");
    }
    if let Some(bounds) = bounds(&shape.keeps) {
        text.push_str(&format!(", keeping {bounds}"));
    }
    plan.steps.push(Step { change: TopicChange::Create(shape), text, risk: None });
}

/// A topic that is there.
pub(super) fn present(
    plan: &mut Plan,
    topic: &DeclaredTopic,
    found: &TopicShape,
    readers: &[Reader],
    keeps_one_copy: bool,
) {
    partitions(plan, topic, found.spec.partitions, readers);
    if let Some((wanted, there)) = topic.replicas.zip(found.replicas).filter(|(wanted, there)| wanted != there) {
        let text = if keeps_one_copy {
            "the embedded log keeps one copy; `replicas` is for Kafka".to_owned()
        } else {
            format!(
                "it has {there} replicas and {wanted} are declared: Kafka's own kafka-reassign-partitions.sh changes that"
            )
        };
        plan.notes.push(Note { topic: topic.name.clone(), text });
    }
    match found.keeps.cleanup {
        None => plan.notes.push(Note {
            topic: topic.name.clone(),
            text: "what it keeps is not shown to this host, and not compared: it needs DescribeConfigs on the topic"
                .to_owned(),
        }),
        Some(cleanup) if keeps_one_copy && cleanup.is_compacting() != topic.compacted => plan.blocked.push(Blocked {
            topic: topic.name.clone(),
            reason: "the embedded log decides whether a topic is compacted when it is made".to_owned(),
            next: "Declare it as it is, or declare a topic of another name.".to_owned(),
        }),
        Some(cleanup) => keeps(plan, topic, cleanup, &found.keeps),
    }
}

fn partitions(plan: &mut Plan, topic: &DeclaredTopic, there: u32, readers: &[Reader]) {
    let Some(wanted) = topic.partitions.filter(|wanted| *wanted != there) else { return };
    let name = topic.name.clone();
    if wanted < there {
        plan.blocked.push(Blocked {
            reason: format!("it has {there} partitions and {wanted} are declared; none can be taken away"),
            next: format!(
                "Declare {there}; or declare a topic of another name with {wanted}, and move its writers and readers there."
            ),
            topic: name,
        });
        return;
    }
    let states: Vec<String> = readers
        .iter()
        .filter(|reader| reader.keeps_state && reader.reads.contains(&name))
        .map(|reader| reader.agent.clone())
        .collect();
    let risk = (!states.is_empty()).then(|| Risk {
        kind: RiskKind::MoveKeys,
        text: format!(
            "most keys go to another partition than before, and what {} has kept for them stays behind in the old one",
            states.join(", ")
        ),
    });
    let text = format!("grow {name} from {there} to {wanted} partitions");
    plan.steps.push(Step { change: TopicChange::Grow { name, partitions: wanted, states }, text, risk });
}

/// Cleanup and bounds of a topic on a log that has them.
fn keeps(plan: &mut Plan, topic: &DeclaredTopic, cleanup: Cleanup, there: &Keeps) {
    let wanted = wanted_cleanup(topic, Some(cleanup));
    let changes = |wanted: Option<Bound>, there: Option<Bound>| wanted.filter(|_| wanted != there);
    let change = Keeps {
        cleanup: (wanted != cleanup).then_some(wanted),
        retention_ms: changes(topic.retention_ms, there.retention_ms),
        retention_bytes: changes(topic.retention_bytes, there.retention_bytes),
    };
    if change == Keeps::default() {
        return;
    }
    let mut parts = Vec::new();
    let mut lost = Vec::new();
    if change.cleanup.is_some() {
        parts.push(
            match wanted {
                Cleanup::Delete => "not compacted",
                Cleanup::Compact => "compacted",
                Cleanup::CompactAndDelete => "compacted, with bounds",
            }
            .to_owned(),
        );
        lost.push(match (cleanup.is_compacting(), wanted.is_compacting()) {
            (false, true) => {
                "older records of each key go, and records without a key are refused from then on".to_owned()
            }
            _ => "records over its bounds go, also the newest of their key".to_owned(),
        });
    }
    let mut bound = |what: &str, wanted: Option<Bound>, there: Option<Bound>, shown: &dyn Fn(Bound) -> String| {
        let Some(bound) = wanted else { return };
        let now = there.map(|there| format!(" (now {})", shown(there))).unwrap_or_default();
        parts.push(format!("{what} {}{now}", shown(bound)));
        if there.is_none_or(|there| bound < there) {
            lost.push(format!("records beyond {} go", shown(bound)));
        }
    };
    bound("keeping", change.retention_ms, there.retention_ms, &|bound| Age(bound).to_string());
    bound("at most", change.retention_bytes, there.retention_bytes, &|bound| format!("{} a partition", Size(bound)));
    let risk = (!lost.is_empty()).then(|| Risk { kind: RiskKind::LoseRecords, text: lost.join("; ") });
    let text = format!("change {}: {}", topic.name, parts.join(", "));
    plan.steps.push(Step { change: TopicChange::Keep { name: topic.name.clone(), keeps: change }, text, risk });
}

/// Old records go by age or size unless the topic is compacted; where both are declared, both count. A compacted topic
/// without declared bounds may have some.
fn wanted_cleanup(topic: &DeclaredTopic, there: Option<Cleanup>) -> Cleanup {
    let is_bound = |bound: Option<Bound>| matches!(bound, Some(Bound::AtMost(_)));
    let says_nothing = topic.retention_ms.is_none() && topic.retention_bytes.is_none();
    match (topic.compacted, there) {
        (false, _) => Cleanup::Delete,
        (true, Some(there)) if there.is_compacting() && says_nothing => there,
        (true, _) if is_bound(topic.retention_ms) || is_bound(topic.retention_bytes) => Cleanup::CompactAndDelete,
        (true, _) => Cleanup::Compact,
    }
}

fn bounds(keeps: &Keeps) -> Option<String> {
    let age = keeps.retention_ms.map(|bound| Age(bound).to_string());
    let size = keeps.retention_bytes.map(|bound| format!("at most {} a partition", Size(bound)));
    let all: Vec<String> = age.into_iter().chain(size).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
