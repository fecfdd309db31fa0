//! Callers that follow, and callers that pin.

use wasmill::capabilities::ToolCalls;
use wasmill_tests::scratch::denials;

use super::{MATRIX, call_as, make, scratch};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_a_version_allows_that_version_only_and_the_plain_name_means_it() {
    let matrix = format!(
        "{MATRIX}\n[[row]]\nprincipal = \"client:pinned\"\ntools = [\"smith.f@0.1.0\"]\n\
         [[row]]\nprincipal = \"client:twice\"\ntools = [\"smith.f@0.1.0\", \"smith.f@0.1.1\"]\n"
    );
    let Some(scratch) = scratch(&matrix).await else { return };
    let host = scratch.open().await.unwrap();
    for version in 0..3 {
        assert_eq!(make(&host, &format!("return n + {version};"), "").await, format!("0.1.{version}"));
    }
    let said = async |client: &str, tool: &str| call_as(&host, client, tool, r#"{"n": 10}"#).await;
    assert_eq!(said("other", "smith.f").await.unwrap(), "12");
    assert_eq!(said("other", "smith.f@0.1.1").await.unwrap(), "11");
    for tool in ["smith.f", "smith.f@0.1.0"] {
        assert_eq!(said("pinned", tool).await.unwrap(), "10", "{tool}");
    }
    assert_eq!(said("twice", "smith.f").await.unwrap(), "11", "the newest of those that are named");
    for tool in ["smith.f@0.1.1", "smith.f@0.1.2", "smith.f@0.1.0x", "smith.f@", "smith.g", "text-metrics"] {
        assert_eq!(said("pinned", tool).await.unwrap_err(), "permission.denied", "{tool}");
    }
    let denied = denials(&host).await.unwrap();
    assert!(denied[0].contains("tools = [\"smith.f@0.1.1\"]"), "a denial names what would allow it: {denied:?}");

    // What is listed is what is reached.
    let listed = |client| {
        let tools = host.toolbox.list(&host.client(client));
        tools.into_iter().map(|tool| format!("{}@{}", tool.name, tool.version)).collect::<Vec<_>>()
    };
    assert_eq!(listed("pinned"), ["smith.f@0.1.0"]);
    assert_eq!(listed("twice"), ["smith.f@0.1.1"]);
    assert_eq!(listed("smith"), ["smith.f@0.1.2", "text-metrics@0.1.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_asks_for_a_version_gets_no_other() {
    let matrix = MATRIX.replace("tools = [\"text-metrics\"]", "tools = [\"text-metrics@0.1.0\"]");
    let Some(scratch) = scratch(&matrix).await else { return };
    let host = scratch.open().await.unwrap();
    let body = "return wasmill.call('text-metrics', 'count', { text: 'two words' }).words;";
    // The row names a version, the manifest none; the other way round; and both.
    make(&host, body, "tools = ['text-metrics']").await;
    assert_eq!(call_as(&host, "smith", "smith.f", "{}").await.unwrap(), "2");
    make(&host, body, "tools = ['text-metrics@0.1.0']").await;
    assert_eq!(call_as(&host, "smith", "smith.f", "{}").await.unwrap(), "2");
    make(&host, &body.replace("metrics'", "metrics@0.1.1'"), "tools = ['text-metrics']").await;
    assert_eq!(call_as(&host, "smith", "smith.f", "{}").await.unwrap_err(), "tool.said.permission.denied");
}
