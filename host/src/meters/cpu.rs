//! CPU time of one piece of asynchronous work.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Does work and says how much CPU time its thread spent on it while it was polled: not what it waits for, and not what it
/// hands to other tasks. Two system calls a poll, 0.4 µs each (measured).
pub async fn on_cpu<F: Future>(spent: impl Fn(Duration), work: F) -> F::Output {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        let before = thread_time();
        let polled = work.as_mut().poll(context);
        spent(thread_time().saturating_sub(before));
        polled
    })
    .await
}

/// CPU time of this thread. A system that can't tell lets everything take none.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn computing_counts_and_waiting_does_not() {
        let spent = Cell::new(Duration::ZERO);
        let add = |more| spent.set(spent.get() + more);
        on_cpu(add, tokio::time::sleep(Duration::from_millis(200))).await;
        let waited = spent.replace(Duration::ZERO);
        let worked = on_cpu(add, async {
            let began = thread_time();
            while thread_time() - began < Duration::from_millis(100) {
                std::hint::black_box(Instant::now());
            }
        });
        worked.await;
        assert!(spent.get() >= Duration::from_millis(100), "{:?}", spent.get());
        assert!(waited < Duration::from_millis(100), "{waited:?}");
    }
}
