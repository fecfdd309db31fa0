//! From source to a callable tool.

use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use wasmill::forge::{Example, ForgeSettings, Language, Outcome, Request, prepare};
use wasmill_tests::scratch::Scratch;

use crate::{Row, median};

const SOURCE: &str = include_str!("adder.rs.txt");

/// A small tool with one example; the first build of a host, then others whose sources differ.
pub async fn measure() -> Result<Vec<Row>> {
    prepare(&ForgeSettings::default(), &|step| eprintln!("  {step}")).await?;
    let scratch = Scratch::new("[[row]]\nprincipal = \"client:bench\"\nforge = [\"rust\"]\n").await?;
    let host = scratch.open().await?;
    let forge = host.forge.as_ref().ok_or_else(|| anyhow!("no forge"))?;
    let maker = host.client("bench");
    let mut seconds = Vec::new();
    for i in 0..8 {
        let request = Request {
            name: format!("adder-{i}"),
            description: "Adds.".into(),
            language: Language::Rust,
            source: SOURCE.replace("NUMBER", &i.to_string()),
            dependencies: Vec::new(),
            examples: vec![Example {
                function: "add".into(),
                arguments: r#"{"a": 2}"#.into(),
                expected: Some((2 + i).to_string()),
            }],
            permissions: String::new(),
        };
        let began = Instant::now();
        match forge.build(&maker.identity.grant, &request).await? {
            Outcome::Callable(_) => seconds.push(began.elapsed().as_secs_f64()),
            other => bail!("{other:?}"),
        }
    }
    let first = seconds.remove(0);
    Ok(vec![
        Row::at_most("source to callable tool, the first", first, "s", 5.0),
        Row::at_most("source to callable tool, warm, median", median(seconds), "s", 1.5),
    ])
}
