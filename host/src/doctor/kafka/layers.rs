//! What was seen of the brokers, as findings: a decision without any looking.

use super::probe::{Seen, Unlike};
use super::protocol::Login;
use super::release::{at_least, has_fenced_transactions};
use crate::doctor::{Finding, Level};
use crate::streams::kafka::Security;

const CONNECTION: &str = "kafka.connection";
const TLS: &str = "kafka.tls";
const SASL: &str = "kafka.sasl";
const VERSION: &str = "kafka.version";

/// Findings about the brokers of the settings, with what was seen of each.
pub(super) fn judge(security: &Security, seen: &[(String, Seen)]) -> Vec<Finding> {
    let mut all = vec![connection(seen)];
    // Brokers of one cluster are alike: the first that takes a connection speaks for them.
    let first = seen.iter().find(|(_, seen)| !matches!(seen, Seen::Unresolved(_) | Seen::Unreachable(_)));
    match first {
        None => {}
        Some((broker, Seen::Unlike(unlike))) => all.push(encryption(broker, security, unlike)),
        Some((broker, Seen::Answers { apis, login })) => {
            all.push(match has_tls(security) {
                true => Finding::ok(TLS, format!("{broker} has a certificate that is trusted")),
                false => Finding::ok(TLS, "not configured; the connection is not encrypted"),
            });
            all.extend(self::login(broker, security, login));
            all.push(match has_fenced_transactions(apis) {
                true => Finding::ok(VERSION, format!("Kafka {} or later, by what it can do", at_least(apis))),
                false => Finding::advise(
                    VERSION,
                    Level::Fail,
                    "this broker's transactions can't fence a host that was thrown out of its group",
                    "Use Kafka 2.5 or later.",
                ),
            });
        }
        Some((_, Seen::Unresolved(_) | Seen::Unreachable(_))) => {}
    }
    all
}

fn connection(seen: &[(String, Seen)]) -> Finding {
    let failed: Vec<String> = seen
        .iter()
        .filter_map(|(broker, seen)| match seen {
            Seen::Unresolved(reason) => Some(format!("{broker} has no address ({reason})")),
            Seen::Unreachable(reason) => Some(format!("nothing takes a connection at {broker} ({reason})")),
            Seen::Unlike(_) | Seen::Answers { .. } => None,
        })
        .collect();
    let names = || seen.iter().map(|(broker, _)| broker.as_str()).collect::<Vec<_>>().join(", ");
    if failed.is_empty() {
        return Finding::ok(CONNECTION, format!("{} can be connected to", names()));
    }
    let next = "Start the broker, or correct `brokers` in host.toml; a firewall in between refuses too.";
    let level = if failed.len() == seen.len() { Level::Fail } else { Level::Warn };
    Finding::advise(CONNECTION, level, failed.join("; "), next)
}

fn encryption(broker: &str, security: &Security, unlike: &Unlike) -> Finding {
    let fail = |says: String, next: &str| Finding::advise(TLS, Level::Fail, says, next);
    let other_kind = match security {
        Security::Sasl(_) => {
            "Write `tls = {}` under [streams.security] in host.toml, with `ca` for a private authority"
        }
        _ => "Write `security = { kind = \"tls\" }` under [streams] in host.toml, with `ca` for a private authority",
    };
    match unlike {
        Unlike::Plain => fail(
            format!("{broker} does not encrypt, and host.toml asks for TLS"),
            "Name the port of the broker's encrypted listener; or take TLS out of `security` in host.toml.",
        ),
        Unlike::Encrypted => fail(
            format!("{broker} speaks TLS, and host.toml asks for none"),
            &format!("{other_kind}; or name the port of a listener without TLS."),
        ),
        Unlike::Untrusted(reason) => fail(
            format!("the certificate of {broker} is not trusted: {reason}"),
            "Name the authority that signed it with `ca` in host.toml, or the broker by the name in its certificate.",
        ),
        Unlike::WantsCertificate(reason) => fail(
            format!("{broker} breaks off after the greeting: {reason}; it may want a certificate of this host"),
            "Give one with `cert` and `key` in `security` of host.toml, signed by an authority that the broker trusts.",
        ),
        Unlike::File(reason) => {
            fail(format!("a file of `security` can't be used: {reason}"), "Correct its path in host.toml, or the file.")
        }
        Unlike::Silent(reason) => Finding::advise(
            CONNECTION,
            Level::Fail,
            format!("{broker} takes the connection and does not answer as Kafka does: {reason}"),
            "Correct the port in `brokers` of host.toml; a broker that has just been started needs a moment.",
        ),
    }
}

fn login(broker: &str, security: &Security, login: &Login) -> Option<Finding> {
    let fail = |says: String, next: &str| Some(Finding::advise(SASL, Level::Fail, says, next));
    match (security, login) {
        // Whether the password is right shows when the log is asked.
        (Security::Sasl(_), Login::Taken) => None,
        (Security::Sasl(_), Login::NotHere) => fail(
            format!("{broker} takes no login, and host.toml has one"),
            "Name the port of the broker's SASL listener; or take `security` out of host.toml.",
        ),
        (Security::Sasl(sasl), Login::Others(mechanisms)) => fail(
            format!("{broker} does not take {:?}, only {}", sasl.mechanism, mechanisms.join(", ")),
            "Write one of them as `mechanism` in `security` of host.toml.",
        ),
        (_, Login::NotHere) => Some(Finding::ok(SASL, "not configured; the broker asks for none")),
        (_, Login::Taken | Login::Others(_)) => fail(
            format!("{broker} wants a login, and host.toml has none"),
            "Write `security = { kind = \"sasl\", … }` under [streams] in host.toml.",
        ),
    }
}

fn has_tls(security: &Security) -> bool {
    match security {
        Security::Plaintext => false,
        Security::Tls(_) => true,
        Security::Sasl(sasl) => sasl.tls.is_some(),
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
