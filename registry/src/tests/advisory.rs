use super::{HOUR, NOW, key, trust};
use crate::{About, Advisory, Policy, Role, Says, Severity, TrustRoots, VerifiedAdvisory, VerifiedPolicy, trust_entry};

fn advisory() -> Advisory {
    let about = About::Crate { name: "serde_json".into(), versions: "<1.0.100".parse().unwrap() };
    let says = Says::Quarantine { about, severity: Severity::High, rebuild: true };
    Advisory { id: "RUSTSEC-2026-0001".into(), serial: 7, reason: "it panics".into(), says }
}

#[test]
fn an_advisory_comes_back_as_an_admin_signed_it() {
    let withdrawal = Advisory { serial: 8, says: Says::Withdraw, ..advisory() };
    for advisory in [advisory(), withdrawal] {
        let envelope = advisory.sign(&key(1)).unwrap().to_json();
        let verified = VerifiedAdvisory::verify(&envelope, &trust(&key(1), &[Role::Admin]), NOW).unwrap();
        assert_eq!((verified.advisory(), verified.signers().len()), (&advisory, 1));
        assert_eq!(Advisory::of_kept(&envelope).unwrap(), advisory);
    }
}

#[test]
fn only_an_admin_whose_key_counts_warns() {
    let envelope = advisory().sign(&key(1)).unwrap().to_json();
    let verify = |trust: TrustRoots| VerifiedAdvisory::verify(&envelope, &trust, NOW).map_err(|error| error.code());
    assert_eq!(verify(trust(&key(1), &[Role::Publisher, Role::Forge])), Err("signature.wrong-role"));
    assert_eq!(verify(trust(&key(2), &[Role::Admin])), Err("signature.unknown-key"));
    let expired = trust_entry("alice", &key(1).public(), &[Role::Admin], Some(NOW - HOUR));
    assert_eq!(verify(TrustRoots::parse(&expired).unwrap()), Err("signature.expired-key"));
    let mut changed = String::from_utf8(envelope.clone()).unwrap();
    changed = changed.replacen("\"payload\":\"", "\"payload\":\"e30", 1);
    let changed = VerifiedAdvisory::verify(changed.as_bytes(), &trust(&key(1), &[Role::Admin]), NOW);
    assert!(changed.is_err());
}

#[test]
fn a_policy_passes_for_no_advisory_and_no_advisory_for_a_policy() {
    let admin = trust(&key(1), &[Role::Admin]);
    let policy =
        Policy { serial: 1, permissions: String::new(), trust: String::new() }.sign(&key(1)).unwrap().to_json();
    assert_eq!(VerifiedAdvisory::verify(&policy, &admin, NOW).unwrap_err().code(), "signature.statement");
    let advisory = advisory().sign(&key(1)).unwrap().to_json();
    assert_eq!(VerifiedPolicy::verify(&advisory, &admin, NOW).unwrap_err().code(), "signature.statement");
}

#[test]
fn what_nobody_could_read_is_not_signed() {
    let refused = |advisory: Advisory| assert!(advisory.sign(&key(1)).is_err(), "{advisory:?}");
    refused(Advisory { id: String::new(), ..advisory() });
    refused(Advisory { id: "a b".into(), ..advisory() });
    refused(Advisory { id: "x".repeat(65), ..advisory() });
    refused(Advisory { reason: "two\nlines".into(), ..advisory() });
    refused(Advisory { reason: " ".into(), ..advisory() });
    let about = About::Component { name: "../x".into(), versions: "*".parse().unwrap() };
    refused(Advisory { says: Says::Quarantine { about, severity: Severity::Low, rebuild: false }, ..advisory() });
}
