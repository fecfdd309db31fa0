//! Takes the sets through the pipeline.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Figures;
use super::accuracy::grouping;
use super::sets::Set;
use crate::machine::Machine;
use crate::rig::{self, Builds, Host, Line, Parsed, RAW, Scratch, Wasmill, pause};
use crate::show::Step;

/// How often the lines of a set are sent to measure speed.
const TIMES: usize = 10;
/// How long nothing may move.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// What came of one set at first sight.
struct FirstSight {
    accuracy: f64,
    forge: Duration,
}

/// The figures of all sets, in their order.
///
/// # Errors
/// When a set does not go through.
pub fn all(machine: &Machine, sets: &[Set]) -> Result<Vec<Figures>> {
    let binary = rig::binary(machine)?;
    let components = rig::plugins(machine, &["logsmith"])?;
    let scratch = Scratch::new(machine, &binary, &components, "wasmill-loghub-")?;
    let wasmill = &scratch.wasmill;
    let step = Step::start("the forge gets ready");
    scratch.prepare_forge()?;
    scratch.install("logsmith")?;
    scratch.topics()?;
    drop(step);

    let kept = || format!("the home is kept for a look: {}", wasmill.home().display());
    let first = first_sights(wasmill, sets).with_context(kept)?;
    let speeds = speeds(wasmill, sets).with_context(kept)?;
    // Everything that is of interest is in the figures.
    std::fs::remove_dir_all(wasmill.home()).context("remove the scratch home")?;
    Ok(sets
        .iter()
        .zip(first.into_iter().zip(speeds))
        .map(|(set, (first, speed))| Figures {
            set: set.name.clone(),
            grouping_accuracy: first.accuracy,
            lines_per_second: speed.round(),
            forge_ms: first.forge.as_millis(),
        })
        .collect())
}

fn first_sights(wasmill: &Wasmill, sets: &[Set]) -> Result<Vec<FirstSight>> {
    let mut host = Host::start(wasmill)?;
    let parsed = Parsed::follow(wasmill, "end")?;
    let mut builds = Builds::default();
    let mut first = Vec::new();
    for set in sets {
        let step = Step::start(format!("{} is new", set.name));
        wasmill.send(RAW, &set.name, text(set, 1).as_bytes())?;
        let answers = arrived(&mut host, &parsed, &set.name, set.lines.len())?;
        let made = builds.news(wasmill)?;
        let tool = made.iter().find(|build| build.is_callable());
        let tool = tool.with_context(|| format!("no parser was made for {}", set.name))?;
        let groups: Vec<_> = answers.iter().map(|line| line.template_id).collect();
        first.push(FirstSight { accuracy: grouping(&groups, &set.events), forge: tool.took_all() });
        drop(step);
    }
    drop(parsed);
    host.stop()?;
    Ok(first)
}

/// Lines per second of each set: sent while no host is there, so that it never waits for them.
fn speeds(wasmill: &Wasmill, sets: &[Set]) -> Result<Vec<f64>> {
    let before = sets.iter().map(|set| set.lines.len()).sum::<usize>();
    let step = Step::start("the lines of known sources, again and again");
    for set in sets {
        wasmill.send(RAW, &set.name, text(set, TIMES).as_bytes())?;
    }
    let mut host = Host::start(wasmill)?;
    let (mut last, mut moved) = (0, Instant::now());
    let all = u64::try_from(before * TIMES)?;
    while last < all {
        host.check()?;
        let committed = Host::committed(wasmill, "logsmith")?;
        if committed > last {
            (last, moved) = (committed, Instant::now());
        }
        ensure!(moved.elapsed() < PATIENCE, "{last} of {all} lines are parsed, and no more\n{}", host.last_words());
        pause(Duration::from_millis(250))?;
    }
    // Only now, so that reading takes nothing away from what is measured.
    let parsed = Parsed::follow(wasmill, &before.to_string())?;
    let mut speeds = Vec::new();
    for set in sets {
        let lines = arrived(&mut host, &parsed, &set.name, set.lines.len() * TIMES)?;
        speeds.push(speed(&lines));
    }
    drop((step, parsed));
    host.stop()?;
    Ok(speeds)
}

/// The lines of a source, once there are so many.
fn arrived(host: &mut Host, parsed: &Parsed, source: &str, lines: usize) -> Result<Vec<Line>> {
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let count = parsed.count(source);
        if count >= lines {
            ensure!(count == lines, "{source} has {lines} lines, but {count} came out");
            return Ok(parsed.lines(source));
        }
        host.check()?;
        if count > last {
            (last, moved) = (count, Instant::now());
        }
        if moved.elapsed() > PATIENCE {
            bail!("{count} of {lines} lines of {source} came out, and no more\n{}", host.last_words());
        }
        pause(LOOK)?;
    }
}

/// Lines per second between commits: the median over batches of lines by the time since the batch before. A pause, in
/// which the next version of a tool is built, is one batch of many.
fn speed(lines: &[Line]) -> f64 {
    let mut speeds: Vec<f64> = lines
        .chunk_by(|one, two| one.at_ms == two.at_ms)
        .collect::<Vec<_>>()
        .windows(2)
        .filter_map(|pair| {
            let took = pair[1].first()?.at_ms - pair[0].first()?.at_ms;
            (took > 0).then(|| pair[1].len() as f64 * 1e3 / took as f64)
        })
        .collect();
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() / 2).copied().unwrap_or_default()
}

fn text(set: &Set, times: usize) -> String {
    set.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().repeat(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: i64) -> Line {
        Line { time: String::new(), template_id: None, template: None, variables: Vec::new(), at_ms }
    }

    #[test]
    fn a_pause_between_two_batches_does_not_count() {
        let lines: Vec<Line> = [0, 100, 200, 9_000, 9_100].into_iter().flat_map(|ms| vec![at(ms); 50]).collect();
        assert!((speed(&lines) - 500.0).abs() < 1e-9);
        assert!(speed(&lines[..50]) < 1e-9);
    }
}
