//! Reading a host again and again.

use std::collections::VecDeque;
use std::path::PathBuf;

use crate::gateway::Client;
use crate::problem::Problem;
use crate::watch::{Figures, View, view};

/// Rates are those of at most so long, milliseconds: shorter ones flicker.
const WINDOW_MS: i64 = 5_000;

/// A host that is watched.
pub(super) struct Watcher {
    client: Client,
    socket: PathBuf,
    /// Readings of the window, oldest first.
    readings: VecDeque<Figures>,
}

impl Watcher {
    pub fn new(client: Client, socket: PathBuf) -> Self {
        Self { client, socket, readings: VecDeque::new() }
    }

    /// Reads once more, and shows what happened since the oldest reading of the window.
    ///
    /// # Errors
    /// Where the host doesn't answer; where it was started again, the next reading does.
    pub async fn read(&mut self) -> Result<View, Problem> {
        let figures: Figures = match self.client.get("/v1/figures").await {
            Ok(figures) => figures,
            Err(problem) => {
                if let Some(client) = Client::running(self.socket.clone()).await {
                    self.client = client;
                }
                return Err(problem);
            }
        };
        let oldest = figures.at_ms.saturating_sub(WINDOW_MS);
        while self.readings.len() > 1 && self.readings.front().is_some_and(|reading| reading.at_ms < oldest) {
            self.readings.pop_front();
        }
        let shown = view(self.readings.front(), &figures);
        self.readings.push_back(figures);
        Ok(shown)
    }
}
