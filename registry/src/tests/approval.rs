use super::{HOUR, NOW, bundle, key, trust};
use crate::{Approval, Digest, Permissions, Role, TrustRoots, VerifiedApproval};

fn permissions(text: &str) -> Permissions {
    Permissions::parse(text).unwrap()
}

fn approval() -> Approval {
    Approval {
        component: Digest::of(b"component"),
        manifest: Digest::of(b"manifest"),
        permissions: permissions("http = [{ host = 'api.example.com', methods = ['GET'] }]\ntools = ['b', 'a']"),
        expires: Some(NOW + HOUR),
        revision: "r1".into(),
    }
}

fn admin() -> TrustRoots {
    trust(&key(1), &[Role::Admin])
}

#[test]
fn an_approval_covers_what_was_approved_and_nothing_else() {
    let approved = approval();
    let envelope = approved.sign(&key(1)).unwrap().to_json();
    let verified = VerifiedApproval::verify(&envelope, &admin(), NOW).unwrap();
    assert_eq!(verified.signers().len(), 1);
    assert_eq!(verified.approval().revision, "r1");

    let Approval { component, manifest, permissions: granted, .. } = approved;
    assert!(verified.covers(component, manifest, &granted, NOW));
    let same = permissions("tools = ['a', 'b', 'a']\nhttp = [{ host = 'api.example.com', methods = ['GET'] }]");
    assert!(verified.covers(component, manifest, &same, NOW));

    assert!(!verified.covers(Digest::of(b"other"), manifest, &granted, NOW));
    assert!(!verified.covers(component, Digest::of(b"other"), &granted, NOW));
    assert!(!verified.covers(component, manifest, &granted, NOW + HOUR));
    for other in ["", "tools = ['a', 'b']", "http = [{ host = '*', methods = ['GET'] }]\ntools = ['a', 'b']"] {
        assert!(!verified.covers(component, manifest, &permissions(other), NOW), "{other}");
    }
}

#[test]
fn an_approval_expires() {
    let envelope = approval().sign(&key(1)).unwrap().to_json();
    assert_eq!(VerifiedApproval::verify(&envelope, &admin(), NOW + HOUR).unwrap_err().code(), "approval.expired");
}

#[test]
fn only_an_admin_approves() {
    let envelope = approval().sign(&key(1)).unwrap().to_json();
    let verify = |trust: &TrustRoots| VerifiedApproval::verify(&envelope, trust, NOW).map_err(|error| error.code());
    assert_eq!(verify(&trust(&key(1), &[Role::Publisher, Role::Forge])), Err("signature.wrong-role"));
    assert_eq!(verify(&trust(&key(2), &[Role::Admin])), Err("signature.unknown-key"));
}

#[test]
fn no_flipped_bit_of_an_approval_changes_what_is_approved() {
    let envelope = approval().sign(&key(1)).unwrap().to_json();
    let whole = VerifiedApproval::verify(&envelope, &admin(), NOW).unwrap();
    for bit in 0..envelope.len() * 8 {
        let mut envelope = envelope.clone();
        envelope[bit / 8] ^= 1 << (bit % 8);
        let verified = VerifiedApproval::verify(&envelope, &admin(), NOW);
        assert!(verified.is_err() || verified.is_ok_and(|verified| verified == whole), "bit {bit}");
    }
}

#[test]
fn a_signed_component_is_not_an_approval_nor_the_other_way_round() {
    // One key with all roles: what is said must decide, not only who says it.
    let everything = trust(&key(1), &[Role::Publisher, Role::Forge, Role::Admin]);
    let error = VerifiedApproval::verify(&bundle().envelope, &everything, NOW).unwrap_err();
    assert_eq!(error.code(), "signature.statement");

    let mut swapped = bundle();
    swapped.envelope = approval().sign(&key(1)).unwrap().to_json();
    assert_eq!(swapped.verify(&everything, NOW).unwrap_err().code(), "signature.statement");
}
