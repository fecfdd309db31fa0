use super::*;

#[test]
fn an_empty_file_is_a_whole_configuration() {
    let config = HostConfig::parse("").unwrap();
    assert_eq!(config.streams, StreamsConfig::Embedded(EmbeddedSection::default()));
    assert_eq!((config.model, config.store.url, config.metrics.listen), (None, None, None));
    assert!(config.tool_topics.is_empty() && config.conversations.is_none());
}

#[test]
fn brokers_make_it_kafka() {
    let text = "[streams]\nbrokers = ['h:9092']\nrecord_bytes_max = 7\nsecurity = { kind = 'tls', ca = 'ca.pem' }\n";
    let StreamsConfig::Kafka(kafka) = HostConfig::parse(text).unwrap().streams else { panic!("not Kafka") };
    assert_eq!((kafka.brokers, kafka.record_bytes_max), (vec!["h:9092".to_owned()], 7));
}

#[test]
fn every_section_is_read() {
    let text = "[store]\nurl = 'postgres://h/d'\n[metrics]\nlisten = '127.0.0.1:9464'\n[model]\nurl = 'http://h/v1'\nmodel = 'm'\n\
                [forge]\nbuilds = 3\n[config.counter]\ngreeting = 'hi'\n[limits.component]\nmemory_mib = 32\n";
    let config = HostConfig::parse(text).unwrap();
    assert_eq!(config.store.url.as_deref(), Some("postgres://h/d"));
    assert_eq!(HostConfig::parse("[veto]\nfile = 'v.rego'\n").unwrap().veto.file, Some("v.rego".into()));
    assert_eq!(HostConfig::parse("[conversations]\n").unwrap().conversations, Some(ConversationsConfig::default()));
    assert_eq!(config.config["counter"]["greeting"], "hi");
    assert_eq!(config.metrics.listen.map(|address| address.port()), Some(9464));
    assert_eq!((config.forge.builds, config.limits.component.memory_mib), (3, Some(32)));
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (text, line, word) in [
        ("\n[stream]\n", 2, "stream"),
        ("[store]\n\nurl = 1\n", 3, "invalid type"),
        ("[metrics]\nlisten = '9464'\n", 2, "address"),
        ("[veto]\nfile = ''\n", 2, "veto.rego"),
        ("[mcp]\nlisten = '127.0.0.1:1'\nanonymous = 'No One'\n", 3, "not a name"),
        ("[streams]\nrecord_bytes = 1\n", 2, "record_bytes"),
        ("[[mcp.servers]]\nname = 'a'\nurl = 'https://h'\n[[mcp.servers]]\nname = 'b'\nurl = 'h'\n", 6, "`url`"),
        ("[[mcp.servers]]\nname = 'a'\ncomand = ['x']\n", 3, "comand"),
        ("[[tool_topics]]\nrequests = 'r'\n", 1, "client"),
        ("[[tool_topics]]\nclient = 'No One'\n", 2, "not a name"),
        ("[[tool_topics]]\nclient = 'a'\nresults = 'a b'\n", 3, "' '"),
        ("[[tool_topics]]\nclient = 'a'\nrequests = 't'\nresults = 't'\n", 4, "topic of requests"),
        ("[[tool_topics]]\nclient = 'a'\n[[tool_topics]]\nclient = 'b'\nrequests = 'tool.requests'\n", 5, "two pairs"),
        ("[[tool_topics]]\nclient = 'a'\nresults = 'tool.requests.dlq'\n", 3, "dead letters"),
        ("[[tool_topics]]\nclient = 'a'\nresults = 'wasmill.state.x'\n", 3, "the host's"),
        ("[[tool_topics]]\nclient = 'a'\ncalls_at_once = 0\n", 3, "calls_at_once"),
        ("[console]\ntrace_url = 'javascript:{trace}'\n", 2, "http"),
        ("[console]\ntrace_url = 'http://h/'\n", 2, "{trace}"),
        ("[forge]\nbuilds = 1\nrandom_inputs = 1001\n", 3, "random_inputs"),
        ("[gateway]\nconnections = 0\n", 2, "connections"),
        ("[conversations]\ninbound = 'a b'\n", 2, "' '"),
        ("[conversations]\noutbound = '__x'\n", 2, "the host's"),
        ("[conversations]\ninbound = 'a'\noutbound = 'a'\n", 3, "clients say"),
        ("[[registry]]\nname = 'No One'\nurl = 'oci://h'\n", 2, "not a name"),
        ("[[registry]]\nname = 'a'\nurl = 'oci://h/a:1.0.0'\n", 3, "one component"),
        ("[[registry]]\nname = 'a'\nurl = 'https://u:p@h/'\n", 3, "password"),
        ("[[registry]]\nname = 'a'\nurl = 'oci://h'\nuser = 'u'\n", 3, "password_secret"),
        ("[[registry]]\nname = 'a'\nurl = 'oci://h'\n[[registry]]\nname = 'a'\nurl = 'oci://i'\n", 5, "twice"),
        ("[gateway]\n[gateway.tls]\ncert = 'c.pem'\n", 2, "key"),
        ("[gateway.tls]\ncert = 'c'\nkey = 'k'\n[gateway.tls.clients]\nA = 'a'\n", 4, "client_ca"),
        ("[mcp.tls]\ncert = 'c'\nkey = 'k'\nclient_ca = 'a'\n[mcp.tls.clients]\nA = 'No One'\n", 5, "not a name"),
        ("[gateway.rate]\nper_second = 0\n", 2, "per_second"),
        ("[mcp.rate]\nburst = 0\n", 2, "burst"),
        ("[limits]\ninstances = 0\n", 2, "instances"),
        ("[runs]\nkeep_days = 0\n", 2, "keep_days"),
        ("[telemetry]\nendpoint = 'localhost:4318'\n", 2, "http://"),
        ("[telemetry]\nsample_ratio = 1.5\n", 2, "between 0 and 1"),
        ("[telemetry]\nqueue_spans = 0\n", 2, "queue_spans"),
        ("[telemetry]\nqueue_spans = 9\nbatch_spans = 0\n", 3, "batch_spans"),
        ("[telemetry.headers]\n'a b' = 'c'\n", 1, "no HTTP header"),
        ("[limits.component]\nmemory_mib = 0\n", 2, "between"),
        ("[streams]\nbrokers = ['h:9092']\nrecord_bytes = 1\n", 3, "record_bytes"),
        ("[config.'../x']\na = 'b'\n", 1, "../x"),
        ("[config.counter]\ngreeting = 7\n", 2, "invalid type"),
    ] {
        let error = HostConfig::parse(text).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.message.contains(word), "{text}: {error}");
    }
}
