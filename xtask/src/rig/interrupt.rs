//! Ctrl-C and SIGTERM as an ordinary error, so that everything that was started is stopped on the way out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on a signal is noted instead of ending the process.
///
/// # Errors
/// When the signals are taken already.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed)).context("listen for Ctrl-C")
}

/// # Errors
/// When a signal came.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted")
    }
    Ok(())
}

/// Waits a moment.
///
/// # Errors
/// As [`check`].
pub fn pause(time: Duration) -> Result<()> {
    std::thread::sleep(time);
    check()
}
