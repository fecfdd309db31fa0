//! Tests across modules, and what they share: keys, trust roots and a small signed component.

mod advisory;
mod agentry;
mod approval;
mod checkpoint;
mod component;
mod image;
mod layout;
mod lock;
mod policy;
mod rollback;
mod trust;

use time::{Duration, OffsetDateTime};

use crate::{Bundle, Claim, Role, SecretKey, TrustRoots, Verified, sign, trust_entry};

/// The moment at which tests verify. Nothing in this crate looks at the clock, so any moment will do.
pub(crate) const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
pub(crate) const HOUR: Duration = Duration::HOUR;

pub(crate) const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0 and what follows";
pub(crate) const MANIFEST: &str = "name = \"upper\"\nversion = \"1.2.3\"\nkind = \"tool\"\n";

/// A key that is the same in each run.
pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

/// Trust roots with one key.
pub(crate) fn trust(key: &SecretKey, roles: &[Role]) -> TrustRoots {
    TrustRoots::parse(&trust_entry("alice", &key.public(), roles, None)).unwrap()
}

/// A published component, signed by key 1.
pub(crate) fn bundle() -> Bundle {
    bundle_of(COMPONENT, MANIFEST)
}

pub(crate) fn bundle_of(component: &[u8], manifest: &str) -> Bundle {
    let envelope = sign(component, manifest.as_bytes(), &Claim::Published, &key(1)).unwrap();
    Bundle {
        component: component.to_vec(),
        manifest: manifest.as_bytes().to_vec(),
        envelope: envelope.to_json(),
        source: None,
    }
}

pub(crate) fn verified_of(component: &[u8], manifest: &str) -> Verified {
    bundle_of(component, manifest).verify(&trust(&key(1), &[Role::Publisher]), NOW).unwrap()
}
