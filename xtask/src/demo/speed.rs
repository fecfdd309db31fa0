//! Lines per second before a source has a parser, and after.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::sources::Source;
use crate::rig::{Host, RAW, Wasmill, pause};
use crate::show::{self, Step, count, seconds};

/// Lines that are sent to measure.
const LINES: usize = 40_000;
/// How long nothing may move.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends all sources again and again, and shows how fast they are parsed now: from the first line sent to the last one
/// committed, sending included. `before`: lines, and how long they took while their parsers were made.
///
/// # Errors
/// When the host ends or the lines are not parsed.
pub fn compare(wasmill: &Wasmill, host: &mut Host, sources: &[&Source], before: (usize, Duration)) -> Result<()> {
    let each: usize = sources.iter().map(|source| source.lines.len()).sum();
    let times = LINES.div_ceil(each.max(1));
    let lines = each * times;
    let step = Step::start(format!("{} lines of known sources", count(lines as f64)));
    let first = Host::committed(wasmill, "logsmith")?;
    let began = Instant::now();
    for source in sources {
        wasmill.send(RAW, &source.name, source.text(times).as_bytes())?;
    }
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let committed = usize::try_from(Host::committed(wasmill, "logsmith")? - first)?;
        if committed >= lines {
            break;
        }
        host.check()?;
        if committed > last {
            (last, moved) = (committed, Instant::now());
            step.say(format!("{} of {} lines are parsed", count(committed as f64), count(lines as f64)));
        }
        if moved.elapsed() > PATIENCE {
            bail!("{last} of {lines} lines are parsed, and no more\n{}", host.last_words());
        }
        pause(Duration::from_millis(20))?;
    }
    let took = began.elapsed();
    drop(step);
    let (lines_before, took_before) = before;
    let speed = |lines: usize, took: Duration| lines as f64 / took.as_secs_f64().max(1e-3);
    let after = speed(lines, took);
    show::speed("while the parsers were made", speed(lines_before, took_before), after);
    show::speed("through the tools", after, after);
    show::say(&format!(
        "{} lines in {}, sent, parsed and committed exactly once, on the development build.",
        count(lines as f64),
        seconds(took)
    ));
    Ok(())
}
