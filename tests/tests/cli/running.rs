//! Commands while something else has the home: a host that listens, or a process that only holds the log.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::sync::oneshot;
use wasmill::gateway::{Client, Gateway, Listener, router};
use wasmill::home::{Home, open_streams};
use wasmill_tests::binary::{Cli, Ended};

/// Runs a command without holding up the router that it asks.
async fn run(cli: &Arc<Cli>, arguments: &'static [&'static str]) -> Ended {
    let cli = cli.clone();
    tokio::task::spawn_blocking(move || cli.run(arguments)).await.unwrap()
}

#[tokio::test]
async fn commands_ask_the_host_that_runs() {
    let cli = Arc::new(Cli::new());
    let home = Home::open(&cli.home()).unwrap();
    let streams = open_streams(&home, &home.config().unwrap().streams).await.unwrap();

    // The log has one owner; without a socket to ask, a command can only say so.
    let problem = run(&cli, &["topic", "list"]).await.problem(5);
    assert_eq!(problem.code, "log.in-use");

    // What a killed host leaves behind does not get in the way.
    drop(std::os::unix::net::UnixListener::bind(home.socket()).unwrap());
    let gateway = Gateway::with_streams(home.clone(), streams.clone()).unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let socket = home.socket();
    let listener = Listener::bind(&socket).await.unwrap();
    // Who asks before anybody serves is not turned away.
    assert!(Client::running(home.socket()).await.is_some());
    let serving = tokio::spawn(listener.serve(router(Arc::new(gateway)), async { drop(stopped.await) }));
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);

    run(&cli, &["topic", "create", "words"]).await.json();
    run(&cli, &["record", "send", "words", "hello"]).await.json();
    let records = run(&cli, &["record", "tail", "words", "--count", "1"]).await.json_lines();
    assert_eq!(records[0]["value"], "hello");
    // Problems keep their code and their exit code over the socket.
    assert_eq!(run(&cli, &["topic", "create", "words"]).await.problem(1).code, "topic.exists");
    assert_eq!(run(&cli, &["record", "tail", "nowhere"]).await.problem(4).code, "topic.unknown");
    assert_eq!(run(&cli, &["plugin", "remove", "nothing"]).await.problem(4).code, "component.unknown");

    assert_eq!(Listener::bind(&socket).await.unwrap_err().code, "host.running");

    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert!(!socket.exists());
    drop(streams);
    assert_eq!(run(&cli, &["topic", "list"]).await.json()[0]["name"], "words");
}

#[tokio::test]
async fn the_router_answers_every_mistake_in_the_same_shape() {
    let cli = Cli::new();
    let client = Client::open(Home::open(&cli.home()).unwrap()).await.unwrap();
    let problem = client.get::<serde_json::Value>("/v1/nothing").await.unwrap_err();
    assert_eq!(problem.code, "request.route");
    let problem = client.post::<serde_json::Value>("/v1/topics", &"not a topic").await.unwrap_err();
    assert_eq!(problem.code, "request.body");
    let problem = client.get::<serde_json::Value>("/v1/topics/words/records?offset=-1").await.unwrap_err();
    assert_eq!(problem.code, "request.query");
    let problem = client.delete::<serde_json::Value>("/v1/topics").await.unwrap_err();
    assert_eq!(problem.code, "request.method");
}
