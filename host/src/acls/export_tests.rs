use super::*;

fn of(text: &str, with_clients: bool, declared: &[String]) -> Export {
    let matrix = Matrix::parse(text).unwrap();
    export(Wanted {
        matrix: &matrix,
        principal: "User:mill",
        with_clients,
        declared,
        tool_topics: &[],
        conversations: None,
    })
}

/// The rules, as a person reads them.
fn shown(export: &Export) -> Vec<String> {
    export.rules.iter().map(|rule| rule.acl.to_string()).collect()
}

const ROW: &str = "[[row]]\nprincipal = \"agent:counter\"\ntopics.read = [\"words\"]\ntopics.write = [\"counts.*\"]\n\
                   topics.create = [\"counts.*\"]\nstate = true\n";

#[test]
fn an_agent_gets_its_topics_group_transactions_state_and_dead_letters() {
    let export = of(ROW, false, &[]);
    assert_eq!(
        shown(&export),
        [
            "Read on topic wasmill.agents",
            "Read on topic wasmill.audit",
            "Write on topic wasmill.audit",
            "Create on topic wasmill.audit",
            "DescribeConfigs on topic wasmill.audit",
            "Write on topic wasmill.forge",
            "Create on topic wasmill.forge",
            "DescribeConfigs on topic wasmill.forge",
            "Read on topic wasmill.state.counter",
            "Write on topic wasmill.state.counter",
            "Create on topic wasmill.state.counter",
            "DescribeConfigs on topic wasmill.state.counter",
            "Read on topic words",
            "Write on topic words",
            "DescribeConfigs on topic words",
            "Read on topic words.dlq",
            "Write on topic words.dlq",
            "Create on topic words.dlq",
            "DescribeConfigs on topic words.dlq",
            "Write on topics that begin with counts.",
            "Create on topics that begin with counts.",
            "DescribeConfigs on topics that begin with counts.",
            "Read on group wasmill.counter",
            "Describe on group wasmill.readers",
            "Read on group wasmill.redrive.words",
            "Write on transactional ids that begin with wasmill-wasmill.counter-",
            "Write on transactional ids that begin with wasmill-wasmill.redrive.words-",
            "Describe on the cluster",
        ]
    );
    assert!(export.notes.is_empty(), "{:?}", export.notes);
    assert!(export.rules.iter().all(|rule| rule.acl.principal == "User:mill" && !rule.why.is_empty()));
}

#[test]
fn timers_need_state_and_started_agents_their_book() {
    let export = of("[[row]]\nprincipal = \"agent:a\"\ntimers = true\nagents = [\"b\"]\n", false, &[]);
    let shown = shown(&export);
    for topic in ["wasmill.state.a", "wasmill.timer.dlq", "wasmill.cron.dlq", "wasmill.agents"] {
        for operation in ["Read", "Write", "Create", "DescribeConfigs"] {
            assert!(shown.contains(&format!("{operation} on topic {topic}")), "{operation} {topic}: {shown:?}");
        }
    }
}

#[test]
fn without_state_or_reading_there_is_less() {
    let export = of("[[row]]\nprincipal = \"agent:a\"\ntopics.write = [\"out\"]\n", false, &[]);
    assert_eq!(
        shown(&export),
        [
            "Write on topic out",
            "DescribeConfigs on topic out",
            "Read on topic wasmill.agents",
            "Read on topic wasmill.audit",
            "Write on topic wasmill.audit",
            "Create on topic wasmill.audit",
            "DescribeConfigs on topic wasmill.audit",
            "Write on topic wasmill.forge",
            "Create on topic wasmill.forge",
            "DescribeConfigs on topic wasmill.forge",
            "Describe on group wasmill.readers",
            "Describe on the cluster"
        ]
    );
}

#[test]
fn who_starts_agents_writes_them_down() {
    let export = of("[[row]]\nprincipal = \"agent:a\"\nagents = [\"b\"]\n", false, &[]);
    assert_eq!(
        shown(&export)[..3],
        ["Read on topic wasmill.agents", "Write on topic wasmill.agents", "Create on topic wasmill.agents"]
    );
}

#[test]
fn what_kafka_can_not_say_is_said() {
    let text = "[[row]]\nprincipal = \"agent:a\"\ntopics.write = [\"logs.*.out\", \"*.end\"]\n\
                [[row]]\nprincipal = \"client:cli\"\ntopics.read = [\"*\"]\n\
                [[row]]\nprincipal = \"tool:t\"\ntopics.read = [\"x\"]\n";
    let export = of(text, false, &[]);
    let notes: Vec<(u32, &str)> = export.notes.iter().map(|note| (note.line, note.text.as_str())).collect();
    let has = |line: u32, words: &str| notes.iter().any(|(at, text)| *at == line && text.contains(words));
    assert!(has(1, "\"*.end\"") && has(1, "has no rule"), "{notes:?}");
    assert!(has(1, "everything that begins with \"logs.\""), "{notes:?}");
    assert!(has(4, "--clients") && has(7, "tools"), "{notes:?}");
    assert!(shown(&export).contains(&"Write on topics that begin with logs.".to_owned()));
    assert!(!shown(&export).iter().any(|rule| rule.contains("all topics")), "{:?}", shown(&export));

    let with_clients = of(text, true, &[]);
    assert!(shown(&with_clients).contains(&"Read on all topics".to_owned()));
}

#[test]
fn patterns_of_agents_become_beginnings_of_groups() {
    let text = "[[row]]\nprincipal = \"agent:log*\"\ntopics.read = [\"logs.*\"]\nstate = true\n";
    let export = of(text, false, &[]);
    let rules = shown(&export);
    for rule in [
        "Read on groups that begin with wasmill.log",
        "Write on transactional ids that begin with wasmill-wasmill.log",
        "Write on topics that begin with wasmill.state.log",
        "Create on topics that begin with logs.",
        "Read on groups that begin with wasmill.redrive.logs.",
    ] {
        assert!(rules.contains(&rule.to_owned()), "{rule}: {rules:?}");
    }
    // Dead letters of topics with a common beginning are somewhere behind it.
    assert!(export.notes.iter().any(|note| note.text.contains("logs.*.dlq")), "{:?}", export.notes);
}

#[test]
fn a_rule_that_another_one_has_in_it_is_left_out_and_its_reason_kept() {
    let text = "[[row]]\nprincipal = \"agent:a\"\ntopics.write = [\"x.*\", \"x.y\", \"x.*\"]\n\
                [[row]]\nprincipal = \"*\"\ntopics.write = [\"x.y.z\"]\n";
    let export = of(text, false, &[]);
    let is_own = |name: &str| [AUDIT_TOPIC, FORGE_TOPIC].contains(&name);
    let is_write = |rule: &&Rule| rule.acl.operation == AclOperation::Write && !is_own(&rule.acl.name);
    let writes: Vec<&Rule> = export.rules.iter().filter(is_write).collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert_eq!((writes[0].acl.name.as_str(), writes[0].why.len()), ("x.", 2));
}

#[test]
fn declared_topics_may_be_made_and_changed_and_state_grows_with_them() {
    let export = of(ROW, false, &["words".to_owned()]);
    let rules = shown(&export);
    for rule in [
        "Create on topic words",
        "Alter on topic words",
        "AlterConfigs on topic words",
        "Alter on topic wasmill.state.counter",
    ] {
        assert!(rules.contains(&rule.to_owned()), "{rule}: {rules:?}");
    }
    assert!(!rules.contains(&"DescribeConfigs on topic words".to_owned()), "AlterConfigs has it in it");
}

#[test]
fn every_rule_is_needed_by_itself() {
    let text = "[[row]]\nprincipal = \"*\"\ntopics.read = [\"*\"]\ntopics.write = [\"*\"]\nstate = true\n";
    for export in [of(text, true, &[]), of(ROW, true, &["words".to_owned()])] {
        let acls = export.acls();
        for (i, acl) in acls.iter().enumerate() {
            assert!(!acls.iter().enumerate().any(|(j, other)| i != j && other.covers(acl)), "{acl}");
        }
    }
}

#[test]
fn a_pair_of_tool_topics_gets_both_topics_its_group_transactions_and_dead_letters() {
    let config = crate::home::HostConfig::parse("[[tool_topics]]\nclient = 'desk'\n").unwrap();
    let matrix = Matrix::parse("").unwrap();
    let tool_topics = &config.tool_topics;
    let wanted = Wanted {
        matrix: &matrix,
        principal: "User:mill",
        with_clients: false,
        declared: &[],
        tool_topics,
        conversations: None,
    };
    assert_eq!(
        shown(&export(wanted)),
        [
            "Read on topic tool.requests",
            "Write on topic tool.requests",
            "DescribeConfigs on topic tool.requests",
            "Read on topic tool.requests.dlq",
            "Write on topic tool.requests.dlq",
            "Create on topic tool.requests.dlq",
            "DescribeConfigs on topic tool.requests.dlq",
            "Write on topic tool.results",
            "DescribeConfigs on topic tool.results",
            "Read on topic wasmill.agents",
            "Read on topic wasmill.audit",
            "Write on topic wasmill.audit",
            "Create on topic wasmill.audit",
            "DescribeConfigs on topic wasmill.audit",
            "Write on topic wasmill.forge",
            "Create on topic wasmill.forge",
            "DescribeConfigs on topic wasmill.forge",
            "Describe on group wasmill.readers",
            "Read on group wasmill.redrive.tool.requests",
            "Read on group wasmill.tool_topics.tool.requests",
            "Write on transactional ids that begin with wasmill-wasmill.redrive.tool.requests-",
            "Write on transactional ids that begin with wasmill-wasmill.tool_topics.tool.requests-",
            "Describe on the cluster",
        ]
    );
}

#[test]
fn conversations_get_both_topics_and_no_group() {
    let config = crate::home::HostConfig::parse("[conversations]\n").unwrap();
    let matrix = Matrix::parse("").unwrap();
    let conversations = config.conversations.as_ref();
    let wanted = Wanted {
        matrix: &matrix,
        principal: "User:mill",
        with_clients: false,
        declared: &[],
        tool_topics: &[],
        conversations,
    };
    let rules: Vec<String> = shown(&export(wanted)).into_iter().filter(|rule| rule.contains("conversation")).collect();
    assert_eq!(rules, ["Write on topic conversation.inbound", "Read on topic conversation.outbound"]);
}
