//! What counts as an approval, and all that doesn't.

use std::path::PathBuf;

use time::{Duration, OffsetDateTime};
use wasmill_registry::{Bundle, Claim, Registry, Role, SecretKey, TrustRoots, sign, trust_entry};

use super::*;
use crate::permissions::Principal;
use crate::store::{AuditFilter, Store};

const MATRIX: &str = r#"privileged = ["http"]

[[row]]
principal = "tool:*"
http = [{ host = "api.example.com", methods = ["GET"] }]
model = ["small"]
"#;

const WANTED: &str = "http = [{ host = 'api.example.com', methods = ['GET'] }]\nmodel = ['*']";

/// A registry, a matrix, a database and three keys.
struct Office {
    dir: tempfile::TempDir,
    registry: Registry,
    store: Store,
    publisher: SecretKey,
    admin: SecretKey,
    trust: TrustRoots,
}

fn cli() -> Principal {
    Principal::client("cli")
}

impl Office {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (publisher, admin) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let roots = [
            trust_entry("publisher", &publisher.public(), &[Role::Publisher], None),
            trust_entry("admin", &admin.public(), &[Role::Admin], None),
        ];
        let office = Self {
            registry: Registry::create(&dir.path().join("registry")).unwrap(),
            store: Store::open_file(&dir.path().join("store.db")).await.unwrap(),
            trust: TrustRoots::parse(&roots.concat()).unwrap(),
            publisher,
            admin,
            dir,
        };
        office.write_matrix(MATRIX);
        office
    }

    fn matrix(&self) -> PathBuf {
        self.dir.path().join("permissions.toml")
    }

    fn write_matrix(&self, text: &str) {
        std::fs::write(self.matrix(), text).unwrap();
    }

    fn desk(&self) -> Desk {
        let (registry, store) = (Registry::open(self.registry.folder()).unwrap(), self.store.clone());
        Desk::new(DeskParts { registry, permissions: self.matrix(), store })
    }

    /// Installs a tool; what it is made of doesn't matter here.
    fn install(&self, version: &str, bytes: &[u8], wanted: &str) {
        let manifest = format!("name = 'web'\nversion = '{version}'\nkind = 'tool'\n[permissions]\n{wanted}\n");
        let envelope = sign(bytes, manifest.as_bytes(), &Claim::Published, &self.publisher).unwrap();
        let (component, manifest) = (bytes.to_vec(), manifest.into_bytes());
        let bundle = Bundle { component, manifest, envelope: envelope.to_json(), source: None };
        self.registry.install(&bundle.verify(&self.trust, OffsetDateTime::now_utc()).unwrap()).unwrap();
    }

    async fn case(&self, reference: &str) -> Case {
        self.desk().show(reference, &self.trust).await.unwrap().case
    }

    async fn state(&self, reference: &str) -> &'static str {
        self.case(reference).await.state.word()
    }

    async fn approve(&self, reference: &str) -> Vec<u8> {
        let envelope = self.case(reference).await.approval(None).sign(&self.admin).unwrap().to_json();
        self.desk().grant(&envelope, &self.trust, &cli()).await.unwrap();
        envelope
    }
}

#[tokio::test]
async fn a_component_waits_until_an_admin_approves_it() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    let case = office.case("web").await;
    assert_eq!((case.state.word(), case.privileged.as_slice()), ("waiting", ["http".to_string()].as_slice()));
    assert_eq!(case.permissions.model, ["small"], "what is approved is what it would have, not what it wishes");
    office.approve("web").await;
    let granted = office.case("web@1.0.0").await;
    assert_eq!(granted.state.word(), "granted");
    let json = serde_json::to_value(&granted).unwrap();
    assert_eq!((json["state"].as_str(), json["signers"][0]["name"].as_str()), (Some("granted"), Some("admin")));
    assert_eq!(serde_json::from_value::<Case>(json).unwrap(), granted);
    let trail = office.store.audit(&AuditFilter { principal: None, limit: 10, after: None }).await.unwrap();
    assert_eq!((trail[0].action.as_str(), trail[0].decision.as_str()), ("approve web@1.0.0", "allowed"));
}

#[tokio::test]
async fn a_component_that_asks_for_nothing_privileged_never_waits() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", "model = ['*']");
    assert!(office.desk().list(&office.trust).await.unwrap().is_empty());
    let error = office.desk().show("web", &office.trust).await.unwrap_err();
    assert_eq!(error.code(), "approval.unknown");
}

#[tokio::test]
async fn a_changed_component_or_manifest_waits_again() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    office.approve("web").await;
    office.install("1.0.1", b"other", WANTED);
    office.install("1.0.2", b"one", &format!("{WANTED}\nclock = true"));
    assert_eq!(office.state("web@1.0.0").await, "granted");
    assert_eq!(office.state("web@1.0.1").await, "waiting", "other bytes");
    assert_eq!(office.state("web@1.0.2").await, "waiting", "the same bytes under another manifest");
}

#[tokio::test]
async fn an_approval_ends_when_the_matrix_gives_more() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    office.approve("web").await;
    office.write_matrix(&MATRIX.replace("\"small\"", "\"small\", \"large\""));
    assert_eq!(office.state("web").await, "waiting");
    office.write_matrix(MATRIX);
    assert_eq!(office.state("web").await, "granted");
}

#[tokio::test]
async fn writing_into_the_database_gives_nobody_anything() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    office.install("1.0.1", b"two", WANTED);
    let real = office.approve("web@1.0.0").await;
    let stranger = SecretKey::generate().unwrap();
    let case = office.case("web@1.0.1").await;
    let (digest, manifest) = (case.digest.to_string(), case.manifest_digest.to_string());
    let forgeries = [
        ("an approval of somebody unknown", case.approval(None).sign(&stranger).unwrap().to_json()),
        ("one signed with a publisher's key", case.approval(None).sign(&office.publisher).unwrap().to_json()),
        ("one of another component", real.clone()),
        ("one with another payload under a real signature", with_payload_of(&real, &case, &stranger)),
        ("no envelope at all", b"{}".to_vec()),
    ];
    for (what, envelope) in forgeries {
        let envelope = String::from_utf8(envelope).unwrap();
        office.store.add_approval(&digest, &manifest, "web@1.0.1", &envelope).await.unwrap();
        assert_eq!(office.state("web@1.0.1").await, "waiting", "{what}");
    }
    assert_eq!(office.state("web@1.0.0").await, "granted", "what was really approved is not disturbed");
}

/// The envelope of a real approval with its payload exchanged for that of a case.
fn with_payload_of(real: &[u8], case: &Case, key: &SecretKey) -> Vec<u8> {
    let mut envelope: serde_json::Value = serde_json::from_slice(real).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&case.approval(None).sign(key).unwrap().to_json()).unwrap();
    envelope["payload"] = other["payload"].clone();
    envelope.to_string().into_bytes()
}

#[tokio::test]
async fn a_changed_row_counts_for_what_was_signed_and_nothing_else() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    let real = String::from_utf8(office.approve("web").await).unwrap();
    let case = office.case("web").await;
    office.store.remove_approvals(&case.digest.to_string(), &case.manifest_digest.to_string()).await.unwrap();
    assert_eq!(office.state("web").await, "waiting");
    let broken = real.replacen("\"sig\":\"", "\"sig\":\"AAAA", 1);
    assert_ne!(broken, real);
    office
        .store
        .add_approval(&case.digest.to_string(), &case.manifest_digest.to_string(), "web", &broken)
        .await
        .unwrap();
    assert_eq!(office.state("web").await, "waiting", "a broken signature");
    office.store.add_approval("nonsense", "nonsense", "nonsense", &real).await.unwrap();
    assert_eq!(office.state("web").await, "granted", "the envelope counts, not the columns beside it");
}

#[tokio::test]
async fn an_approval_counts_only_as_long_as_its_key_and_its_time() {
    let mut office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    let soon = OffsetDateTime::now_utc() + Duration::hours(1);
    let envelope = office.case("web").await.approval(Some(soon)).sign(&office.admin).unwrap().to_json();
    office.desk().grant(&envelope, &office.trust, &cli()).await.unwrap();
    assert_eq!(office.state("web").await, "granted");

    let past = OffsetDateTime::now_utc() - Duration::hours(1);
    let late = office.case("web").await.approval(Some(past)).sign(&office.admin).unwrap().to_json();
    let error = office.desk().grant(&late, &office.trust, &cli()).await.unwrap_err();
    assert!(matches!(error, ApprovalError::Signature(_)), "{error}");

    let entry = trust_entry("admin", &office.admin.public(), &[Role::Admin], None);
    let publisher = trust_entry("publisher", &office.publisher.public(), &[Role::Publisher], None);
    office.trust = TrustRoots::parse(&format!("{publisher}{}\nrevoked = true\n", entry.trim_end())).unwrap();
    assert_eq!(office.state("web").await, "waiting", "the admin's key was revoked");
}

#[tokio::test]
async fn an_approval_of_what_is_not_here_or_no_longer_so_is_refused() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    let case = office.case("web").await;
    let mut elsewhere = case.approval(None);
    elsewhere.component = case.manifest_digest;
    let envelope = elsewhere.sign(&office.admin).unwrap().to_json();
    let error = office.desk().grant(&envelope, &office.trust, &cli()).await.unwrap_err();
    assert_eq!(error.code(), "approval.not-here");

    let mut more = case.approval(None);
    more.permissions.secrets.push("*".into());
    let envelope = more.sign(&office.admin).unwrap().to_json();
    let error = office.desk().grant(&envelope, &office.trust, &cli()).await.unwrap_err();
    assert_eq!(error.code(), "approval.stale");
    assert!(office.store.approvals().await.unwrap().is_empty(), "nothing of it was kept");
}

#[tokio::test]
async fn a_denial_withdraws_and_is_remembered_with_its_reason() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    office.approve("web").await;
    office.desk().deny("web", "too curious", &office.trust, &cli()).await.unwrap();
    let case = office.case("web").await;
    assert_eq!(case.state, CaseState::Denied { reason: "too curious".into(), by: "client:cli".into() });
    office.approve("web").await;
    assert_eq!(office.state("web").await, "granted", "an admin may think again");
}

#[tokio::test]
async fn a_name_alone_means_the_version_that_waits() {
    let office = Office::new().await;
    office.install("1.0.0", b"one", WANTED);
    office.approve("web").await;
    office.install("1.0.1", b"two", WANTED);
    assert_eq!(office.case("web").await.component, "web@1.0.1");
    office.install("1.0.2", b"three", WANTED);
    let error = office.desk().show("web", &office.trust).await.unwrap_err();
    assert_eq!(error.code(), "approval.ambiguous");
}

/// An office where several admins decide.
async fn several(thresholds: &str) -> (Office, SecretKey, SecretKey) {
    let mut office = Office::new().await;
    let (second, both) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let roots = [
        trust_entry("publisher", &office.publisher.public(), &[Role::Publisher], None),
        trust_entry("admin", &office.admin.public(), &[Role::Admin], None),
        trust_entry("second", &second.public(), &[Role::Admin], None),
        trust_entry("both", &both.public(), &[Role::Admin, Role::Publisher], None),
        thresholds.to_owned(),
    ];
    office.trust = TrustRoots::parse(&roots.concat()).unwrap();
    (office, second, both)
}

impl Office {
    async fn sign(&self, key: &SecretKey, expires: Option<OffsetDateTime>) -> Result<Case, ApprovalError> {
        let envelope = self.case("web").await.approval(expires).sign(key).unwrap().to_json();
        self.desk().grant(&envelope, &self.trust, &cli()).await
    }
}

#[tokio::test]
async fn as_many_different_admins_have_to_sign_as_the_column_asks_for() {
    let (office, second, _) = several("[thresholds]\nhttp = 2\n").await;
    office.install("1.0.0", b"one", WANTED);
    for _ in 0..2 {
        // The same admin again is no other admin.
        let case = office.sign(&office.admin, None).await.unwrap();
        assert!(
            matches!(&case.state, CaseState::Waiting { signers, needed: 2 } if signers.len() == 1),
            "{:?}",
            case.state
        );
    }
    let soon = OffsetDateTime::now_utc() + Duration::HOUR;
    let case = office.sign(&second, Some(soon)).await.unwrap();
    let CaseState::Granted { signers, expires } = case.state else { panic!("{:?}", case.state) };
    assert_eq!((signers.len(), expires.map(|at| at.unix_timestamp())), (2, Some(soon.unix_timestamp())));
}

#[tokio::test]
async fn a_column_without_a_threshold_needs_one_admin_unless_all_need_more() {
    for (thresholds, state) in [
        ("[thresholds]\nsecrets = 2\n", "granted"),
        ("[thresholds]\n\"*\" = 2\n", "waiting"),
        ("[thresholds]\n\"*\" = 2\nhttp = 1\n", "granted"),
        ("[thresholds]\nhigh = 2\n", "waiting"),
        ("[thresholds]\nlow = 2\n", "waiting"),
        ("[thresholds]\ncritical = 2\n", "granted"),
        ("[thresholds]\n\"*\" = 2\nhttp = 1\nhigh = 1\n", "granted"),
    ] {
        let (office, _, _) = several(thresholds).await;
        office.install("1.0.0", b"one", WANTED);
        assert_eq!(office.sign(&office.admin, None).await.unwrap().state.word(), state, "{thresholds}");
    }
}

#[tokio::test]
async fn nobody_approves_what_they_made() {
    let (mut office, _, both) = several("").await;
    office.publisher = both;
    office.install("1.0.0", b"one", WANTED);
    let error = office.sign(&office.publisher, None).await.unwrap_err();
    assert_eq!(error.code(), "approval.own");
    // Nor does it count where somebody brought it into the database.
    let case = office.case("web").await;
    let envelope = case.approval(None).sign(&office.publisher).unwrap().to_json();
    let text = String::from_utf8(envelope).unwrap();
    let (digest, manifest) = (case.digest.to_string(), case.manifest_digest.to_string());
    office.store.add_approval(&digest, &manifest, &case.component, &text).await.unwrap();
    assert_eq!(office.state("web").await, "waiting");
    office.sign(&office.admin, None).await.unwrap();
    assert_eq!(office.state("web").await, "granted");
}

#[test]
fn a_threshold_that_asks_for_nobody_or_for_nothing_is_refused() {
    for (thresholds, line) in [("htpp = 2", 2), ("http = 0", 2), ("\"*\" = 1\nhttp = 17", 3)] {
        let error = TrustRoots::parse(&format!("[thresholds]\n{thresholds}\n")).unwrap_err();
        assert_eq!(error.line, line, "{error}");
    }
}

#[test]
fn thresholds_know_every_column() {
    assert_eq!(crate::permissions::Column::ALL.map(crate::permissions::Column::word), wasmill_registry::COLUMNS);
}
