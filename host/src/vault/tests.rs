#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use super::*;

struct Place {
    dir: tempfile::TempDir,
    store: Store,
}

impl Place {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_file(&dir.path().join("store.db")).await.unwrap();
        Self { dir, store }
    }

    /// A host on this database, with its own key file.
    fn host(&self, key: &str, file: &[(&str, &str)]) -> (Vault, Secrets) {
        let file = file.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let secrets = Secrets::new(file);
        (Vault::new(self.store.clone(), self.dir.path().join(key), secrets.clone()), secrets)
    }
}

#[tokio::test]
async fn what_is_entered_counts_at_once_and_on_every_host_with_the_key() {
    let place = Place::new().await;
    let ((a, secrets), (b, elsewhere)) = (place.host("a.key", &[]), place.host("b.key", &[]));
    a.set("API_KEY", "planted-value\n", "client:ops").await.unwrap();
    assert_eq!(secrets.get("API_KEY").as_deref(), Some("planted-value"));
    // Without the key file: nothing, and no second key.
    assert!(matches!(b.sync().await, Err(VaultError::OtherKey(name)) if name == "API_KEY"));
    assert_eq!(elsewhere.get("API_KEY"), None);
    assert!(matches!(b.set("OTHER", "x", "client:ops").await, Err(VaultError::OtherKey(_))));
    assert!(!place.dir.path().join("b.key").exists());
    std::fs::copy(place.dir.path().join("a.key"), place.dir.path().join("b.key")).unwrap();
    b.sync().await.unwrap();
    assert_eq!(elsewhere.get("API_KEY").as_deref(), Some("planted-value"));
    // And gone again, here and there.
    assert!(b.remove("API_KEY").await.unwrap() && !b.remove("API_KEY").await.unwrap());
    a.sync().await.unwrap();
    assert_eq!((secrets.get("API_KEY"), elsewhere.get("API_KEY")), (None, None));
}

#[tokio::test]
async fn the_key_is_for_its_owner_only_and_the_database_has_no_value() {
    let place = Place::new().await;
    let (vault, _) = place.host("secrets.key", &[]);
    vault.set("API_KEY", "planted-value", "client:ops").await.unwrap();
    let key = place.dir.path().join("secrets.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let rows = place.store.secrets().await.unwrap();
    assert!(rows.len() == 1 && !format!("{rows:?}").contains("planted-value"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(vault.sync().await.unwrap_err().code(), "home.exposed");
}

#[tokio::test]
async fn the_owners_file_wins() {
    let place = Place::new().await;
    place.host("k", &[]).0.set("API_KEY", "entered", "client:ops").await.unwrap();
    let (vault, secrets) = place.host("k", &[("API_KEY", "of the file")]);
    vault.sync().await.unwrap();
    assert_eq!(secrets.get("API_KEY").as_deref(), Some("of the file"));
    assert_eq!(vault.list().await.unwrap(), [SecretState { name: "API_KEY".into(), origin: Origin::File }]);
    assert_eq!(vault.set("API_KEY", "x", "client:ops").await.unwrap_err().code(), "secret.file");
    assert_eq!(vault.remove("API_KEY").await.unwrap_err().code(), "secret.file");
}

#[tokio::test]
async fn what_can_be_no_secret_is_refused_without_repeating_it() {
    let place = Place::new().await;
    let (vault, _) = place.host("k", &[]);
    let long = "v".repeat(VALUE_BYTES_MAX + 1);
    for (name, value, code) in [
        ("", "v", "secret.name"),
        ("a b", "v", "secret.name"),
        ("A", "", "secret.value"),
        ("A", "two\nplanted", "secret.value"),
        ("A", &long, "secret.value"),
    ] {
        let error = vault.set(name, value, "client:ops").await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!error.to_string().contains("planted"));
    }
    assert!(vault.list().await.unwrap().is_empty());
}
