//! A version that fails is taken back by itself, for everybody, and by nobody else's word.

use std::time::Duration;

use time::OffsetDateTime;
use wasmill::host::Host;
use wasmill::store::{AuditFilter, RollbackRow};
use wasmill_registry::{Digest, Reference, Rollback, SecretKey};
use wasmill_tests::parts;
use wasmill_tests::scratch::{PATIENCE, Scratch};

use super::{MATRIX, call, call_as, make, scratch};

const WELL: &str = "return n + 1;";
const FAILS: &str = "if (n > 9) throw new TypeError('broken'); return n + 2;";

/// Waits until something is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        if is_so().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

async fn fail(host: &Host, tool: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(call(host, tool, 10).await.unwrap_err(), "tool.said.javascript.exception");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_starts_to_fail_is_taken_back_on_all_hosts_and_a_newer_one_is_reached() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let (one, two) = (scratch.run().await.unwrap(), scratch.run().await.unwrap());
    let (here, there) = (&one.host, &two.host);
    make(here, WELL, "").await;
    make(here, FAILS, "").await;
    let (mut told_here, mut told_there) = (here.catalog.rollbacks(), there.catalog.rollbacks());
    for n in 0..4 {
        assert_eq!(call(here, "smith.f", n).await.unwrap(), (n + 2).to_string());
    }
    fail(here, "smith.f", 5).await;
    for host in [here, there] {
        assert!(until(async || call(host, "smith.f", 10).await == Ok("11".into())).await);
    }
    // Both are told, with what was seen and what is reached now.
    for told in [&mut told_here, &mut told_there] {
        let told = told.try_recv().unwrap();
        assert_eq!((told.tool.as_str(), told.version.as_str()), ("smith.f", "0.1.1"));
        assert_eq!(told.instead.as_deref(), Some("0.1.0"));
        assert!(told.reason.contains("5 of the last 9 calls"), "{told:?}");
    }
    assert_eq!(call(here, "smith.f@0.1.1", 3).await.unwrap(), "5", "a version that is named is never another one");
    here.audit.flush().await;
    let rows =
        here.store.audit(&AuditFilter { principal: Some("host".into()), limit: 100, after: None }).await.unwrap();
    let row = rows.iter().find(|row| row.action == "roll back smith.f@0.1.1").unwrap();
    assert!(row.detail.starts_with("to 0.1.0: 5 of the last 9"), "{row:?}");

    make(there, "return n + 3;", "").await;
    assert_eq!(call(there, "smith.f", 10).await.unwrap(), "13", "a newer version is reached");
    one.stop().await.unwrap();
    two.stop().await.unwrap();

    // It was kept: a host that starts later knows it.
    let newest = scratch.registry().unwrap().find(&"smith.f@0.1.2".parse::<Reference>().unwrap()).unwrap();
    scratch.registry().unwrap().remove(&newest).unwrap();
    let later = scratch.open().await.unwrap();
    assert_eq!(call(&later, "smith.f", 10).await.unwrap(), "11");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_see_the_same_decide_once_and_what_an_admin_restores_stays() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let (one, two) = (scratch.run().await.unwrap(), scratch.run().await.unwrap());
    make(&one.host, WELL, "").await;
    make(&one.host, FAILS, "").await;
    two.host.catalog.refresh().await.unwrap();
    tokio::join!(fail(&one.host, "smith.f@0.1.1", 5), fail(&two.host, "smith.f@0.1.1", 5));
    for running in [&one, &two] {
        assert!(until(async || call(&running.host, "smith.f", 10).await == Ok("11".into())).await);
    }
    assert_eq!(scratch.store.rollbacks().await.unwrap().len(), 1);

    assert!(scratch.store.restore_version("smith.f", "0.1.1", "client:ops").await.unwrap());
    assert!(!scratch.store.restore_version("smith.f", "0.1.1", "client:ops").await.unwrap(), "once");
    for running in [&one, &two] {
        assert!(until(async || call(&running.host, "smith.f", 1).await == Ok("3".into())).await);
    }
    let mut failing = one.host.catalog.failing();
    fail(&one.host, "smith.f", 20).await;
    assert!(failing.try_recv().is_ok(), "it is seen to fail");
    one.host.catalog.refresh().await.unwrap();
    fail(&one.host, "smith.f", 1).await;
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

/// What is said to fail after so many calls with these arguments.
async fn said_after(host: &Host, arguments: &str, tool: &str) -> bool {
    let mut failing = host.catalog.failing();
    for _ in 0..6 {
        let _ = call_as(host, "smith", tool, arguments).await;
    }
    failing.try_recv().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_the_tools_own_fault_counts() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let host = scratch.open().await.unwrap();
    let typed = "throw Object.assign(new Error('no'), { kind: n < 0 ? undefined : 'invalid', code: 'f.no' });";
    for (body, arguments, counts) in [
        (typed, r#"{"n": 1}"#, false),
        (typed, r#"{"n": -1}"#, false),
        (WELL, r#"{"n": "one"}"#, false),
        (WELL, "[", false),
        ("return wasmill.call('smith.f', 'f', {});", "{}", false),
        ("return wasmill.call('text-metrics', 'count', {}).words;", "{}", false),
        ("return undefined_name;", "{}", true),
        ("return 'no number';", "{}", true),
        ("while (true) {}", "{}", true),
        ("const all = []; while (true) all.push(new Array(10000).fill(1));", "{}", true),
        ("throw 'x'.repeat(3);", "{}", true),
    ] {
        let version = make(&host, body, "tools = ['text-metrics']").await;
        let tool = format!("smith.f@{version}");
        assert_eq!(said_after(&host, arguments, &tool).await, counts, "{body} {arguments}");
    }
    let long = make(&host, "return 'x'.repeat(5000);", "").await;
    assert!(said_after(&host, "{}", &format!("smith.f@{long}")).await, "more than it may answer");
    // A published tool is an admin's to take away.
    let engine = Digest::of(&std::fs::read(parts::plugin("javascript").unwrap()).unwrap());
    let manifest =
        format!("name = \"published\"\nversion = \"1.0.0\"\nkind = \"tool\"\n[script]\nengine = \"{engine}\"\n");
    scratch.install_bytes(b"export const f = { call() { throw new Error(); } };", &manifest).unwrap();
    host.catalog.refresh().await.unwrap();
    let mut failing = host.catalog.failing();
    for _ in 0..6 {
        let failed = call_as(&host, "other", "published", "{}").await;
        assert_eq!(failed.unwrap_err(), "tool.said.javascript.exception");
    }
    assert!(failing.try_recv().is_err());
}

/// Takes `smith.f` back in this version, as a row says that somebody wrote.
async fn write(scratch: &Scratch, version: &str, of: impl FnOnce(&mut Rollback), key: &SecretKey) {
    let registry = scratch.registry().unwrap();
    let entry = registry.find(&format!("smith.f@{version}").parse::<Reference>().unwrap()).unwrap();
    let digest = registry.load(&entry, &scratch.trust().unwrap(), OffsetDateTime::now_utc()).unwrap().digest();
    let mut rollback = Rollback {
        name: "smith.f".into(),
        version: version.parse().unwrap(),
        component: digest,
        reason: "somebody says so".into(),
        decided: OffsetDateTime::now_utc(),
    };
    of(&mut rollback);
    let row = RollbackRow {
        name: "smith.f".into(),
        version: version.into(),
        component: digest.to_string(),
        envelope: String::from_utf8(rollback.sign(key).unwrap().to_json()).unwrap(),
        host: "x".into(),
        created_ms: 0,
        restored_by: None,
        restored_ms: None,
    };
    assert!(scratch.store.add_rollback(&row).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_the_database_takes_nothing_back_without_a_forges_signature_over_exactly_this() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let host = scratch.open().await.unwrap();
    for version in 0..6 {
        make(&host, &format!("return n + {version};"), "").await;
    }
    write(&scratch, "0.1.5", |_| (), &scratch.publisher).await;
    write(&scratch, "0.1.4", |_| (), &scratch.admin).await;
    write(&scratch, "0.1.3", |_| (), &SecretKey::generate().unwrap()).await;
    write(&scratch, "0.1.2", |rollback| rollback.version = "0.1.5".parse().unwrap(), &scratch.forge).await;
    write(&scratch, "0.1.1", |rollback| rollback.component = Digest::of(b"x"), &scratch.forge).await;
    write(&scratch, "0.1.0", |rollback| rollback.name = "smith.g".into(), &scratch.forge).await;
    let snapshot = host.catalog.refresh().await.unwrap();
    assert!(snapshot.rolled_back.is_empty(), "{:?}", snapshot.rolled_back);
    assert_eq!(call(&host, "smith.f", 10).await.unwrap(), "15");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_gone_back_to_that_waits_was_removed_or_may_do_more() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let host = scratch.open().await.unwrap();
    let http = "http = [{ host = 'api.example.com', methods = ['GET'] }]";
    make(&host, "return 0;", http).await;
    make(&host, "return 1;", "tools = ['text-metrics']").await;
    make(&host, "return 2;", "").await;
    make(&host, "return 3;", "").await;
    let says = async |expected: &str| assert_eq!(call(&host, "smith.f", 10).await.unwrap(), expected);
    says("3").await;
    write(&scratch, "0.1.3", |_| (), &scratch.forge).await;
    host.catalog.refresh().await.unwrap();
    says("2").await;
    // What is left waits for an admin, or may call a tool that this one may not: then rather the newest, which fails.
    write(&scratch, "0.1.2", |_| (), &scratch.forge).await;
    let snapshot = host.catalog.refresh().await.unwrap();
    says("3").await;
    let tool = snapshot.tool("smith.f@0.1.3").unwrap();
    assert_eq!(snapshot.way_back(tool), None);
    assert!(snapshot.rolled_back["smith.f"].values().all(|rolled| rolled.instead.is_none()));
    // Removed, and everything is as if it had never been there.
    let registry = scratch.registry().unwrap();
    for version in ["0.1.2", "0.1.3"] {
        registry.remove(&registry.find(&format!("smith.f@{version}").parse().unwrap()).unwrap()).unwrap();
    }
    host.catalog.refresh().await.unwrap();
    says("1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_caller_takes_nothing_away_from_those_for_whom_it_works() {
    let Some(scratch) = scratch(MATRIX).await else { return };
    let running = scratch.run().await.unwrap();
    let host = &running.host;
    make(host, WELL, "").await;
    make(host, FAILS, "").await;
    let mut failing = host.catalog.failing();
    for n in 0..6 {
        call(host, "smith.f", n).await.unwrap();
    }
    for _ in 0..40 {
        let failed = call_as(host, "other", "smith.f", r#"{"n": 99}"#).await;
        assert_eq!(failed.unwrap_err(), "tool.said.javascript.exception");
    }
    assert!(failing.try_recv().is_err(), "nothing is said that a host could go by");
    host.catalog.refresh().await.unwrap();
    assert_eq!(call(host, "smith.f", 1).await.unwrap(), "3");
    assert!(scratch.store.rollbacks().await.unwrap().is_empty());
    running.stop().await.unwrap();
}
