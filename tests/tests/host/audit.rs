//! Somebody who may write whatever he likes into the database, and what `wasmill audit verify` says about it.

use serde_json::Value;
use sqlx::AnyPool;
use wasmill::host::from_home::host_name;
use wasmill::store::{AuditEntry, Store};
use wasmill_tests::binary::{Cli, Problem};
use wasmill_tests::postgres::Postgres;
use wasmill_tests::up::Up;

/// Rows that are written and signed.
const ROWS: i64 = 8;

/// A home whose host has written and signed a trail, and its database.
struct Trail {
    cli: Cli,
    chain: String,
    store: Store,
    root: AnyPool,
}

impl Trail {
    /// With PostgreSQL, or with the file in the home.
    async fn written(postgres: Option<&str>) -> Self {
        let cli = Cli::new();
        if let Some(url) = postgres {
            cli.write("home/host.toml", format!("[store]\nurl = \"{url}\"\n"));
        }
        let up = tokio::task::block_in_place(|| Up::start(&cli));
        let url = postgres.map_or_else(|| format!("sqlite://{}/store.db", cli.home().display()), str::to_owned);
        let store = Store::open(&url).await.unwrap();
        let chain = host_name();
        let entry = |n: i64| AuditEntry::now("agent:a", format!("call t f{n}"), "failed", format!("why {n}"));
        for n in 1..=ROWS {
            store.append_audit(&chain, &[entry(n)]).await.unwrap();
        }
        tokio::task::block_in_place(|| drop(up));
        sqlx::any::install_default_drivers();
        let root = AnyPool::connect(&url).await.unwrap();
        let trail = Self { cli, chain, store, root };
        for table in ["audit", "audit_checkpoints"] {
            trail.sql(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
        trail
    }

    /// Does something to the database. `CHAIN` means the host's chain.
    async fn sql(&self, statements: &str) {
        for statement in statements.split(';') {
            let statement = statement.replace("CHAIN", &format!("chain = '{}'", self.chain));
            sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&self.root).await.unwrap_or_else(|error| {
                panic!("{statement}: {error}");
            });
        }
    }

    /// As it was written.
    async fn restore(&self) {
        for table in ["audit", "audit_checkpoints"] {
            self.sql(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
    }

    /// What is found wrong: row and kind, in order.
    fn found(&self) -> Vec<(i64, String)> {
        let ended = tokio::task::block_in_place(|| self.cli.run(&["audit", "verify"]));
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let chains = report["chains"].as_array().unwrap();
        let faults = chains.iter().flat_map(|chain| chain["faults"].as_array().unwrap());
        let fault = |fault: &Value| (fault["seq"].as_i64().unwrap(), fault["kind"].as_str().unwrap().to_owned());
        let mut found: Vec<(i64, String)> = faults.map(fault).collect();
        found.sort();
        assert_eq!(ended.code, i32::from(!found.is_empty()), "{ended:?}");
        if !found.is_empty() {
            let problem: Value = serde_json::from_str(&ended.stderr).unwrap();
            assert_eq!(problem["code"], "audit.broken");
        }
        found
    }

    /// Does it, looks what is found, and undoes it.
    async fn expect(&self, statements: &str, faults: &[(i64, &str)]) {
        self.sql(statements).await;
        let faults: Vec<(i64, String)> = faults.iter().map(|(seq, kind)| (*seq, (*kind).to_owned())).collect();
        assert_eq!(self.found(), faults, "{statements}");
        self.restore().await;
        assert_eq!(self.found(), [], "undoing {statements}");
    }
}

async fn whatever_root_does_to_the_database_is_found(postgres: Option<&str>) {
    let trail = Trail::written(postgres).await;
    let report = tokio::task::block_in_place(|| trail.cli.run(&["audit", "verify"])).json();
    let chain = report["chains"].as_array().unwrap().iter().find(|chain| chain["chain"] == trail.chain).unwrap();
    let said =
        ["rows", "from", "to", "hashed_from", "checkpoints", "signed_to"].map(|key| chain[key].as_i64().unwrap());
    assert_eq!(said, [ROWS, 1, ROWS, 1, 1, ROWS], "{chain}");
    assert_eq!(report["topic"], "read");

    for (field, value) in [
        ("at_ms", "at_ms + 1"),
        ("principal", "'agent:b'"),
        ("action", "'call t f'"),
        ("decision", "'allowed'"),
        ("detail", "''"),
        ("hash", "NULL"),
        ("hash", "upper(hash)"),
    ] {
        trail.expect(&format!("UPDATE audit SET {field} = {value} WHERE CHAIN AND seq = 3"), &[(3, "changed")]).await;
    }
    trail.expect("DELETE FROM audit WHERE CHAIN AND seq = 1", &[(1, "missing")]).await;
    trail.expect("DELETE FROM audit WHERE CHAIN AND seq IN (3, 4)", &[(3, "missing")]).await;
    trail.expect("DELETE FROM audit WHERE CHAIN AND seq > 6", &[(7, "truncated")]).await;
    trail.expect("DELETE FROM audit WHERE CHAIN", &[(1, "truncated")]).await;
    let swap = "UPDATE audit SET seq = -1 WHERE CHAIN AND seq = 2; UPDATE audit SET seq = 2 WHERE CHAIN AND seq = 5; \
                UPDATE audit SET seq = 5 WHERE CHAIN AND seq = -1";
    trail.expect(swap, &[(2, "swapped")]).await;

    // What was signed is also in the home.
    trail.expect("DELETE FROM audit_checkpoints", &[(ROWS, "checkpoint")]).await;
    let all = "DELETE FROM audit; DELETE FROM audit_checkpoints";
    trail.expect(all, &[(1, "truncated"), (ROWS, "checkpoint")]).await;
    trail.expect("UPDATE audit_checkpoints SET seq = 7 WHERE CHAIN", &[(7, "checkpoint"), (ROWS, "checkpoint")]).await;
    let cut = "UPDATE audit_checkpoints SET envelope = '{}' WHERE CHAIN";
    trail.expect(cut, &[(ROWS, "checkpoint")]).await;
}

/// Root knows how hashes are made, and can start the same program: only signatures are not his to make.
async fn a_trail_that_is_written_anew_is_found(postgres: Option<&str>) {
    let trail = Trail::written(postgres).await;
    let anew = async |rows: i64| {
        trail.sql("DELETE FROM audit").await;
        let entry = |n: i64| AuditEntry::now("agent:a", format!("call t f{n}"), "allowed", "");
        let entries: Vec<AuditEntry> = (1..=rows).map(entry).collect();
        trail.store.append_audit(&trail.chain, &entries).await.unwrap();
    };
    anew(ROWS).await;
    assert_eq!(trail.found(), [(ROWS, "changed".to_owned())]);
    anew(ROWS + 3).await;
    assert_eq!(trail.found(), [(ROWS, "changed".to_owned())]);

    // Without the home's file the topic has what was signed.
    trail.restore().await;
    std::fs::remove_file(trail.cli.home().join("audit.jsonl")).unwrap();
    assert_eq!(trail.found(), []);
    trail.sql("DELETE FROM audit_checkpoints; DELETE FROM audit WHERE CHAIN AND seq > 6").await;
    assert_eq!(trail.found(), [(7, "truncated".to_owned()), (ROWS, "checkpoint".to_owned())]);
    trail.restore().await;

    // A key that is not trusted any more.
    trail.cli.write("home/trust.toml", "");
    assert_eq!(trail.found(), [(ROWS, "checkpoint".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_a_file_is_found() {
    whatever_root_does_to_the_database_is_found(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_a_file_anew_is_found() {
    a_trail_that_is_written_anew_is_found(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_homes_file_holds_checkpoints_in_order_and_nothing_else() {
    let trail = Trail::written(None).await;
    let file = trail.cli.home().join("audit.jsonl");
    let line = std::fs::read_to_string(&file).unwrap();
    // A crash cuts the last line; the next one does not hang on it.
    std::fs::write(&file, format!("{line}{{\"payl")).unwrap();
    assert_eq!(trail.found(), []);
    trail.store.append_audit(&trail.chain, &[AuditEntry::now("agent:a", "one more", "failed", "")]).await.unwrap();
    tokio::task::block_in_place(|| drop(Up::start(&trail.cli)));
    assert_eq!(trail.found(), []);
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.starts_with(&line) && whole.lines().count() == 2, "{whole}");

    std::fs::write(&file, format!("{whole}{line}")).unwrap();
    assert_eq!(trail.found(), [(ROWS, "checkpoint".to_owned())]);
    std::fs::write(&file, format!("{whole}no checkpoint\n")).unwrap();
    let ended = tokio::task::block_in_place(|| trail.cli.run(&["audit", "verify"])).expect_code(1);
    assert!(ended.stdout.contains("\"unreadable_lines\":1") && ended.stderr.contains("audit.broken"), "{ended:?}");
    let others = whole.replace(&line, "");
    std::fs::write(&file, others).unwrap();
    assert_eq!(trail.found(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_postgresql_is_found() {
    let Some(server) = tokio::task::block_in_place(Postgres::start) else { return };
    let database = |name: &str| tokio::task::block_in_place(|| server.create_database(name)).unwrap();
    whatever_root_does_to_the_database_is_found(Some(&database("one"))).await;
    a_trail_that_is_written_anew_is_found(Some(&database("two"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_nobody_knows_is_said_to_be_unknown() {
    let cli = Cli::new();
    let Problem { code, .. } = cli.run(&["audit", "verify", "--chain", "nobody"]).problem(4);
    assert_eq!(code, "audit.unknown");
    assert_eq!(cli.run(&["audit", "list", "--principal", "agent:a"]).json(), serde_json::json!([]));
}
