//! Progress of what takes more than a second.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;

/// How long something may take before its progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// A spinner on standard error that appears after a second, for a person at a terminal only. Gone when dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    waiter: tokio::task::JoinHandle<()>,
}

impl Progress {
    /// Begins. `message` says what goes on: "Installing counter".
    pub fn start(output: Output, message: impl Into<String>) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(message.into());
        let shown = bar.clone();
        let waiter = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            // Draws nothing where standard error is no terminal.
            if output.is_human() {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(100));
            }
        });
        Self { bar, waiter }
    }

    /// Says what goes on now.
    pub fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.waiter.abort();
        self.bar.finish_and_clear();
    }
}
