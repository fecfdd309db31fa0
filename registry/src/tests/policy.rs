use super::{NOW, key, trust};
use crate::{Approval, Digest, Permissions, Policy, Role, VerifiedApproval, VerifiedPolicy};

fn policy() -> Policy {
    Policy { serial: 7, permissions: "[[row]]\n".into(), trust: "# ä\n".into() }
}

#[test]
fn a_policy_comes_back_as_an_admin_signed_it() {
    let envelope = policy().sign(&key(1)).unwrap().to_json();
    let verified = VerifiedPolicy::verify(&envelope, &trust(&key(1), &[Role::Admin]), NOW).unwrap();
    assert_eq!((verified.policy(), verified.signers().len()), (&policy(), 1));
}

#[test]
fn only_an_admin_says_who_may_do_what() {
    let envelope = policy().sign(&key(1)).unwrap().to_json();
    let verify = |trust| VerifiedPolicy::verify(&envelope, &trust, NOW).map_err(|error| error.code());
    assert_eq!(verify(trust(&key(1), &[Role::Publisher, Role::Forge])), Err("signature.wrong-role"));
    assert_eq!(verify(trust(&key(2), &[Role::Admin])), Err("signature.unknown-key"));
}

#[test]
fn no_approval_passes_for_a_policy_and_no_policy_for_an_approval() {
    let admin = trust(&key(1), &[Role::Admin]);
    let approval = Approval {
        component: Digest::of(b"component"),
        manifest: Digest::of(b"manifest"),
        permissions: Permissions::default(),
        expires: None,
        revision: "r1".into(),
    };
    let approval = approval.sign(&key(1)).unwrap().to_json();
    assert_eq!(VerifiedPolicy::verify(&approval, &admin, NOW).unwrap_err().code(), "signature.statement");
    let policy = policy().sign(&key(1)).unwrap().to_json();
    assert_eq!(VerifiedApproval::verify(&policy, &admin, NOW).unwrap_err().code(), "signature.statement");
}
