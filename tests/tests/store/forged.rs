//! What hosts know together of tools that forges make.

use std::convert::Infallible;

use wasmill::store::ToolClaim;

use crate::open;

fn claim(id: &str, maker: &str, until_ms: i64) -> ToolClaim {
    let name = format!("m.{id}");
    ToolClaim { id: id.into(), maker: maker.into(), name, version: String::new(), bytes: 7, until_ms }
}

pub async fn claims_of_a_maker_are_decided_one_after_the_other(address: &str) {
    let (here, there) = (open(address).await, open(address).await);
    // Ten at once from two hosts, where three have room.
    let attempts = (0..10).map(|n| {
        let (here, there) = (here.clone(), there.clone());
        async move {
            let store = if n % 2 == 0 { here } else { there };
            let fits = |others: &[ToolClaim]| if others.len() < 3 { Ok(()) } else { Err(others.len()) };
            loop {
                match store.claim_tool(&claim(&n.to_string(), "agent:m", 1_000), 0, fits).await {
                    Ok(decided) => return decided,
                    // SQLite lets one write at a time, and tells the others after a while.
                    Err(error) => assert!(error.is_transient(), "{error}"),
                }
            }
        }
    });
    let decided = futures::future::join_all(attempts).await;
    assert_eq!(decided.iter().filter(|decided| decided.is_ok()).count(), 3, "{decided:?}");
    assert_eq!(decided.iter().filter(|decided| **decided == Err(3)).count(), 7);

    // Others' claims are others', and what is over counts no more.
    let seen = async |wanted: ToolClaim, now_ms: i64| {
        let mut seen = Vec::new();
        let note = |others: &[ToolClaim]| {
            seen = others.iter().map(|other| other.id.clone()).collect();
            Ok::<(), Infallible>(())
        };
        here.claim_tool(&wanted, now_ms, note).await.unwrap().unwrap();
        seen
    };
    assert_eq!(seen(claim("x", "agent:other", 5_000), 0).await, Vec::<String>::new());
    assert_eq!(seen(claim("y", "agent:other", 5_000), 4_999).await, ["x"]);
    assert_eq!(seen(claim("y", "agent:other", 9_000), 4_999).await, ["x"], "a claim is not beside itself");
    here.keep_tool_claim("x", 9_000).await.unwrap();
    assert_eq!(seen(claim("z", "agent:other", 9_000), 8_000).await, ["x", "y"]);
    there.drop_tool_claim("y").await.unwrap();
    assert_eq!(seen(claim("z", "agent:other", 9_000), 8_999).await, ["x"]);
    assert_eq!(seen(claim("a", "agent:other", 20_000), 9_000).await, Vec::<String>::new());
}

pub async fn uses_are_known_by_their_last_day(address: &str) {
    let store = open(address).await;
    let used = |name: &str, day| (name.to_owned(), day);
    assert_eq!(store.tool_uses(100).await.unwrap().since, 100);
    store.note_tool_uses(&[used("m.a", 101), used("m.b", 102)]).await.unwrap();
    store.note_tool_uses(&[used("m.a", 103), used("m.b", 99)]).await.unwrap();
    let uses = store.tool_uses(200).await.unwrap();
    assert_eq!((uses.since, uses.days.len(), uses.days["m.a"], uses.days["m.b"]), (100, 2, 103, 102));
    store.remove_tool_use("m.a").await.unwrap();
    assert_eq!(store.tool_uses(200).await.unwrap().days.len(), 1);
}

pub async fn news_go_once_they_are_sent_and_the_oldest_first(address: &str) {
    let store = open(address).await;
    for news in ["1", "2", "3", "4"] {
        store.add_forge_news("here", news).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    store.add_forge_news("there", "5").await.unwrap();
    let first = store.forge_news("here", 2).await.unwrap();
    let texts = |rows: &[wasmill::store::NewsRow]| rows.iter().map(|row| row.news.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&first), ["1", "2"]);
    store.remove_forge_news(&first[..1]).await.unwrap();
    assert_eq!(texts(&store.forge_news("here", 10).await.unwrap()), ["2", "3", "4"]);
    store.trim_forge_news("here", 2).await.unwrap();
    assert_eq!(texts(&store.forge_news("here", 10).await.unwrap()), ["3", "4"]);
    assert_eq!(texts(&store.forge_news("there", 10).await.unwrap()), ["5"]);
}
