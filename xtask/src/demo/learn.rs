//! A source that nobody described, from its first line to the last one parsed.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::sources::Source;
use crate::rig::{Build, Builds, Host, Line, Parsed, RAW, Stages, Wasmill, pause};
use crate::show::{self, Step, count};

/// How long nothing may happen before the source is given up.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Parsed lines that are shown of each source.
const SHOWN: usize = 3;

/// Everything that is needed to watch.
pub struct Watch<'a> {
    /// The command line.
    pub wasmill: &'a Wasmill,
    /// The host at work.
    pub host: &'a mut Host,
    /// What arrives.
    pub parsed: &'a Parsed,
    /// Its log.
    pub stages: Stages,
    /// The forge's book.
    pub builds: Builds,
}

/// A source with a parser.
pub struct Learned {
    /// Id of the build.
    pub build: String,
    /// The tool that was made.
    pub tool: String,
    /// From the first line sent to the last one parsed.
    pub took: Duration,
}

impl Watch<'_> {
    /// Sends a source's lines, shows what becomes of them, and waits until all are parsed.
    ///
    /// # Errors
    /// When the host ends, or no parser comes of it.
    pub fn learn(&mut self, source: &Source) -> Result<Learned> {
        let lines = source.lines.len();
        show::title(&format!("{}: {} lines of {}", source.name, count(lines as f64), source.from));
        source.lines.iter().take(2).for_each(|line| show::quote(line));
        let step = Step::start(format!("{} is unknown: logsmith takes a sample", source.name));
        self.wasmill.send(RAW, &source.name, source.text(1).as_bytes())?;
        self.wait(source, &step)?;
        let took = step.elapsed();
        drop(step);

        let builds = self.builds.news(self.wasmill)?;
        let Some(build) = builds.iter().find(|build| build.is_callable()) else {
            bail!("{} was parsed without a build of its own", source.name)
        };
        self.tell(build)?;
        let tool = build.tool();
        let answers = self.parsed.lines(&source.name);
        let matched = answers.iter().filter(|line| line.template_id.is_some()).count();
        let templates: HashSet<u64> = answers.iter().filter_map(|line| line.template_id).collect();
        show::done(
            &format!(
                "called: {} of {} lines match one of {} templates",
                count(matched as f64),
                count(answers.len() as f64),
                templates.len()
            ),
            Some(took.saturating_sub(build.took_all())),
        );
        for better in builds.iter().filter(|other| other.id != build.id && other.is_callable()) {
            let version = better.version.as_deref().unwrap_or_default();
            show::done(&format!("too many lines were strange to it: version {version} is made from newer lines"), None);
        }
        samples(&answers).into_iter().for_each(show::record);
        Ok(Learned { build: build.id.clone(), tool, took })
    }

    fn tell(&self, build: &Build) -> Result<()> {
        let whole = build.whole(self.wasmill)?;
        show::done(
            &format!("unknown source: its parser is written, {} lines of Rust", whole.source.lines().count()),
            None,
        );
        show::command(&self.wasmill.shown(&["forge", "show", &build.id, "--source"]));
        show::done("built in the sandbox, imports inspected", Some(build.took(&["refuse", "build", "inspect"])));
        show::done("tried on examples out of the sample", Some(build.took(&["examine"])));
        let tool = build.tool();
        show::done(&format!("signed; callable as {tool}"), Some(build.took(&["sign", "register"])));
        Ok(())
    }

    fn wait(&mut self, source: &Source, step: &Step) -> Result<()> {
        let (mut last, mut moved) = (0, Instant::now());
        loop {
            let parsed = self.parsed.count(&source.name);
            if parsed >= source.lines.len() {
                return Ok(());
            }
            self.host.check()?;
            if let Some((tool, stage)) = self.stages.news(self.host) {
                moved = Instant::now();
                step.say(match stage.as_str() {
                    "refuse" => format!("{tool} is written; it is built in the sandbox"),
                    "build" | "inspect" => format!("{tool} is built; its examples are tried"),
                    "examine" | "sign" => format!("{tool} is tried; it is signed and registered"),
                    _ => format!("{tool} is callable"),
                });
            }
            if parsed > last {
                (last, moved) = (parsed, Instant::now());
                step.say(format!("{} of {} lines are parsed", count(parsed as f64), count(source.lines.len() as f64)));
            }
            if moved.elapsed() > PATIENCE {
                let reasons: Vec<String> =
                    self.builds.news(self.wasmill)?.into_iter().map(|build| build.reason).collect();
                let why = if reasons.is_empty() { "nothing was built".to_owned() } else { reasons.join("; ") };
                bail!("no parser for {} ({why})\n{}", source.name, self.host.last_words());
            }
            pause(LOOK)?;
        }
    }
}

/// Lines of different templates, those with the most to see in them first.
fn samples(lines: &[Line]) -> Vec<&Line> {
    let mut by_template: BTreeMap<u64, &Line> = BTreeMap::new();
    for line in lines {
        if let Some(id) = line.template_id {
            by_template.entry(id).or_insert(line);
        }
    }
    let mut samples: Vec<&Line> = by_template.into_values().collect();
    // Beyond a few variables a line says no more to a person.
    let said = |line: &Line| line.variables.iter().filter(|v| v.as_str().is_some_and(|v| !v.is_empty())).count().min(3);
    samples.sort_by_key(|line| std::cmp::Reverse(said(line)));
    samples.truncate(SHOWN);
    samples
}
