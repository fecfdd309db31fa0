//! Writes a parser for each log source it meets, and parses the source's lines with it.
//!
//! Lines arrive on `logs.raw`, keyed by the name of their source. Those of a source without a parser wait in `state`, until
//! they are enough of a sample; then `logsmith-core` learns from them and writes a parser, the forge makes a tool of it,
//! and the tool is called from then on, with many lines per call. What it finds goes to `logs.parsed`.
//!
//! Only `state` counts: nothing but immutable answers is cached, so an instance can be lost between any two batches.

mod backlog;
mod model;
mod output;
mod parse;
mod smith;
mod store;

use std::borrow::Cow;
use std::collections::BTreeMap;

use logsmith_core::source::Source;
use wasmill_sdk::{Agent, Batch, Error, Failure, Outbox, log};

use output::Texts;
use parse::Parsed;

/// Name of the source of records that have no key.
const NAMELESS: &str = "nameless";

/// The agent of one partition.
#[derive(Default)]
struct Logsmith {
    texts: Texts,
}

impl Agent for Logsmith {
    fn handle(&mut self, batch: &Batch, out: &mut Outbox) -> Result<(), Failure> {
        let mut sources: BTreeMap<Cow<'_, str>, Vec<Cow<'_, str>>> = BTreeMap::new();
        for record in batch {
            let name = record.key().map_or(Cow::Borrowed(NAMELESS), String::from_utf8_lossy);
            if let Some(line) = record.value() {
                sources.entry(name).or_default().push(String::from_utf8_lossy(line));
            }
        }
        for (name, lines) in sources {
            let mut source = store::source(&name)?;
            let lines: Vec<&str> = lines.iter().map(|line| line.trim_end_matches(['\r', '\n'])).collect();
            self.take(&mut source, &lines, out)?;
            self.improve(&mut source, false, out)?;
            store::keep(&source)?;
        }
        Ok(())
    }

    fn idle(&mut self, out: &mut Outbox) -> Result<(), Error> {
        for mut source in store::sources()? {
            let before = source.clone();
            if source.tool.is_some() && source.waiting > 0 {
                self.drain(&mut source, out)?;
            }
            self.improve(&mut source, true, out)?;
            if source != before {
                store::keep(&source)?;
            }
        }
        Ok(())
    }
}

impl Logsmith {
    /// Parses lines, or lets them wait.
    fn take(&mut self, source: &mut Source, lines: &[&str], out: &mut Outbox) -> Result<(), Error> {
        // What waits was there first.
        if source.tool.is_some() && source.waiting > 0 {
            self.drain(source, out)?;
        }
        if source.waiting == 0 && self.parse(source, lines, out)? {
            return Ok(());
        }
        let bytes = backlog::push(source, lines)?;
        source.waits(lines.len(), bytes);
        Ok(())
    }

    /// Makes a parser, or a better one, when it is time; sends what waited for it.
    fn improve(&mut self, source: &mut Source, quiet: bool, out: &mut Outbox) -> Result<(), Error> {
        if source.wants_parser(quiet) {
            let lines = backlog::lines(source)?;
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            smith::first(source, &lines)?;
            self.drain(source, out)?;
        } else if source.wants_next(quiet) {
            smith::next(source, &mut self.texts)?;
        }
        if source.overflows() {
            log::warn("lines go out unparsed: no parser can be had", &[("source", &source.name)]);
            let lines = backlog::lines(source)?;
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            output::unparsed(&source.name, &lines, out)?;
            backlog::clear(source)?;
        }
        Ok(())
    }

    /// Parses what waits, as far as a parser can be called.
    fn drain(&mut self, source: &mut Source, out: &mut Outbox) -> Result<(), Error> {
        let lines = backlog::lines(source)?;
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        if self.parse(source, &lines, out)? {
            backlog::clear(source)?;
        }
        Ok(())
    }

    /// Parses lines with the source's tool and sends what it found. False where there is no tool to call: none made yet, or
    /// it waits for an approval.
    fn parse(&mut self, source: &mut Source, lines: &[&str], out: &mut Outbox) -> Result<bool, Error> {
        let Some(tool) = source.tool.clone() else { return Ok(false) };
        let Some(texts) = self.texts.of(&tool)? else { return Ok(false) };
        let mut strange = Vec::new();
        for piece in parse::pieces(lines) {
            match parse::call(&tool, piece)? {
                Parsed::Rows(answer) => {
                    let sent = output::rows(&source.name, piece, &answer, texts, out, &mut strange)?;
                    if !sent {
                        log::warn("an answer has the wrong shape", &[("source", &source.name), ("tool", &tool)]);
                        output::unparsed(&source.name, piece, out)?;
                        strange.extend_from_slice(piece);
                    }
                }
                Parsed::Gone => {
                    return Err(Error::unavailable("logsmith.tool", format!("{tool} went away during a batch")));
                }
            }
        }
        source.parsed(lines.len(), strange.len());
        store::remember_strange(source, &strange)
    }
}

wasmill_sdk::agent!(Logsmith);
