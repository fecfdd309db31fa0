//! How many tools a maker keeps, for how long, and who is told.

use std::time::Duration;

use serde_json::Value;
use wasmill::approvals::{Desk, DeskParts};
use wasmill::forge::{ForgeError, Request};
use wasmill::host::Host;
use wasmill::store::{AuditFilter, today};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::Scratch;

use crate::scripts::{ask, call, callable, refused, script};

/// A host whose maker has these limits.
async fn scratch(limits: &str) -> Option<Scratch> {
    require(parts::plugin("javascript"))?;
    let matrix = format!(
        "privileged = [\"http\"]\n[[row]]\nprincipal = \"client:smith\"\nforge = [\"javascript\"]\n\
         tools = [\"smith.*\", \"smith.named\"]\nhttp = [{{ host = \"api.example.com\", methods = [\"GET\"] }}]\n\
         limits = {{ {limits} }}\n[[row]]\nprincipal = \"tool:smith.*\"\n\
         http = [{{ host = \"*\", methods = [\"*\"] }}]\n"
    );
    let scratch = Scratch::new(&matrix).await.unwrap();
    scratch.install("javascript").unwrap();
    Some(scratch)
}

/// A tool of the same name as its only function.
fn tool(name: &str, answer: u32) -> Request {
    script(name, &format!("export const {name} = {{ call() {{ return {answer}; }} }};"))
}

/// Code and message.
fn said(error: &ForgeError) -> (String, String) {
    (error.code().to_owned(), error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maker_has_so_many_tools_and_as_many_versions_of_them_as_it_likes() {
    let Some(scratch) = scratch("tools_alive = 2").await else { return };
    let host = scratch.open().await.unwrap();
    callable(&host, &tool("a", 1)).await;
    callable(&host, &tool("b", 1)).await;
    assert_eq!(callable(&host, &tool("b", 2)).await.version, "0.1.1");
    let (code, message) = said(&ask(&host, &tool("c", 1)).await.unwrap_err());
    assert_eq!(code, "forge.tools-alive");
    assert!(message.contains("tools_alive = 2 (row for \"client:smith\", permissions.toml line 2)"), "{message}");
    // What comes to nothing takes no room, and the host that opens next counts what is there.
    refused(&host, &script("b", "export const b = { call( }")).await;
    drop(host);
    let host = scratch.open().await.unwrap();
    assert_eq!(said(&ask(&host, &tool("c", 1)).await.unwrap_err()).0, "forge.tools-alive");
}

#[tokio::test(flavor = "multi_thread")]
async fn components_and_sources_of_all_versions_weigh_something() {
    let size = tool("a", 1).source.len();
    let Some(scratch) = scratch(&format!("tool_bytes = {}", size * 2)).await else { return };
    let host = scratch.open().await.unwrap();
    callable(&host, &tool("a", 1)).await;
    callable(&host, &tool("a", 2)).await;
    let (code, message) = said(&ask(&host, &tool("a", 3)).await.unwrap_err());
    assert_eq!(code, "forge.tool-bytes");
    assert!(message.contains(&format!("tool_bytes = {} (row", size * 2)), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_builds_at_once_one_finds_no_room_on_one_host_and_on_two() {
    let Some(one) = scratch("tools_alive = 1").await else { return };
    let Some(mut two) = scratch("tools_alive = 1").await else { return };
    let here = one.open().await.unwrap();
    // Another host with a registry of its own, on the same database.
    two.store = one.store.clone();
    let there = two.open().await.unwrap();
    let is_full =
        |built: &Result<_, ForgeError>| built.as_ref().err().map(ForgeError::code) == Some("forge.tools-alive");
    for (first, second) in [(&here, &here), (&here, &there)] {
        for round in 0..5 {
            let (a, b) = (tool(&format!("a{round}"), 1), tool(&format!("b{round}"), 1));
            let (built, other) = tokio::join!(ask(first, &a), ask(second, &b));
            assert!(built.is_ok() != other.is_ok(), "{built:?} {other:?}");
            assert!(is_full(&built) || is_full(&other), "{built:?} {other:?}");
            clear(&one, &here).await;
            clear(&two, &there).await;
        }
    }
}

/// Removes all that was forged, and what counts for a minute more.
async fn clear(scratch: &Scratch, host: &Host) {
    let registry = scratch.registry().unwrap();
    for entry in registry.list().unwrap().iter().filter(|entry| entry.name.starts_with("smith.")) {
        registry.remove(entry).unwrap();
    }
    host.catalog.refresh().await.unwrap();
    let root = sqlx::AnyPool::connect(&format!("sqlite://{}/store.db", scratch.dir.path().display())).await.unwrap();
    sqlx::query("DELETE FROM tool_claims").execute(&root).await.unwrap();
}

fn names(host: &Host) -> Vec<String> {
    host.catalog.snapshot().tools.keys().cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_calls_goes_and_what_somebody_calls_or_names_stays() {
    let Some(scratch) = scratch("unused_days = 30").await else { return };
    scratch.install("text-metrics").unwrap();
    let host = scratch.open().await.unwrap();
    for name in ["idle", "busy", "named"] {
        callable(&host, &tool(name, 1)).await;
    }
    callable(&host, &tool("idle", 2)).await;
    let permissions = "http = [{ host = 'api.example.com', methods = ['GET'] }]".to_owned();
    ask(&host, &Request { permissions: permissions.clone(), ..tool("waits", 1) }).await.unwrap();
    ask(&host, &Request { permissions, ..tool("approved", 1) }).await.unwrap();
    approve(&scratch, "smith.approved").await;
    host.catalog.refresh().await.unwrap();
    let all = ["smith.approved", "smith.busy", "smith.idle", "smith.named", "text-metrics"];
    assert_eq!(names(&host), all);

    // Before anything is known of uses, nothing goes, however late it is.
    assert_eq!(host.expire_unused(today() + 1_000).await.unwrap(), Vec::<String>::new());
    let root = sqlx::AnyPool::connect(&format!("sqlite://{}/store.db", scratch.dir.path().display())).await.unwrap();
    sqlx::query("UPDATE tool_uses SET day = $1 WHERE name = ''").bind(today()).execute(&root).await.unwrap();
    assert_eq!(host.expire_unused(today() + 29).await.unwrap(), Vec::<String>::new());
    call(&host, "smith.busy", "{}").await.unwrap();
    host.note_uses().await;
    sqlx::query("UPDATE tool_uses SET day = day + 5 WHERE name = 'smith.busy'").execute(&root).await.unwrap();
    assert_eq!(host.expire_unused(today() + 30).await.unwrap(), ["smith.idle"]);
    assert_eq!(names(&host), ["smith.approved", "smith.busy", "smith.named", "text-metrics"]);
    assert!(scratch.registry().unwrap().list().unwrap().iter().any(|entry| entry.name == "smith.waits"));
    assert_eq!(call(&host, "smith.idle", "{}").await.unwrap_err().0, "tool.unknown");
    host.audit.flush().await;
    let rows = host.store.audit(&AuditFilter { principal: Some("host".into()), limit: 10, after: None }).await.unwrap();
    let mut expired: Vec<&str> =
        rows.iter().map(|row| row.action.as_str()).filter(|action| action.starts_with("expire")).collect();
    expired.sort_unstable();
    assert_eq!(expired, ["expire smith.idle@0.1.0", "expire smith.idle@0.1.1"]);
    assert!(
        rows.iter().any(|row| row.detail.contains("unused_days = 30 (the limit of its maker client:smith)")),
        "{rows:?}"
    );

    assert_eq!(host.expire_unused(today() + 35).await.unwrap(), ["smith.busy"]);
    // One that is made anew begins anew, however long uses are noted.
    callable(&host, &tool("idle", 1)).await;
    sqlx::query("UPDATE tool_uses SET day = $1 WHERE name = ''").bind(today() - 100).execute(&root).await.unwrap();
    assert_eq!(host.expire_unused(today() + 29).await.unwrap(), Vec::<String>::new());
    assert_eq!(host.expire_unused(today() + 30).await.unwrap(), ["smith.idle"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limit_nothing_goes() {
    let Some(scratch) = scratch("tools_alive = 9").await else { return };
    let host = scratch.open().await.unwrap();
    callable(&host, &tool("idle", 1)).await;
    host.expire_unused(today()).await.unwrap();
    assert_eq!(host.expire_unused(today() + 36_500).await.unwrap(), Vec::<String>::new());
}

async fn approve(scratch: &Scratch, name: &str) {
    let (registry, store) = (scratch.registry().unwrap(), scratch.store.clone());
    let desk = Desk::new(DeskParts { registry, permissions: scratch.dir.path().join("permissions.toml"), store });
    let trust = scratch.trust().unwrap();
    let detail = desk.show(name, &trust).await.unwrap();
    let envelope = detail.case.approval(None).sign(&scratch.admin).unwrap().to_json();
    let admin = wasmill::permissions::Principal::client("admin");
    desk.grant(&envelope, &trust, &admin).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topic_hears_what_becomes_of_requests_and_of_unused_tools() {
    let Some(scratch) = scratch("unused_days = 30").await else { return };
    // What a host that is not at work does is told later.
    let host = scratch.open().await.unwrap();
    callable(&host, &tool("idle", 1)).await;
    callable(&host, &tool("idle", 1)).await;
    refused(&host, &script("broken", "export const broken = { call( }")).await;
    let permissions = "http = [{ host = 'api.example.com', methods = ['GET'] }]".to_owned();
    ask(&host, &Request { permissions, ..tool("waits", 1) }).await.unwrap();
    host.expire_unused(today()).await.unwrap();
    assert_eq!(host.expire_unused(today() + 31).await.unwrap(), ["smith.idle"]);
    drop(host);
    let running = scratch.run().await.unwrap();
    let batch = scratch.wait_for("wasmill.forge", 4).await.unwrap();
    let header = |row: usize, name: &str| {
        let headers = batch.headers.as_ref().unwrap();
        let found = headers.of(row).find(|(known, _)| *known == name.as_bytes());
        String::from_utf8(found.unwrap().1.to_vec()).unwrap()
    };
    let news: Vec<Value> = (0..4).map(|row| serde_json::from_slice(batch.value(row).unwrap()).unwrap()).collect();
    let events: Vec<&str> = news.iter().map(|news| news["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["callable", "refused", "waiting", "expired"]);
    for (row, news) in news.iter().enumerate() {
        assert_eq!(header(row, "ce_type"), format!("wasmill.forge.{}", events[row]));
        assert_eq!(
            (header(row, "ce_specversion").as_str(), header(row, "ce_source").as_str()),
            ("1.0", "/hosts/test/forge")
        );
        assert_eq!(header(row, "ce_subject"), news["tool"].as_str().unwrap());
        assert_eq!(news["maker"], "client:smith");
    }
    assert_eq!((news[0]["version"].as_str(), news[0]["timings"].as_array().unwrap().len()), (Some("0.1.0"), 6));
    assert_eq!((news[1]["stage"].as_str(), news[1]["code"].as_str()), (Some("build"), Some("component.source")));
    assert!(news[3]["limit"].as_str().unwrap().contains("unused_days = 30"), "{}", news[3]);
    // Nothing is sent twice.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(scratch.streams().watermarks("wasmill.forge", 0).await.unwrap().next, 4);
    running.stop().await.unwrap();
}
