use super::*;
use crate::doctor::kafka::protocol::Api;
use crate::streams::kafka::{Mechanism, Sasl, Tls};

fn sasl() -> Security {
    Security::Sasl(Sasl {
        mechanism: Mechanism::Plain,
        username: "mill".into(),
        password_secret: None,
        password_env: None,
        tls: None,
    })
}

fn answers(login: Login) -> Seen {
    let apis = vec![Api { key: 1, min: 4, max: 17 }, Api { key: 28, min: 0, max: 5 }];
    Seen::Answers { apis, login }
}

fn found(security: &Security, seen: Seen) -> Vec<Finding> {
    judge(security, &[("b:9092".to_owned(), seen)])
}

#[track_caller]
fn fails(security: &Security, seen: Seen, check: &str, words: &str) {
    let all = found(security, seen);
    let failed: Vec<&Finding> = all.iter().filter(|finding| finding.level == Level::Fail).collect();
    assert_eq!(failed.len(), 1, "{all:?}");
    assert!(failed[0].check == check && failed[0].says.contains(words), "{failed:?}");
    assert!(failed[0].says.contains("b:9092") && !failed[0].next.is_empty(), "{failed:?}");
}

#[test]
fn each_layer_that_is_not_as_configured_is_named() {
    let (plain, tls) = (Security::Plaintext, Security::Tls(Tls::default()));
    fails(&plain, Seen::Unresolved("unknown".into()), "kafka.connection", "no address");
    fails(&plain, Seen::Unreachable("refused".into()), "kafka.connection", "refused");
    fails(&plain, Seen::Unlike(Unlike::Silent("closed".into())), "kafka.connection", "does not answer");
    fails(&plain, Seen::Unlike(Unlike::Encrypted), "kafka.tls", "speaks TLS");
    fails(&tls, Seen::Unlike(Unlike::Plain), "kafka.tls", "does not encrypt");
    fails(&tls, Seen::Unlike(Unlike::Untrusted("self-signed".into())), "kafka.tls", "self-signed");
    fails(&tls, Seen::Unlike(Unlike::WantsCertificate("alert".into())), "kafka.tls", "certificate of this host");
    fails(&plain, answers(Login::Taken), "kafka.sasl", "wants a login");
    fails(&sasl(), answers(Login::NotHere), "kafka.sasl", "takes no login");
    fails(&sasl(), answers(Login::Others(vec!["GSSAPI".into()])), "kafka.sasl", "only GSSAPI");
}

#[test]
fn as_configured_everything_is_well() {
    for (security, login) in [(Security::Plaintext, Login::NotHere), (sasl(), Login::Taken)] {
        let all = found(&security, answers(login));
        assert!(all.iter().all(|finding| finding.level == Level::Ok), "{all:?}");
        assert!(all.iter().any(|finding| finding.check == "kafka.version" && finding.says.contains("4.0")), "{all:?}");
    }
}

#[test]
fn one_broker_of_several_that_is_away_is_a_warning() {
    let seen = [("a:1".to_owned(), Seen::Unreachable("refused".into())), ("b:1".to_owned(), answers(Login::NotHere))];
    let all = judge(&Security::Plaintext, &seen);
    assert_eq!((all[0].level, all.len()), (Level::Warn, 4), "{all:?}");
    assert_eq!(judge(&Security::Plaintext, &seen[..1])[0].level, Level::Fail);
}

#[test]
fn a_broker_without_fenced_transactions_is_too_old() {
    let apis = vec![Api { key: 28, min: 0, max: 2 }];
    let all = found(&Security::Plaintext, Seen::Answers { apis, login: Login::NotHere });
    assert!(all.iter().any(|finding| finding.check == "kafka.version" && finding.level == Level::Fail), "{all:?}");
}
