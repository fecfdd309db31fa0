//! Makes parsers: learns, writes the source, hands it to the forge.

use logsmith_core::codegen::source as write_source;
use logsmith_core::source::Source;
use logsmith_core::{Learned, examples, learn, next as learn_next, slug};
use wasmill_sdk::forge::{self, Outcome, Request};
use wasmill_sdk::{Error, config, log};

use crate::output::Texts;
use crate::{model, store};

/// Makes the first parser from the waiting lines. Where none can be had now, the source just goes on waiting.
pub fn first(source: &mut Source, lines: &[&str]) -> Result<(), Error> {
    let wanted = config::get("use-model").is_some_and(|value| value == "true");
    if wanted && let Some(tool) = model::forge(&name(source), &about(source), lines)? {
        source.forged(&tool, lines.len());
        return store::keep_learned(source, None, lines);
    }
    make(source, learn(lines), lines)
}

/// Makes the next version, from what came since the last and what that was made from.
pub fn next(source: &mut Source, texts: &mut Texts) -> Result<(), Error> {
    let lines = store::next_sample(source)?;
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let old = store::learned(source)?;
    // Where a model wrote the last parser, its numbers are known only to the tool itself.
    let unused = match (&old, &source.tool) {
        (None, Some(tool)) => {
            texts.of(tool)?.and_then(|known| known.keys().max()).map_or(0, |last| last.saturating_add(1))
        }
        _ => 0,
    };
    make(source, learn_next(&old.unwrap_or_default(), &lines, unused), &lines)
}

fn make(source: &mut Source, learned: Learned, sample: &[&str]) -> Result<(), Error> {
    let request = request(source, &learned, sample);
    log::info(
        "parser written",
        &[
            ("source", &source.name),
            ("lines", &sample.len().to_string()),
            ("templates", &learned.templates.len().to_string()),
            ("bytes", &request.source.len().to_string()),
        ],
    );
    match forge::build(&request) {
        Ok(Outcome::Callable(product) | Outcome::Waiting(product)) => {
            let micros: u64 = product.timings.iter().map(|timing| timing.micros).sum();
            let tool = format!("{}@{}", product.tool, product.version);
            log::info("parser forged", &[("source", &source.name), ("tool", &tool), ("micros", &micros.to_string())]);
            source.forged(&tool, sample.len());
            return store::keep_learned(source, Some(&learned), sample);
        }
        Ok(Outcome::Refused(refusal)) => log::warn(
            "parser refused",
            &[
                ("source", &source.name),
                ("why", &refusal.reason.to_string()),
                ("messages", &model::diagnostics(&refusal)),
            ],
        ),
        Err(error) => log::warn("no parser now", &[("source", &source.name), ("why", &error.to_string())]),
    }
    source.tried();
    Ok(())
}

fn request(source: &Source, learned: &Learned, sample: &[&str]) -> Request {
    let text = write_source(&source.name, learned).text;
    let request =
        forge::rust(&name(source), &about(source), text).with_dependency("serde").with_dependency("serde_json");
    examples(learned, sample).into_iter().fold(request, |request, example| {
        request.with_example(example.function, example.arguments, Some(example.expected))
    })
}

/// Name of the source's tool; the forge puts the agent's name in front.
fn name(source: &Source) -> String {
    format!("parse-{}", slug(&source.name))
}

fn about(source: &Source) -> String {
    let name: String = source.name.chars().filter(|c| !c.is_control()).take(80).collect();
    format!("Parses lines of the log source {name:?}.")
}
