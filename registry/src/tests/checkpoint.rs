use time::OffsetDateTime;

use super::{HOUR, key, trust};
use crate::{Checkpoint, Digest, Policy, Role, TrustRoots, VerifiedPolicy, trust_entry};

fn checkpoint(at_ms: i64) -> Checkpoint {
    Checkpoint { chain: "höst".into(), seq: 7, hash: Digest::of(b"row"), at_ms }
}

#[test]
fn a_checkpoint_comes_back_as_a_host_signed_it() {
    let envelope = checkpoint(5).sign(&key(1)).unwrap().to_json();
    assert_eq!(Checkpoint::peek(&envelope).unwrap(), checkpoint(5));
    assert_eq!(Checkpoint::verify(&envelope, &trust(&key(1), &[Role::Forge])).unwrap(), checkpoint(5));
}

#[test]
fn only_a_host_signs_checkpoints() {
    let envelope = checkpoint(5).sign(&key(1)).unwrap().to_json();
    let verify = |trust| Checkpoint::verify(&envelope, &trust).map_err(|error| error.code());
    assert_eq!(verify(trust(&key(1), &[Role::Publisher, Role::Admin])), Err("signature.wrong-role"));
    assert_eq!(verify(trust(&key(2), &[Role::Forge])), Err("signature.unknown-key"));
}

#[test]
fn a_key_that_has_expired_counts_for_what_it_signed_before() {
    let expires = OffsetDateTime::UNIX_EPOCH + HOUR;
    let roots = TrustRoots::parse(&trust_entry("a", &key(1).public(), &[Role::Forge], Some(expires))).unwrap();
    let verify = |at_ms| {
        let envelope = checkpoint(at_ms).sign(&key(1)).unwrap().to_json();
        Checkpoint::verify(&envelope, &roots).map(drop).map_err(|error| error.code())
    };
    let hour = 3_600_000;
    assert_eq!((verify(hour - 1), verify(hour)), (Ok(()), Err("signature.expired-key")));
    assert_eq!(verify(i64::MAX), Err("signature.statement"));
}

#[test]
fn no_policy_passes_for_a_checkpoint_and_no_checkpoint_for_a_policy() {
    let policy = Policy { serial: 7, permissions: String::new(), trust: String::new() };
    let policy = policy.sign(&key(1)).unwrap().to_json();
    let both = trust(&key(1), &[Role::Admin, Role::Forge]);
    assert_eq!(Checkpoint::verify(&policy, &both).unwrap_err().code(), "signature.statement");
    let envelope = checkpoint(5).sign(&key(1)).unwrap().to_json();
    let error = VerifiedPolicy::verify(&envelope, &both, OffsetDateTime::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.code(), "signature.statement");
}
