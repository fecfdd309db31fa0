//! Work that begins again after a failure.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::problem::Problem;

/// Pause after the first failure in a row; doubled with each further one.
const BACK_OFF_FIRST: Duration = Duration::from_millis(200);
/// Longest pause between two tries.
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// Works until `stop` becomes true; after each failure, of which `failed` is told, again and after a longer pause.
pub async fn again<W: Future<Output = Result<Infallible, Problem>>>(
    mut work: impl FnMut() -> W,
    mut failed: impl FnMut(Problem),
    mut stop: watch::Receiver<bool>,
) {
    let mut back_off = BACK_OFF_FIRST;
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            ended = work() => ended,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match ended {
            Ok(never) => match never {},
            Err(problem) => failed(problem),
        }
        if began.elapsed() > BACK_OFF_MAX {
            back_off = BACK_OFF_FIRST;
        }
        tokio::select! {
            () = tokio::time::sleep(back_off) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        back_off = (back_off * 2).min(BACK_OFF_MAX);
    }
}
