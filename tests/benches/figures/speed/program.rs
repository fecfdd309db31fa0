//! What is measured: a program that works through a topic, for a while.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use wasmill_tests::scratch::PATIENCE;

/// How often the program is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// A program that commits nothing for so long has nothing left to read.
const SILENCE: Duration = Duration::from_secs(2);

/// A program that reads one topic and commits records.
#[async_trait]
pub trait Program: Send {
    /// Starts it. It goes on where it ended the last time.
    async fn start(&mut self) -> Result<()>;

    /// Records that it has committed since it was started.
    async fn done(&mut self) -> Result<u64>;

    /// CPU time that its process has used, seconds of all threads, user and system.
    fn cpu_seconds(&self) -> Result<f64>;

    /// Stops it and waits until it has stopped.
    async fn stop(&mut self) -> Result<()>;
}

/// What a program did in a window of time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Records committed in the window.
    pub records: f64,
    /// Length of the window, seconds.
    pub seconds: f64,
    /// CPU time of the program's process in the window, seconds.
    pub cpu: f64,
    /// Records committed since the start, before and after the window too.
    pub all: u64,
}

impl Sample {
    /// Records per second.
    pub fn rate(&self) -> f64 {
        self.records / self.seconds
    }

    /// Records per second of CPU time.
    pub fn per_cpu(&self) -> f64 {
        self.records / self.cpu
    }

    /// Two windows of the same program together.
    pub fn and(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            seconds: self.seconds + other.seconds,
            cpu: self.cpu + other.cpu,
            all: self.all + other.all,
        }
    }
}

/// Starts a program, lets it warm up, measures it, stops it. The window ends early where nothing is left to read.
///
/// # Errors
/// When it does nothing, or fails.
pub async fn turn(program: &mut dyn Program, warm: Duration, length: Duration) -> Result<Sample> {
    program.start().await?;
    let sample = watch(program, warm, length).await;
    program.stop().await?;
    let (sample, wanted) = (sample?, length.as_secs_f64());
    if sample.seconds < wanted * 0.9 {
        eprintln!("  note: there were only records for {:.1} s of {wanted:.1} s", sample.seconds);
    }
    Ok(sample)
}

/// The window of a program that runs. It ends early where nothing is left to read.
///
/// # Errors
/// As [`turn`].
pub async fn watch(program: &mut dyn Program, warm: Duration, length: Duration) -> Result<Sample> {
    let started = Instant::now();
    while program.done().await? == 0 {
        ensure!(started.elapsed() < PATIENCE, "nothing was committed");
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(warm).await;
    let first = look(program).await?;
    let mut last = first;
    while last.0.duration_since(first.0) < length && last.0.elapsed() < SILENCE {
        tokio::time::sleep(LOOK).await;
        let now = look(program).await?;
        if now.1 > last.1 {
            last = now;
        }
    }
    let seconds = last.0.duration_since(first.0).as_secs_f64();
    ensure!(last.1 > first.1, "nothing was left to read after warming up");
    Ok(Sample { records: (last.1 - first.1) as f64, seconds, cpu: last.2 - first.2, all: last.1 })
}

async fn look(program: &mut dyn Program) -> Result<(Instant, u64, f64)> {
    let done = program.done().await?;
    Ok((Instant::now(), done, program.cpu_seconds()?))
}

/// CPU time of this process so far, seconds.
pub fn own_cpu_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}
