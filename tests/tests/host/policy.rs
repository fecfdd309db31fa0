//! Hosts on one database follow what an admin has signed for all of them, and nothing else.

use wasmill::home::Home;
use wasmill::host::policy::Policies;
use wasmill::store::Store;
use wasmill_registry::{Policy, SecretKey};
use wasmill_tests::binary::Cli;

const ROWS: &str = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\n";

/// A home with the database that it shares with others.
struct Shared {
    cli: Cli,
    store: Store,
}

impl Shared {
    async fn new() -> Self {
        let cli = Cli::new();
        let store = Store::open_file(&cli.folder().join("shared.db")).await.unwrap();
        Self { cli, store }
    }

    fn home(&self) -> Home {
        Home::open(&self.cli.home()).unwrap()
    }

    fn policies(&self) -> Policies {
        Policies::new(self.home(), self.store.clone())
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.cli.home().join(name)).unwrap()
    }

    /// A policy with these rows and the trust roots of the home.
    fn policy(&self, serial: u64, permissions: &str) -> Policy {
        Policy { serial, permissions: permissions.to_owned(), trust: self.file("trust.toml") }
    }

    fn key(&self, name: &str) -> SecretKey {
        SecretKey::read(&self.home().key_file(name)).unwrap()
    }

    async fn add(&self, serial: i64, policy: &Policy, key: &SecretKey) {
        let envelope = String::from_utf8(policy.sign(key).unwrap().to_json()).unwrap();
        self.store.add_policy(serial, &envelope).await.unwrap();
    }
}

#[tokio::test]
async fn what_an_admin_signed_is_in_the_home_and_the_newest_counts() {
    let shared = Shared::new().await;
    let (admin, mut policies) = (shared.key("admin"), shared.policies());
    policies.sync().await.unwrap();
    let before = shared.file("permissions.toml");
    let more_trust = Policy { trust: format!("{}\n# more\n", shared.file("trust.toml")), ..shared.policy(7, ROWS) };
    shared.add(5, &shared.policy(5, ""), &admin).await;
    shared.add(7, &more_trust, &admin).await;
    policies.sync().await.unwrap();
    assert_ne!(before, ROWS);
    assert_eq!((shared.file("permissions.toml"), shared.file("trust.toml")), (ROWS.to_owned(), more_trust.trust));
    assert_eq!(shared.home().policy_serial().unwrap(), 7);
}

#[tokio::test]
async fn a_policy_that_no_admin_of_this_home_signed_changes_nothing_and_hides_none() {
    let (shared, other) = (Shared::new().await, Shared::new().await);
    let stranger = other.key("admin");
    shared.add(9, &shared.policy(9, "privileged = []\n"), &shared.key("publisher")).await;
    shared.add(8, &shared.policy(8, "privileged = []\n"), &stranger).await;
    shared.store.add_policy(10, "no envelope").await.unwrap();
    let before = shared.file("permissions.toml");
    let mut policies = shared.policies();
    policies.sync().await.unwrap();
    assert_eq!(shared.file("permissions.toml"), before);
    shared.add(4, &shared.policy(4, ROWS), &shared.key("admin")).await;
    policies.sync().await.unwrap();
    assert_eq!(shared.file("permissions.toml"), ROWS);
}

#[tokio::test]
async fn an_old_policy_never_comes_back() {
    let shared = Shared::new().await;
    let admin = shared.key("admin");
    shared.add(6, &shared.policy(6, ROWS), &admin).await;
    shared.policies().sync().await.unwrap();
    // Signed once, and offered again under a later number; and the same after a restart.
    shared.add(11, &shared.policy(3, ""), &admin).await;
    shared.policies().sync().await.unwrap();
    assert_eq!(shared.file("permissions.toml"), ROWS);
}

#[tokio::test]
async fn a_policy_that_no_host_could_read_is_not_taken() {
    let shared = Shared::new().await;
    let (admin, before) = (shared.key("admin"), shared.file("trust.toml"));
    shared.add(6, &shared.policy(6, "[[row]]\nnonsense = 1\n"), &admin).await;
    shared.add(7, &Policy { trust: "key = 3".into(), ..shared.policy(7, ROWS) }, &admin).await;
    shared.policies().sync().await.unwrap();
    assert_eq!(shared.file("trust.toml"), before);
    assert_ne!(shared.file("permissions.toml"), ROWS);
}

#[test]
fn a_home_whose_database_is_its_own_has_nobody_to_share_with() {
    let cli = Cli::new();
    let problem = cli.run(&["permission", "share"]).problem(1);
    assert_eq!(problem.code, "policy.alone");
    cli.write("home/host.toml", format!("[store]\nurl = \"sqlite://{}\"\n", cli.folder().join("s.db").display()));
    let shared = cli.run(&["permission", "share"]).json();
    assert_eq!(shared["signers"], serde_json::json!(["admin"]));
    assert_eq!(cli.run(&["permission", "share", "--key", "publisher"]).problem(3).code, "signature.wrong-role");
}
