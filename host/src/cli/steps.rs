//! Steps of a start that takes long, said in the log: whoever started a host sees what it waits for.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a step may take before it is said, and how often it is said again.
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(10);

/// Does one step; says what it is while it takes longer than a second.
pub(super) async fn step<T>(what: &str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let mut work = std::pin::pin!(work);
    let mut wait = PATIENCE;
    loop {
        match tokio::time::timeout(wait, &mut work).await {
            Ok(done) => return done,
            Err(_) => tracing::info!(seconds = began.elapsed().as_secs(), "still {what}"),
        }
        wait = AGAIN;
    }
}
