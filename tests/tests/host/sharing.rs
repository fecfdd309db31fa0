//! Hosts on one database give each other components, and believe nothing.

use wasmill::host::sharing::{Sharing, forget, offer_one, withdraw_one};
use wasmill_registry::{Role, trust_entry};
use wasmill_tests::scratch::Scratch;

const TOOL: &str = "name = 'web'\nversion = '1.0.0'\nkind = 'tool'\n";

/// What one host gives and takes over the database of another.
fn sharing(host: &Scratch, database: &Scratch) -> Sharing {
    let home = host.dir.path();
    let (trust, lock) = (home.join("trust.toml"), home.join("wasmill.lock"));
    Sharing::new(host.registry().unwrap(), trust, lock, database.store.clone())
}

fn installed(host: &Scratch) -> Vec<String> {
    host.registry()
        .unwrap()
        .list()
        .unwrap()
        .into_iter()
        .map(|entry| format!("{}@{}", entry.name, entry.version))
        .collect()
}

/// Makes one host trust the other's publisher.
fn trust(host: &Scratch, other: &Scratch) {
    let path = host.dir.path().join("trust.toml");
    let entry = trust_entry("other", &other.publisher.public(), &[Role::Publisher], None);
    std::fs::write(&path, format!("{}\n{entry}", std::fs::read_to_string(&path).unwrap())).unwrap();
}

async fn two_hosts() -> (Scratch, Scratch) {
    (Scratch::new("").await.unwrap(), Scratch::new("").await.unwrap())
}

#[tokio::test]
async fn a_component_goes_to_the_others_and_goes_from_them_and_comes_back() {
    let (a, b) = two_hosts().await;
    trust(&b, &a);
    a.install_bytes(b"component", TOOL).unwrap();
    let (mut from_a, mut to_b) = (sharing(&a, &a), sharing(&b, &a));
    from_a.sync().await.unwrap();
    to_b.sync().await.unwrap();
    assert_eq!(installed(&b), ["web@1.0.0"]);

    let entry = b.registry().unwrap().list().unwrap().remove(0);
    withdraw_one(&a.store, &entry).await.unwrap();
    forget(&b.registry().unwrap(), &entry).unwrap();
    from_a.sync().await.unwrap();
    to_b.sync().await.unwrap();
    assert!(installed(&a).is_empty() && installed(&b).is_empty());

    a.install_bytes(b"component", TOOL).unwrap();
    offer_one(&a.registry().unwrap(), &a.store, &entry).await.unwrap();
    from_a.sync().await.unwrap();
    to_b.sync().await.unwrap();
    assert_eq!((installed(&a), installed(&b)), (vec!["web@1.0.0".to_owned()], vec!["web@1.0.0".to_owned()]));
}

#[tokio::test]
async fn a_database_brings_back_nothing_old_and_nothing_else_under_the_same_version() {
    let (a, b) = two_hosts().await;
    trust(&b, &a);
    let newer = TOOL.replace("1.0.0", "2.0.0");
    a.install_bytes(b"component", &newer).unwrap();
    sharing(&a, &a).sync().await.unwrap();
    sharing(&b, &a).sync().await.unwrap();
    assert_eq!(installed(&b), ["web@2.0.0"]);

    // Somebody takes the new one away there, and offers what the publisher signed too: an old one, and another 2.0.0.
    let entry = b.registry().unwrap().list().unwrap().remove(0);
    withdraw_one(&a.store, &entry).await.unwrap();
    forget(&a.registry().unwrap(), &entry).unwrap();
    a.install_bytes(b"component", TOOL).unwrap();
    a.install_bytes(b"other", &newer).unwrap();
    sharing(&a, &a).sync().await.unwrap();
    sharing(&b, &a).sync().await.unwrap();
    assert_eq!(installed(&a), ["web@1.0.0", "web@2.0.0"]);
    assert!(installed(&b).is_empty());
    // A newer one comes in.
    a.install_bytes(b"component", &TOOL.replace("1.0.0", "2.0.1")).unwrap();
    sharing(&a, &a).sync().await.unwrap();
    sharing(&b, &a).sync().await.unwrap();
    assert_eq!(installed(&b), ["web@2.0.1"]);
}

#[tokio::test]
async fn a_new_host_takes_old_and_new_versions() {
    let (a, b) = two_hosts().await;
    trust(&b, &a);
    for version in ["1.10.0", "1.9.0"] {
        a.install_bytes(b"component", &TOOL.replace("1.0.0", version)).unwrap();
    }
    sharing(&a, &a).sync().await.unwrap();
    sharing(&b, &a).sync().await.unwrap();
    assert_eq!(installed(&b), ["web@1.9.0", "web@1.10.0"]);
}

#[tokio::test]
async fn a_component_of_a_stranger_is_not_taken_until_its_key_is_trusted() {
    let (a, b) = two_hosts().await;
    a.install_bytes(b"component", TOOL).unwrap();
    sharing(&a, &a).sync().await.unwrap();
    let mut to_b = sharing(&b, &a);
    to_b.sync().await.unwrap();
    assert!(installed(&b).is_empty());
    trust(&b, &a);
    to_b.sync().await.unwrap();
    assert_eq!(installed(&b), ["web@1.0.0"]);
}

#[tokio::test]
async fn what_somebody_wrote_into_the_database_is_no_component() {
    let (a, b) = two_hosts().await;
    trust(&b, &a);
    a.install_bytes(b"component", TOOL).unwrap();
    sharing(&a, &a).sync().await.unwrap();
    let row = a.store.bundles().await.unwrap().remove(0);
    let files = a.store.bundle_files(&row.entry).await.unwrap().unwrap();
    let mut changed: serde_json::Value = serde_json::from_str(&files).unwrap();
    changed["component"] = "b3RoZXI=".into();
    for text in [
        changed.to_string(),
        "{}".to_owned(),
        "no JSON".to_owned(),
        files.replace("\"component\":\"", "\"component\":\"?"),
    ] {
        a.store.offer_bundle(&row.entry, "web@1.0.0", &text).await.unwrap();
        sharing(&b, &a).sync().await.unwrap();
        assert!(installed(&b).is_empty(), "{text}");
    }
}
