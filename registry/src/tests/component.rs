use serde_json::json;

use super::{COMPONENT, HOUR, MANIFEST, NOW, bundle, key, trust};
use crate::{
    BuildDefinition, Builder, Bundle, COMPONENT_SIZE_MAX, Claim, Digest, ENVELOPE_SIZE_MAX, Provenance, Resource, Role,
    RunDetails, SOURCE_SIZE_MAX, TrustRoots, sign, trust_entry,
};

fn refused(bundle: Bundle, trust: &TrustRoots) -> &'static str {
    bundle.verify(trust, NOW).unwrap_err().code()
}

fn publisher() -> TrustRoots {
    trust(&key(1), &[Role::Publisher])
}

fn provenance(source: &[u8]) -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "urn:wasmill:forge:v1".into(),
            external_parameters: json!({"maker": "agent:smith"}),
            internal_parameters: json!({}),
            resolved_dependencies: vec![
                Resource::source(Digest::of(source)),
                Resource::new("rustc", Digest::of(b"rustc")),
            ],
        },
        run_details: RunDetails { builder: Builder { id: "urn:wasmill:host".into() }, metadata: json!({}) },
    }
}

/// A component that the forge signed with key 1.
fn forged(source: &[u8]) -> Bundle {
    let manifest = MANIFEST.replace("upper", "smith.upper");
    let envelope = sign(COMPONENT, manifest.as_bytes(), &Claim::Forged(provenance(source)), &key(1)).unwrap();
    Bundle {
        component: COMPONENT.to_vec(),
        manifest: manifest.into_bytes(),
        envelope: envelope.to_json(),
        source: Some(source.to_vec()),
    }
}

#[test]
fn what_was_signed_is_verified() {
    let verified = bundle().verify(&publisher(), NOW).unwrap();
    assert_eq!(verified.digest(), Digest::of(COMPONENT));
    assert_eq!(verified.manifest_digest(), Digest::of(MANIFEST.as_bytes()));
    assert_eq!((verified.component(), verified.manifest().name.as_str()), (COMPONENT, "upper"));
    assert_eq!((verified.signer().id.clone(), verified.signer().role), (key(1).public().id(), Role::Publisher));
    assert_eq!(verified.claim(), &Claim::Published);
}

#[test]
fn every_flipped_bit_of_component_and_manifest_is_found() {
    for bit in 0..COMPONENT.len() * 8 {
        let mut bundle = bundle();
        bundle.component[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refused(bundle, &publisher()), "signature.mismatch", "bit {bit}");
    }
    for bit in 0..MANIFEST.len() * 8 {
        let mut bundle = bundle();
        bundle.manifest[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(refused(bundle, &publisher()), "signature.mismatch", "bit {bit}");
    }
}

#[test]
fn no_flipped_bit_of_the_envelope_changes_what_is_believed() {
    let whole = bundle();
    let mut refusals = 0;
    for bit in 0..whole.envelope.len() * 8 {
        let mut bundle = whole.clone();
        bundle.envelope[bit / 8] ^= 1 << (bit % 8);
        match bundle.verify(&publisher(), NOW) {
            // The name of the field `keyid`, which is optional: the signature is found by trying.
            Ok(verified) => {
                assert_eq!((verified.digest(), verified.signer().name.as_str()), (Digest::of(COMPONENT), "alice"))
            }
            Err(_) => refusals += 1,
        }
    }
    assert!(refusals >= (whole.envelope.len() - "keyid".len()) * 8, "{refusals}");
}

#[test]
fn every_truncated_file_is_refused() {
    let whole = bundle();
    let files: [fn(&mut Bundle) -> &mut Vec<u8>; 3] = [|b| &mut b.component, |b| &mut b.manifest, |b| &mut b.envelope];
    for file in files {
        for length in 0..file(&mut whole.clone()).len() {
            let mut bundle = whole.clone();
            file(&mut bundle).truncate(length);
            assert!(bundle.verify(&publisher(), NOW).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn a_signature_of_another_thing_does_not_fit() {
    let mut mixed = bundle();
    mixed.envelope = super::bundle_of(b"another component", MANIFEST).envelope;
    assert_eq!(refused(mixed, &publisher()), "signature.mismatch");

    let mut json: serde_json::Value = serde_json::from_slice(&bundle().envelope).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&super::bundle_of(b"another", MANIFEST).envelope).unwrap();
    json["payload"] = other["payload"].clone();
    let swapped = Bundle { envelope: serde_json::to_vec(&json).unwrap(), ..bundle() };
    assert_eq!(refused(swapped, &publisher()), "signature.bad");
}

#[test]
fn only_keys_that_are_trusted_for_it_count() {
    assert_eq!(refused(bundle(), &TrustRoots::default()), "signature.unknown-key");
    assert_eq!(refused(bundle(), &trust(&key(2), &[Role::Publisher])), "signature.unknown-key");
    assert_eq!(refused(bundle(), &trust(&key(1), &[Role::Forge, Role::Admin])), "signature.wrong-role");
    let entry = trust_entry("alice", &key(1).public(), &[Role::Publisher], None);
    assert_eq!(refused(bundle(), &TrustRoots::parse(&(entry + "revoked = true\n")).unwrap()), "signature.revoked-key");
}

#[test]
fn a_key_counts_until_the_moment_that_it_expires() {
    let until = trust_entry("alice", &key(1).public(), &[Role::Publisher], Some(NOW + HOUR));
    let trust = TrustRoots::parse(&until).unwrap();
    assert!(bundle().verify(&trust, NOW + HOUR - time::Duration::SECOND).is_ok());
    assert_eq!(bundle().verify(&trust, NOW + HOUR).unwrap_err().code(), "signature.expired-key");
}

#[test]
fn someone_elses_key_id_does_not_help() {
    // Key 2 signs, and claims to be key 1.
    let envelope = sign(COMPONENT, MANIFEST.as_bytes(), &Claim::Published, &key(2)).unwrap().to_json();
    let (own, claimed) = (key(2).public().id().to_string(), key(1).public().id().to_string());
    let envelope = String::from_utf8(envelope).unwrap().replace(&own, &claimed).into_bytes();
    assert_eq!(refused(Bundle { envelope, ..bundle() }, &publisher()), "signature.bad");
}

#[test]
fn a_forged_component_is_signed_by_the_forge() {
    let verified = forged(b"fn f() {}").verify(&trust(&key(1), &[Role::Forge]), NOW).unwrap();
    assert_eq!((verified.signer().role, verified.source()), (Role::Forge, Some(&b"fn f() {}"[..])));
    assert_eq!(verified.claim(), &Claim::Forged(provenance(b"fn f() {}")));
    assert_eq!(refused(forged(b"fn f() {}"), &publisher()), "signature.wrong-role");
}

#[test]
fn the_source_is_the_one_that_was_built() {
    let changed = Bundle { source: Some(b"fn g() {}".to_vec()), ..forged(b"fn f() {}") };
    assert_eq!(refused(changed, &trust(&key(1), &[Role::Forge])), "signature.mismatch");
    let added = Bundle { source: Some(b"fn g() {}".to_vec()), ..bundle() };
    assert_eq!(refused(added, &publisher()), "signature.statement");
}

#[test]
fn publisher_and_forge_keep_to_their_names() {
    let forged_name = MANIFEST.replace("upper", "smith.upper");
    let error = sign(COMPONENT, forged_name.as_bytes(), &Claim::Published, &key(1)).unwrap_err();
    assert_eq!(error.code(), "signature.name");
    let error = sign(COMPONENT, MANIFEST.as_bytes(), &Claim::Forged(provenance(b"")), &key(1)).unwrap_err();
    assert_eq!(error.code(), "signature.name");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let large = Bundle { component: vec![0; COMPONENT_SIZE_MAX + 1], ..bundle() };
    assert_eq!(refused(large, &publisher()), "component.too-large");
    let large = Bundle { envelope: vec![b' '; ENVELOPE_SIZE_MAX + 1], ..bundle() };
    assert_eq!(refused(large, &publisher()), "component.too-large");
    let script = format!("{MANIFEST}\n[script]\nengine = \"{}\"\n", Digest::of(COMPONENT));
    let error = sign(&vec![b' '; SOURCE_SIZE_MAX + 1], script.as_bytes(), &Claim::Published, &key(1)).unwrap_err();
    assert_eq!(error.code(), "component.too-large");
    let error = sign(&vec![0; COMPONENT_SIZE_MAX + 1], MANIFEST.as_bytes(), &Claim::Published, &key(1)).unwrap_err();
    assert_eq!(error.code(), "component.too-large");
}

#[test]
fn a_wrong_manifest_is_not_signed() {
    let error = sign(COMPONENT, b"name = \"a\"\nversoin = \"1.0.0\"\n", &Claim::Published, &key(1)).unwrap_err();
    assert_eq!(error.code(), "manifest.invalid");
    assert!(error.to_string().contains("line 2"), "{error}");
}
