//! The broker's access rules against what this host needs, as findings.

use crate::acls::{Drift, Export, Wanted, drift, export};
use crate::doctor::{Finding, Level};
use crate::home::Home;
use crate::permissions::Matrix;
use crate::streams::kafka::{Acl, AclView, KafkaStreams};
use crate::topics;

const CHECK: &str = "kafka.acls";
/// Rules that one line names; the rest is counted.
const NAMED_MAX: usize = 8;

/// Asks the broker, and compares. One finding for each kind of difference.
pub(super) async fn examine(home: &Home, streams: &KafkaStreams, principal: Option<String>) -> Vec<Finding> {
    let Some(principal) = principal else {
        let says = "not compared: only the broker knows what it makes of this host's certificate";
        return vec![Finding::advise(CHECK, Level::Warn, says, "Write `principal` under [streams] in host.toml.")];
    };
    let needed = match needed(home, &principal) {
        Ok(needed) => needed,
        // That the file can't be used is said already.
        Err(_) => {
            return vec![Finding::ok(CHECK, "not compared: host.toml, permissions.toml or topics.toml can't be used")];
        }
    };
    match streams.acls(&principal).await {
        Ok(AclView::Everything) => {
            vec![Finding::ok(CHECK, format!("the broker lets {principal} do everything: it checks no rules for it"))]
        }
        Ok(AclView::Hidden) => vec![Finding::advise(
            CHECK,
            Level::Warn,
            format!("the broker checks rules and doesn't show them to {principal}: missing is Describe on the cluster"),
            "Add it: `wasmill permission export --kafka` has its command line; then see here what else is missing.",
        )],
        Ok(AclView::Listed(actual)) => {
            let [agents, everybody] = needed;
            judge(&principal, &agents, &everybody.acls(), &actual)
        }
        Err(error) => vec![Finding::advise(CHECK, Level::Warn, format!("not compared: {error}"), "Try again.")],
    }
}

/// What agents need, and what the same with clients would.
fn needed(home: &Home, principal: &str) -> Result<[Export; 2], crate::problem::Problem> {
    let matrix = Matrix::load(&home.permissions_file())?;
    let declared = topics::of_home(home)?.unwrap_or_default();
    let declared: Vec<String> = declared.into_iter().map(|topic| topic.name).collect();
    let config = home.config()?;
    let (tool_topics, conversations) = (&config.tool_topics, config.conversations.as_ref());
    Ok([false, true].map(|with_clients| {
        export(Wanted { matrix: &matrix, principal, with_clients, declared: &declared, tool_topics, conversations })
    }))
}

fn judge(principal: &str, agents: &Export, permitted: &[Acl], actual: &[Acl]) -> Vec<Finding> {
    let needed = agents.acls();
    let Drift { missing, denying, extra } = drift(&needed, permitted, actual, principal);
    let mut all = Vec::new();
    if !missing.is_empty() {
        let says = format!("missing for {principal}: {}", named(&missing));
        let next = "Add them: `wasmill permission export --kafka` has their command lines.";
        all.push(Finding::advise(CHECK, Level::Fail, says, next));
    }
    if !denying.is_empty() {
        let says = format!("rules deny {principal} what it needs: {}", named(&denying));
        all.push(Finding::advise(
            CHECK,
            Level::Fail,
            says,
            "Take them away with `kafka-acls.sh --remove --deny-principal`.",
        ));
    }
    if !extra.is_empty() {
        let says = format!("more than permissions.toml asks for: {}", named(&extra));
        let next = "Take them away with `kafka-acls.sh --remove`, or give the agent that needs them a row.";
        all.push(Finding::advise(CHECK, Level::Warn, says, next));
    }
    if all.is_empty() {
        all.push(Finding::ok(CHECK, format!("{} rules for {principal}, as permissions.toml asks for", needed.len())));
    }
    all
}

fn named(acls: &[Acl]) -> String {
    let mut names: Vec<String> = acls.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if acls.len() > NAMED_MAX {
        names.push(format!("and {} more", acls.len() - NAMED_MAX));
    }
    names.join("; ")
}
