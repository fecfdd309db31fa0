//! `wasmill top`

mod frame;
mod screen;
mod watcher;

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;

use self::frame::{Order, frame};
use self::screen::{Key, Screen};
use self::watcher::Watcher;
use super::Context;
use super::progress::Progress;
use crate::gateway::Client;
use crate::problem::{Problem, ProblemKind};

/// Width of what is printed where there is no terminal, in characters.
const WIDTH: usize = 160;

/// Watches agents at work.
#[derive(Debug, Args)]
#[command(
    after_help = "Rates and latencies are those of the last seconds; errors, retries and dead letters are counted since
the host started. Latency is from a record's own time to its commit, as exact as the histogram's buckets.

Keys: q quit, s sort by the next column, r turn the order, p pause, ↑ ↓ scroll. Where standard output is no terminal,
with --once or with --output json, one reading of a second is printed instead.

Examples:
  wasmill top
  wasmill top --sort lag
  wasmill top --once --output json"
)]
pub(super) struct Top {
    /// Print one reading and end
    #[arg(long)]
    once: bool,
    /// Seconds between two readings
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=60))]
    every: u64,
    /// Column to sort by
    #[arg(long, value_enum, value_name = "COLUMN", default_value_t = Order::Agent)]
    sort: Order,
}

impl Top {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let home = cx.home()?;
        let none = || {
            let message = format!("no host runs on the home `{}`", home.root().display());
            Problem::new(ProblemKind::Unavailable, "host.none", message, "Start one with `wasmill up`.")
        };
        let client = Client::running(home.socket()).await.ok_or_else(none)?;
        let mut watcher = Watcher::new(client, home.socket());
        let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        if self.once || !cx.output.is_human() || !is_terminal {
            return self.print(cx, &mut watcher).await;
        }
        self.watch(&mut watcher).await
    }

    async fn print(&self, cx: &Context, watcher: &mut Watcher) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Watching");
        watcher.read().await?;
        tokio::time::sleep(Duration::from_secs(self.every)).await;
        let view = watcher.read().await?;
        drop(progress);
        cx.output.show(&view, |view| {
            let shown = Shown { order: self.sort, ..Shown::default() };
            frame(view, &shown, None, (WIDTH, usize::MAX)).join("\n")
        })
    }

    async fn watch(&self, watcher: &mut Watcher) -> Result<(), Problem> {
        let mut view = watcher.read().await?;
        let mut trouble = None;
        let mut shown = Shown { order: self.sort, ..Shown::default() };
        let mut screen = Screen::open()?;
        let mut ticks = tokio::time::interval(Duration::from_secs(self.every));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let size = screen.size();
            screen.draw(&frame(&view, &shown, trouble.as_ref(), size))?;
            tokio::select! {
                key = screen.key() => match key {
                    Some(Key::Quit) | None => return Ok(()),
                    Some(Key::Resized) => {}
                    Some(Key::Sort) => shown.order = shown.order.next(),
                    Some(Key::Reverse) => shown.is_reversed = !shown.is_reversed,
                    Some(Key::Pause) => shown.is_paused = !shown.is_paused,
                    Some(Key::Up) => shown.first = shown.first.saturating_sub(1),
                    Some(Key::Down) => shown.first = (shown.first + 1).min(view.agents.len().saturating_sub(1)),
                },
                _ = ticks.tick(), if !shown.is_paused => match watcher.read().await {
                    Ok(new) => (view, trouble) = (new, None),
                    // It may come back; until then the last reading stays.
                    Err(problem) => trouble = Some(problem),
                },
            }
        }
    }
}

/// How the view is shown.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    order: Order,
    is_reversed: bool,
    is_paused: bool,
    /// First agent on the screen.
    first: usize,
}
