//! The same behaviour on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

#[path = "store/forged.rs"]
mod forged;
#[path = "store/model_usage.rs"]
mod model_usage;
#[path = "store/runs.rs"]
mod runs;

use forged::{
    claims_of_a_maker_are_decided_one_after_the_other, news_go_once_they_are_sent_and_the_oldest_first,
    uses_are_known_by_their_last_day,
};
use model_usage::{a_day_of_a_model_has_room_or_not_for_all_payers_at_once, hours_of_models_add_up_and_old_ones_go};
use runs::{
    a_journal_is_cut_where_a_run_asks_again, finished_runs_go_with_their_journals_and_no_others,
    only_the_turn_that_has_claimed_a_run_writes, orders_count_where_the_run_stands_so,
};
use serde_json::json;
use wasmill::audit::{ChainCheck, ChainReport};
use wasmill::store::{
    AuditEntry, AuditFilter, AuditSent, AuditWriter, BuildFilter, BuildOutcome, CheckpointRow, ComponentRow,
    ComponentStatus, HostNote, NewBuild, RollbackRow, Store,
};
use wasmill_tests::postgres::Postgres;

/// Makes a test of each on a SQLite file of its own, and one test of all on one PostgreSQL, each in a database of its own.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let home = tempfile::tempdir().unwrap();
                let address = format!("sqlite://{}/store.db", home.path().display());
                super::$name(&address).await;
            })+
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn the_same_on_postgres() {
            let Some(server) = tokio::task::block_in_place(Postgres::start) else { return };
            $(
                println!("{}", stringify!($name));
                let address = tokio::task::block_in_place(|| server.create_database(stringify!($name))).unwrap();
                $name(&address).await;
            )+
        }
    };
}

on_both!(
    what_is_written_is_there_after_the_next_open,
    approvals_come_back_as_they_were_kept,
    a_decision_replaces_the_one_before,
    builds_are_found_by_maker_name_and_request,
    claims_of_a_maker_are_decided_one_after_the_other,
    uses_are_known_by_their_last_day,
    news_go_once_they_are_sent_and_the_oldest_first,
    the_audit_trail_is_a_chain_without_gaps_per_host,
    the_audit_writer_keeps_order_and_survives_odd_text,
    writers_of_one_chain_at_once_leave_a_whole_chain,
    rows_from_before_there_were_hashes_stand_in_front_of_the_chain,
    checkpoints_are_kept_once_and_found_by_row,
    a_host_has_one_row_and_old_ones_go,
    a_version_is_rolled_back_once_and_a_restored_one_stays,
    two_hosts_may_open_an_empty_database_at_once,
    a_database_of_a_newer_version_is_refused,
    a_day_of_a_model_has_room_or_not_for_all_payers_at_once,
    hours_of_models_add_up_and_old_ones_go,
    bundles_are_offered_withdrawn_and_offered_again,
    only_the_turn_that_has_claimed_a_run_writes,
    orders_count_where_the_run_stands_so,
    a_journal_is_cut_where_a_run_asks_again,
    finished_runs_go_with_their_journals_and_no_others,
);

async fn open(address: &str) -> Store {
    Store::open(address).await.unwrap()
}

async fn what_is_written_is_there_after_the_next_open(address: &str) {
    let store = open(address).await;
    store.add_approval("c", "m", "tool@1.0.0", "{}").await.unwrap();
    store.close().await;
    assert_eq!(open(address).await.approvals().await.unwrap().len(), 1);
}

async fn approvals_come_back_as_they_were_kept(address: &str) {
    let store = open(address).await;
    let envelope = r#"{"payload":"ü ' \" $1 ?"}"#;
    let id = store.add_approval("c1", "m1", "a@1.0.0", envelope).await.unwrap();
    store.add_approval("c1", "m2", "a@1.0.0", "{}").await.unwrap();
    let kept = store.approvals().await.unwrap();
    assert_eq!(kept.len(), 2);
    // Two of the same millisecond may stand in either order.
    let first = kept.iter().find(|approval| approval.id == id).unwrap();
    assert_eq!((first.envelope.as_str(), first.manifest.as_str()), (envelope, "m1"));
    assert!(first.created_ms > 0);

    assert_eq!(store.remove_approvals("c1", "m1").await.unwrap(), 1);
    assert_eq!(store.remove_approvals("c1", "m1").await.unwrap(), 0);
    assert_eq!(store.approvals().await.unwrap()[0].manifest, "m2");
}

async fn a_decision_replaces_the_one_before(address: &str) {
    let store = open(address).await;
    let mut row = ComponentRow {
        component: "c".into(),
        manifest: "m".into(),
        name: "logsmith.web".into(),
        version: "1.0.0".into(),
        maker: Some("agent:logsmith".into()),
        status: ComponentStatus::Denied,
        reason: "asks for too much".into(),
        changed_by: "client:cli".into(),
        changed_ms: 0,
    };
    store.set_component(&row).await.unwrap();
    row.status = ComponentStatus::Active;
    store.set_component(&row).await.unwrap();
    row.component = "other".into();
    row.maker = None;
    store.set_component(&row).await.unwrap();
    let all = store.components().await.unwrap();
    assert_eq!(all.len(), 2);
    let first = all.iter().find(|row| row.component == "c").unwrap();
    assert_eq!((first.status, first.maker.as_deref()), (ComponentStatus::Active, Some("agent:logsmith")));
    assert!(first.changed_ms > 0);
}

fn build(maker: &str, name: &str, started_ms: i64) -> NewBuild {
    NewBuild {
        maker: maker.into(),
        name: name.into(),
        request: format!("request-{name}"),
        source_digest: "s".into(),
        source: "fn main() {}\n".into(),
        outcome: BuildOutcome::Callable,
        stage: "register".into(),
        reason: String::new(),
        version: Some("1.0.0".into()),
        component: Some("c".into()),
        timings: json!([{"stage": "build", "micros": 812_000}]),
        diagnostics: json!([]),
        examined: None,
        started_ms,
    }
}

async fn builds_are_found_by_maker_name_and_request(address: &str) {
    let store = open(address).await;
    let first = store.add_build(&build("agent:a", "a.x", 1_000)).await.unwrap();
    store.add_build(&build("agent:a", "a.y", 2_000)).await.unwrap();
    store.add_build(&build("agent:b", "b.x", 3_000)).await.unwrap();
    let refused = NewBuild {
        outcome: BuildOutcome::Refused,
        version: None,
        component: None,
        diagnostics: json!([{"message": "mismatched types"}]),
        examined: Some(json!({ "examples": 1 })),
        ..build("agent:a", "a.z", 4_000)
    };
    let told = store.add_build_and_news(&refused, "host", "{}").await.unwrap();
    assert_eq!(store.forge_news("host", 10).await.unwrap()[0].news, "{}");
    assert_eq!(store.build(&told).await.unwrap().unwrap().examined, Some(json!({ "examples": 1 })));

    let filter = |maker: Option<&str>, name: Option<&str>, limit| BuildFilter {
        maker: maker.map(Into::into),
        name: name.map(Into::into),
        limit,
        after: None,
    };
    let names = |rows: Vec<wasmill::store::BuildRow>| rows.into_iter().map(|row| row.name).collect::<Vec<_>>();
    assert_eq!(names(store.builds(&filter(Some("agent:a"), None, 10)).await.unwrap()), ["a.z", "a.y", "a.x"]);
    assert_eq!(names(store.builds(&filter(None, Some("b.x"), 10)).await.unwrap()), ["b.x"]);
    assert_eq!(names(store.builds(&filter(None, None, 2)).await.unwrap()), ["a.z", "b.x"]);
    assert!(store.builds(&filter(None, None, 1)).await.unwrap()[0].source.is_empty(), "lists come without sources");

    let one = store.build(&first).await.unwrap().unwrap();
    assert_eq!((one.source.as_str(), one.timings[0]["micros"].as_u64()), ("fn main() {}\n", Some(812_000)));
    assert_eq!(one.examined, None);
    assert_eq!(store.build("no such key").await.unwrap(), None);
    assert_eq!(store.build_of_request("agent:a", "request-a.x").await.unwrap().unwrap().id, first);
    assert_eq!(store.build_of_request("agent:b", "request-a.x").await.unwrap(), None, "another maker gets nothing");
    assert_eq!(store.build_of_request("agent:a", "request-a.z").await.unwrap(), None, "a refusal is no product");
    assert_eq!(store.builds_since("agent:a", 2_000).await.unwrap(), 2);
}

fn entry(action: &str) -> AuditEntry {
    AuditEntry::now("agent:a", action, "denied", "why")
}

async fn the_audit_trail_is_a_chain_without_gaps_per_host(address: &str) {
    let store = open(address).await;
    store.append_audit("host-1", &[entry("one"), entry("two")]).await.unwrap();
    store.append_audit("host-2", &[entry("other")]).await.unwrap();
    store.append_audit("host-1", &[entry("three")]).await.unwrap();
    let mut rows =
        store.audit(&AuditFilter { principal: Some("agent:a".into()), limit: 100, after: None }).await.unwrap();
    rows.retain(|row| row.chain == "host-1");
    rows.sort_by_key(|row| row.seq);
    let found: Vec<(i64, &str)> = rows.iter().map(|row| (row.seq, row.action.as_str())).collect();
    assert_eq!(found, [(1, "one"), (2, "two"), (3, "three")]);
    assert!(
        store
            .audit(&AuditFilter { principal: Some("agent:b".into()), limit: 100, after: None })
            .await
            .unwrap()
            .is_empty()
    );
}

async fn the_audit_writer_keeps_order_and_survives_odd_text(address: &str) {
    let store = open(address).await;
    let writer = AuditWriter::start(store.clone(), "host");
    writer.record(entry("a zero \0 in it"));
    for number in 0..1_200 {
        writer.record(entry(&number.to_string()));
    }
    writer.flush().await;
    let mut rows = store.audit(&AuditFilter { principal: None, limit: 5_000, after: None }).await.unwrap();
    rows.sort_by_key(|row| row.seq);
    assert_eq!(rows.len(), 1_201);
    assert!(rows[0].action.starts_with("a zero"));
    assert!(rows[1..].iter().enumerate().all(|(number, row)| row.action == number.to_string()));
}

/// What is found of a chain by its hashes alone.
async fn verified(store: &Store, chain: &str) -> ChainReport {
    let mut check = ChainCheck::new(chain);
    let mut after = i64::MIN;
    loop {
        let rows = store.audit_after(chain, after, 50).await.unwrap();
        let Some(last) = rows.last() else { return check.finish() };
        after = last.seq;
        check.page(&rows, &[]);
    }
}

async fn writers_of_one_chain_at_once_leave_a_whole_chain(address: &str) {
    let store = open(address).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6 {
        // Each with connections of its own, as hosts have.
        let store = open(address).await;
        writers.spawn(async move {
            for number in 0..20 {
                let entries = [entry(&format!("{writer} {number} a")), entry(&format!("{writer} {number} b"))];
                store.append_audit("host", &entries).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let report = verified(&store, "host").await;
    assert_eq!((report.rows, report.to, report.fault_count()), (240, 240, 0), "{report:?}");
    // What belongs to one transaction stands together.
    let rows = store.audit_after("host", 0, 240).await.unwrap();
    assert!(rows.chunks(2).all(|pair| pair[0].action.replace('a', "b") == pair[1].action));
}

async fn rows_from_before_there_were_hashes_stand_in_front_of_the_chain(address: &str) {
    let store = open(address).await;
    let pool = sqlx::AnyPool::connect(address).await.unwrap();
    for seq in 1..=3 {
        let old = "INSERT INTO audit (chain, seq, at_ms, principal, action, decision, detail) VALUES ('host', $1, 1, '', '', '', '')";
        sqlx::query(old).bind(seq).execute(&pool).await.unwrap();
    }
    store.append_audit("host", &[entry("one"), entry("two")]).await.unwrap();
    let report = verified(&store, "host").await;
    assert_eq!((report.from, report.to, report.hashed_from, report.fault_count()), (1, 5, Some(4), 0), "{report:?}");
}

async fn checkpoints_are_kept_once_and_found_by_row(address: &str) {
    let store = open(address).await;
    let row = |seq: i64, envelope: &str| CheckpointRow { seq, envelope: envelope.into() };
    assert_eq!(store.last_checkpoint("host").await.unwrap(), 0);
    for (seq, envelope) in [(3, "a"), (9, "b"), (3, "another")] {
        store.add_checkpoint("host", &row(seq, envelope)).await.unwrap();
    }
    store.add_checkpoint("alone", &row(1, "c")).await.unwrap();
    assert_eq!(store.checkpoints("host", 0, 100, 10).await.unwrap(), [row(3, "a"), row(9, "b")]);
    assert_eq!(store.checkpoints("host", 3, 9, 10).await.unwrap(), [row(9, "b")]);
    assert_eq!(store.checkpoints("host", 0, 8, 10).await.unwrap(), [row(3, "a")]);
    assert_eq!(store.last_checkpoint("host").await.unwrap(), 9);
    store.append_audit("other", &[entry("one")]).await.unwrap();
    assert_eq!(store.audit_chains().await.unwrap(), ["alone", "host", "other"]);

    let sent = AuditSent { rows: 1, checkpoints: 0 };
    store.set_audit_sent("other", sent).await.unwrap();
    store.append_audit("other", &[entry("two")]).await.unwrap();
    assert_eq!(store.audit_sent("other").await.unwrap(), sent, "adding rows leaves it alone");
    assert_eq!(store.audit_sent("nobody").await.unwrap(), AuditSent::default());
}

async fn a_host_has_one_row_and_old_ones_go(address: &str) {
    let store = open(address).await;
    let note = |instance: &str, seen_ms: i64, holds: &str| HostNote {
        instance: instance.into(),
        name: "ü'host".into(),
        version: "0.1.0".into(),
        started_ms: 1,
        seen_ms,
        every_ms: 5_000,
        holds: holds.into(),
    };
    store.set_host(&note("b", 10, "[]")).await.unwrap();
    store.set_host(&note("a", 20, "[]")).await.unwrap();
    store.set_host(&note("b", 30, "[1]")).await.unwrap();
    assert_eq!(store.hosts().await.unwrap(), [note("a", 20, "[]"), note("b", 30, "[1]")]);
    store.remove_hosts_before(30).await.unwrap();
    assert_eq!(store.hosts().await.unwrap(), [note("b", 30, "[1]")]);
    store.remove_host("b").await.unwrap();
    store.remove_host("b").await.unwrap();
    assert_eq!(store.hosts().await.unwrap(), []);
}

async fn two_hosts_may_open_an_empty_database_at_once(address: &str) {
    let (one, two) = tokio::join!(Store::open(address), Store::open(address));
    one.unwrap().add_approval("c", "m", "n", "{}").await.unwrap();
    assert_eq!(two.unwrap().approvals().await.unwrap().len(), 1);
}

async fn a_database_of_a_newer_version_is_refused(address: &str) {
    open(address).await.close().await;
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(address).await.unwrap();
    sqlx::query(
        "UPDATE _sqlx_migrations SET version = 1000 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let error = Store::open(address).await.unwrap_err();
    assert_eq!(error.code(), "store.schema", "{error}");
}

async fn bundles_are_offered_withdrawn_and_offered_again(address: &str) {
    let store = open(address).await;
    let said = async || -> Vec<(String, bool)> {
        store.bundles().await.unwrap().into_iter().map(|row| (row.name, row.is_removed)).collect()
    };
    // As large as components are.
    let files = "ü' \" $1 ?".repeat(300_000);
    store.offer_bundle("e1", "a@1.0.0", &files).await.unwrap();
    store.withdraw_bundle("e2", "b@1.0.0").await.unwrap();
    assert_eq!(said().await, [("a@1.0.0".to_owned(), false), ("b@1.0.0".to_owned(), true)]);
    assert_eq!(store.bundle_files("e1").await.unwrap(), Some(files));
    for removed in ["e2", "e3"] {
        assert_eq!(store.bundle_files(removed).await.unwrap(), None);
    }
    store.withdraw_bundle("e1", "a@1.0.0").await.unwrap();
    assert_eq!(store.bundle_files("e1").await.unwrap(), None);
    store.offer_bundle("e1", "a@1.0.0", "again").await.unwrap();
    assert_eq!(store.bundle_files("e1").await.unwrap().as_deref(), Some("again"));
    assert_eq!(said().await.len(), 2);
}

async fn a_version_is_rolled_back_once_and_a_restored_one_stays(address: &str) {
    let (here, there) = (open(address).await, open(address).await);
    let row = |version: &str, host: &str| RollbackRow {
        name: "smith.sum".into(),
        version: version.into(),
        component: "c".into(),
        envelope: "{\"ü\": '$1'}".into(),
        host: host.into(),
        created_ms: 0,
        restored_by: None,
        restored_ms: None,
    };
    assert!(here.add_rollback(&row("0.1.1", "one")).await.unwrap());
    assert!(!there.add_rollback(&row("0.1.1", "two")).await.unwrap());
    assert!(there.add_rollback(&row("0.1.2", "two")).await.unwrap());
    assert!(here.restore_version("smith.sum", "0.1.1", "client:ops").await.unwrap());
    assert!(!here.restore_version("smith.sum", "0.1.9", "client:ops").await.unwrap());
    assert!(!there.add_rollback(&row("0.1.1", "two")).await.unwrap(), "an admin's word stands");
    let mut rows = there.rollbacks().await.unwrap();
    rows.sort_by(|a, b| a.version.cmp(&b.version));
    let said: Vec<_> = rows.iter().map(|r| (&*r.version, &*r.host, r.restored_by.as_deref())).collect();
    assert_eq!(said, [("0.1.1", "one", Some("client:ops")), ("0.1.2", "two", None)]);
    assert_eq!((rows[0].envelope.as_str(), rows[0].restored_ms > Some(0)), ("{\"ü\": '$1'}", true));
}
