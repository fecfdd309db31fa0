//! Tools, called from outside.

use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill_tests::scratch::{Scratch, denials};

const CLI_MAY: &str = "[[row]]\nprincipal = \"client:cli\"\ntools = [\"*\"]\n";

fn invocation(tool: &str, function: &str, arguments: &str) -> Invocation {
    Invocation { tool: tool.into(), function: function.into(), arguments: arguments.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_tool_answers_and_an_ungranted_one_is_denied_with_the_row_that_would_allow_it() {
    let scratch = Scratch::new(CLI_MAY).await.unwrap();
    scratch.install("text-metrics").unwrap();
    let host = scratch.open().await.unwrap();
    let cli = host.client("cli");
    let tools = host.toolbox.list(&cli);
    assert_eq!(tools.len(), 1);
    let function = &tools[0].functions[0];
    let call = invocation("text-metrics", &function.name, r#"{"text": "one two three"}"#);
    let answer = host.toolbox.call(&cli, call.clone()).await.unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&answer).is_ok(), "{answer}");

    let error = host.toolbox.call(&host.client("other"), call).await.unwrap_err();
    let problem = problem(&error);
    assert_eq!(problem.code, "permission.denied");
    assert!(problem.message.contains("client:other") && problem.message.contains("text-metrics"), "{problem:?}");
    assert!(problem.next.contains("tools = [\"text-metrics\"]"), "{problem:?}");
    assert_eq!(denials(&host).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_said_in_words() {
    let scratch = Scratch::new(CLI_MAY).await.unwrap();
    scratch.install("text-metrics").unwrap();
    let host = scratch.open().await.unwrap();
    let cli = host.client("cli");
    let function = host.toolbox.list(&cli)[0].functions[0].name.clone();
    for (call, code) in [
        (invocation("no-such-tool", "f", "{}"), "tool.unknown"),
        (invocation("text-metrics", "no-such-function", "{}"), "tool.function"),
        (invocation("text-metrics@9.9.9", &function, "{}"), "tool.unknown"),
        (invocation("text-metrics", &function, "{"), "tool.arguments"),
        (invocation("text-metrics", &function, "[]"), "tool.arguments"),
        (invocation("text-metrics", &function, r#"{"text": 7}"#), "tool.arguments"),
    ] {
        let error = host.toolbox.call(&cli, call.clone()).await.unwrap_err();
        assert_eq!(problem(&error).code, code, "{call:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_finds_no_place_says_so_and_the_next_one_gets_it() {
    let mut scratch = Scratch::new(CLI_MAY).await.unwrap();
    scratch.engine.instances_max = 1;
    scratch.install("evil").unwrap();
    scratch.install("text-metrics").unwrap();
    let host = std::sync::Arc::new(scratch.open().await.unwrap());
    let count = || invocation("text-metrics", "count", r#"{"text": "one"}"#);
    let code = |outcome: Result<String, _>| problem(&outcome.unwrap_err()).code;
    let refused = loop {
        let endless = tokio::spawn({
            let host = host.clone();
            async move { host.toolbox.call(&host.client("cli"), invocation("evil", "loop", "{}")).await }
        });
        let mut refused = None;
        while refused.is_none() && !endless.is_finished() {
            // Pauses, so that the endless call finds the place free.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            refused = host.toolbox.call(&host.client("cli"), count()).await.err();
        }
        // Where the endless call itself met the other one, both try again.
        if code(endless.await.unwrap()) == "guest.limit" {
            break refused;
        }
    };
    assert_eq!(problem(&refused.unwrap()).code, "host.busy");
    host.toolbox.call(&host.client("cli"), count()).await.unwrap();
}
