//! The host beside plain librdkafka and Kafka Streams, for records of two sizes on one and on eight partitions.
//!
//! Every program reads the same topic, from its first record on and in a group of its own. Those that are set beside each
//! other run in turns (one, other, other, one), so that what slows the machine down in the meantime meets both.

use std::time::Duration;

use anyhow::Result;
use wasmill_registry::RecordHeaders;

use super::jvm::{self, Jvm};
use super::ours::{self, Ours};
use super::plain::{self, Pace, Plain, RECORDS_MAX, Work};
use super::program::{Program, Sample, turn};
use super::rig::{Input, Rig, Shape};
use crate::{Options, Row};

/// Until a program has filled its queues.
const WARM: Duration = Duration::from_secs(2);
/// Until Java has compiled what is used most.
const WARM_JAVA: Duration = Duration::from_secs(10);
/// Seconds that starting takes, generously.
const STARTING: f64 = 3.0;

/// Parts that can be asked for alone.
pub const PARTS: [&str; 4] = ["copy", "json", "state", "tools"];

/// All parts that are wanted, shape by shape.
pub async fn measure(options: Options) -> Result<Vec<Row>> {
    let Some(rig) = Rig::start()? else { return Ok(Vec::new()) };
    say_settings(&rig);
    let mut rows = Vec::new();
    for shape in Shape::wanted(Shape::ALL, options) {
        let is_end = Shape::ENDS.contains(&shape);
        let input = Input::new(&rig, format!("bench.in.{}", shape.tag()), shape).await?;
        // A first guess; what is measured takes its place.
        let fastest = if shape.size < 1_000 { 120_000.0 } else { 40_000.0 };
        let mut stage = Stage { rig: &rig, input, seconds: options.seconds, fastest };
        if options.wants("copy") {
            rows.extend(stage.copy(shape == Shape::ENDS[0]).await?);
        }
        if options.wants("json") {
            rows.extend(stage.json().await?);
        }
        if options.wants("state") && is_end {
            rows.extend(stage.state().await?);
        }
        if options.wants("tools") && is_end {
            rows.extend(stage.tools().await?);
        }
        rig.delete(&stage.input.topic).await?;
    }
    Ok(rows)
}

/// What the host runs of one part.
struct Load {
    plugin: &'static str,
    batch_records: usize,
    headers: RecordHeaders,
    more: &'static str,
    settings: Vec<(&'static str, &'static str)>,
    tool: Option<&'static str>,
}

impl Load {
    fn of(plugin: &'static str) -> Self {
        let headers = RecordHeaders::All;
        Self { plugin, batch_records: RECORDS_MAX, headers, more: "", settings: Vec::new(), tool: None }
    }

    /// The same, with only those headers on its records that the agent writes itself: none.
    fn bare(self) -> Self {
        Self { headers: RecordHeaders::None, ..self }
    }
}

/// Where programs of one shape are measured.
struct Stage<'r> {
    rig: &'r Rig,
    input: Input,
    seconds: f64,
    /// The highest rate that was measured, records per second.
    fastest: f64,
}

impl Stage<'_> {
    async fn copy(&mut self, with_bare: bool) -> Result<Vec<Row>> {
        let (mut ours, output) = self.ours("copy", &Load::of("relay")).await?;
        let mut plain = Plain::new(self.plain("copy", Work::Copy, true).await?);
        let (host, peer) = self.duel(&mut ours, &mut plain).await?;
        self.say("copy", &[("wasmill", host), ("librdkafka", peer)]);
        let mut rows = vec![self.ratio("copy, exactly once, beside plain librdkafka", host.rate() / peer.rate(), 0.95)];
        rows.push(self.shown("copy, exactly once", host.rate(), "records/s"));
        self.delete(&[&output, &plain.output()]).await?;
        if with_bare {
            let (mut ours, output) = self.ours("copy-bare", &Load::of("relay").bare()).await?;
            let mut plain = Plain::new(self.plain("bare", Work::Copy, false).await?);
            let (host, peer) = self.duel(&mut ours, &mut plain).await?;
            self.say("copy, no headers", &[("wasmill", host), ("librdkafka", peer)]);
            let name = "copy without headers, beside plain librdkafka without headers";
            rows.push(self.shown(name, host.rate() / peer.rate(), "ratio"));
            self.delete(&[&output, &plain.output()]).await?;
        }
        Ok(rows)
    }

    async fn json(&mut self) -> Result<Vec<Row>> {
        let (mut ours, output) = self.ours("json", &Load::of("bench-upper")).await?;
        let mut plain = Plain::new(self.plain("json", Work::Upper, true).await?);
        let (host, peer) = self.duel(&mut ours, &mut plain).await?;
        self.delete(&[&output, &plain.output()]).await?;
        self.say("json", &[("wasmill", host), ("librdkafka", peer)]);
        let (bare, java) = self.beside_streams("json", &Load::of("bench-upper").bare(), "upper").await?;
        Ok(vec![
            self.ratio("upper-case one JSON field, beside plain librdkafka", host.rate() / peer.rate(), 0.80),
            self.ratio(
                "upper-case one JSON field, per CPU second, beside Kafka Streams",
                bare.per_cpu() / java.per_cpu(),
                2.0,
            ),
        ])
    }

    async fn state(&mut self) -> Result<Vec<Row>> {
        let load = Load { more: "state = true", ..Load::of("bench-count").bare() };
        let (host, java) = self.beside_streams("state", &load, "count").await?;
        self.rig.delete(&format!("wasmill.state.{}", self.name("state-bare"))).await?;
        let name = "state read-modify-write, per CPU second, beside Kafka Streams with RocksDB";
        Ok(vec![self.ratio(name, host.per_cpu() / java.per_cpu(), 2.0)])
    }

    async fn tools(&mut self) -> Result<Vec<Row>> {
        let mut samples = [Sample::default(); 3];
        let mut outputs = Vec::new();
        // Half of the agent's own work before and half after the others.
        let order = [("inline", 0, 0.5), ("each", 1, 1.0), ("batch", 2, 1.0), ("inline", 0, 0.5)];
        let mut programs = Vec::new();
        for way in ["inline", "each", "batch"] {
            let load = Load {
                batch_records: 1_024,
                more: "tools = [\"bench-tool\"]",
                settings: vec![("way", way)],
                tool: Some("bench-tool"),
                ..Load::of("bench-caller")
            };
            let (program, output) = self.ours(way, &load).await?;
            programs.push(program);
            outputs.push(output);
        }
        for (_, who, share) in order {
            let before = samples[who];
            let sample = self.turn(&mut programs[who], WARM, self.seconds * share, before.all).await?;
            samples[who] = before.and(sample);
        }
        let [inline, each, batch] = samples;
        self.say("tools", &[("inlined", inline), ("a call each", each), ("a call for a batch", batch)]);
        self.delete(&outputs.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        Ok(vec![
            self.ratio("tool call for a batch of records, beside the code inlined", batch.rate() / inline.rate(), 0.7),
            // Each in a fresh instance, which nothing asks to cost as little as a line of code.
            self.shown(
                "tool call for each record, 64 at once, beside the code inlined",
                each.rate() / inline.rate(),
                "ratio",
            ),
        ])
    }

    /// The host, then Kafka Streams, each once. Both write no headers.
    async fn beside_streams(&mut self, part: &str, load: &Load, work: &'static str) -> Result<(Sample, Sample)> {
        let (mut ours, output) = self.ours(&format!("{part}-bare"), load).await?;
        let host = self.turn(&mut ours, WARM, self.seconds, 0).await?;
        self.rig.delete(&output).await?;
        let java = self.streams(part, work).await?;
        self.say(&format!("{part}, no headers"), &[("wasmill", host), ("Kafka Streams", java)]);
        Ok((host, java))
    }

    /// Kafka Streams, once.
    async fn streams(&mut self, part: &str, work: &'static str) -> Result<Sample> {
        let (name, output) = (format!("streams-{part}-{}", self.input.shape.tag()), self.output("streams", part));
        self.rig.create(&output, self.input.shape.partitions).await?;
        let (input, partitions) = (self.input.topic.clone(), self.input.shape.partitions);
        let order = jvm::Order { address: self.rig.address(), name, input, partitions, output: output.clone(), work };
        let mut java = Jvm::new(order)?;
        let sample = self.turn(&mut java, WARM_JAVA, self.seconds, 0).await;
        eprintln!("  Kafka Streams: {}", java.log().lines().collect::<Vec<_>>().join(" "));
        self.delete(&[&output]).await?;
        sample
    }

    /// Two programs in turns, each for the whole time in all.
    async fn duel(&mut self, one: &mut Ours, other: &mut Plain) -> Result<(Sample, Sample)> {
        let mut samples = [Sample::default(); 2];
        let programs: [&mut dyn Program; 2] = [one, other];
        for who in [0, 1, 1, 0] {
            let before = samples[who];
            let sample = self.turn(&mut *programs[who], WARM, self.seconds / 2.0, before.all).await?;
            samples[who] = before.and(sample);
        }
        Ok((samples[0], samples[1]))
    }

    /// One turn of a program that has read `position` records before.
    async fn turn(&mut self, program: &mut dyn Program, warm: Duration, seconds: f64, position: u64) -> Result<Sample> {
        let needed = self.fastest * 1.3 * (seconds + warm.as_secs_f64() + STARTING);
        self.input.fill(position + needed as u64)?;
        let sample = turn(program, warm, Duration::from_secs_f64(seconds)).await?;
        self.fastest = if position == 0 && self.fastest < sample.rate() { sample.rate() } else { self.fastest };
        Ok(sample)
    }

    async fn ours(&self, part: &str, load: &Load) -> Result<(Ours, String)> {
        let output = self.output("ours", part);
        self.rig.create(&output, self.input.shape.partitions).await?;
        let order = ours::Order {
            plugin: load.plugin,
            name: self.name(part),
            input: self.input.topic.clone(),
            output: Some(output.clone()),
            batch_records: load.batch_records,
            commit_ms: 0,
            headers: load.headers,
            more: load.more,
            settings: load.settings.clone(),
            tool: load.tool,
        };
        Ok((Ours::new(&order, Some(self.rig.streams.clone())).await?, output))
    }

    async fn plain(&self, part: &str, work: Work, headers: bool) -> Result<plain::Order> {
        let output = self.output("plain", part);
        self.rig.create(&output, self.input.shape.partitions).await?;
        let (address, name) = (self.rig.address(), format!("plain-{part}-{}", self.input.shape.tag()));
        Ok(plain::Order { address, name, input: self.input.topic.clone(), output, work, pace: Pace::Full, headers })
    }

    async fn delete(&self, topics: &[&str]) -> Result<()> {
        for topic in topics {
            self.rig.delete(topic).await?;
        }
        Ok(())
    }

    fn name(&self, part: &str) -> String {
        format!("bench-{part}-{}", self.input.shape.tag())
    }

    fn output(&self, whose: &str, part: &str) -> String {
        format!("bench.out.{whose}.{part}.{}", self.input.shape.tag())
    }

    fn ratio(&self, what: &str, value: f64, reach: f64) -> Row {
        Row::at_least(format!("{what}; {}", self.input.shape.said()), value, "ratio", reach)
    }

    fn shown(&self, what: &str, value: f64, unit: &'static str) -> Row {
        Row::shown(format!("{what}; {}", self.input.shape.said()), value, unit)
    }

    fn say(&self, part: &str, samples: &[(&str, Sample)]) {
        for (who, sample) in samples {
            eprintln!(
                "  {part}, {}: {who}: {:.0} records/s for {:.1} s, {:.0} records per CPU second",
                self.input.shape.said(),
                sample.rate(),
                sample.seconds,
                sample.per_cpu()
            );
        }
    }
}

fn say_settings(rig: &Rig) {
    let order = plain::Order {
        address: rig.address(),
        name: "NAME".into(),
        input: String::new(),
        output: String::new(),
        work: Work::Copy,
        pace: Pace::Full,
        headers: true,
    };
    let line = |settings: plain::native::Settings| {
        settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    eprintln!("  plain librdkafka, consumer: {}", line(plain::consumer_settings(&order)));
    eprintln!("  plain librdkafka, producer: {}", line(plain::producer_settings(&order)));
    eprintln!("  plain librdkafka, a transaction: up to {RECORDS_MAX} records or 8 MiB, as the host's");
}
