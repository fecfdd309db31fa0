//! What a permission check costs.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use wasmill::permissions::{Action, Matrix, Principal};
use wasmill_registry::Permissions;

use crate::{Row, median};

const CHECKS: u32 = 1_000_000;

/// A grant out of a hundred rows, below a manifest; a name that stands there, and one that a pattern allows.
pub async fn measure() -> Result<Vec<Row>> {
    let mut text = String::new();
    for i in 0..100 {
        text.push_str(&format!("[[row]]\nprincipal = \"agent:a{i}\"\ntopics.write = [\"out.{i}\", \"logs.*\"]\n"));
    }
    let matrix = Matrix::parse(&text)?;
    let mut wanted = Permissions::default();
    wanted.topics.write = vec!["out.7".into(), "logs.*".into()];
    let grant = matrix.grant(&Principal::agent("a7"), Some(&wanted), None, None);
    let cost = |topic: &str| {
        let rounds = (0..9).map(|_| {
            let began = Instant::now();
            for _ in 0..CHECKS {
                black_box(grant.check(Action::TopicWrite(black_box(topic))));
            }
            began.elapsed().as_nanos() as f64 / f64::from(CHECKS)
        });
        median(rounds.collect())
    };
    Ok(vec![
        Row::at_most("permission check, by name", cost("out.7"), "ns", 100.0),
        Row::at_most("permission check, by pattern", cost("logs.parsed"), "ns", 100.0),
    ])
}
