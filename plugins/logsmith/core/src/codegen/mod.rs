//! Writes the Rust source of a parser tool: what was learned as data, and the files of `runtime` as they are. Text that
//! comes from log lines is hostile until it has been through `literal`; nothing of it goes anywhere but into a literal.

mod frame;
mod literal;

use crate::model::{HeadStep, Learned, Pattern, Place, Shape};
use literal::literal;

/// Largest source, in bytes; the forge takes at most 256 KiB.
pub const SOURCE_MAX: usize = 240 * 1024;

/// A source, and how much of what was learned is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The Rust source, one file.
    pub text: String,
    /// Templates in it: all of them, unless they are too large for one source.
    pub templates: usize,
}

/// Writes the parser for a source with this name. The same input gives the same bytes.
pub fn source(name: &str, learned: &Learned) -> Source {
    let mut text = frame::opening(name);
    text.push_str("/// How the lines are built.\nconst LAYOUT: Layout<'static> = ");
    text.push_str(&layout(&learned.layout));
    text.push_str(
        ";\n\n/// What the messages look like: their words, with `V` and `A` where they vary.\n#[rustfmt::skip]\n",
    );
    text.push_str("const TEMPLATES: &[Template<'static>] = &[\n");
    let closing = format!("];\n\n{}", frame::closing());
    let mut templates = 0;
    for pattern in &learned.templates {
        let line = template(pattern);
        if text.len() + line.len() + closing.len() > SOURCE_MAX {
            break;
        }
        text.push_str(&line);
        templates += 1;
    }
    text.push_str(&closing);
    Source { text, templates }
}

fn layout(shape: &Shape) -> String {
    match shape {
        Shape::Text { steps, time } => {
            let steps: Vec<String> = steps.iter().map(step).collect();
            format!("Layout::Text {{ steps: &[{}], time: {time:?} }}", steps.join(", "))
        }
        Shape::Json { time, level, message } => {
            let (time, level, message) = (literal(time), literal(level), literal(message));
            format!("Layout::Json {{ time: {time}, level: {level}, message: {message} }}")
        }
    }
}

fn step(step: &HeadStep) -> String {
    match step {
        HeadStep::Time(shapes) => {
            let shapes: Vec<String> = shapes.iter().map(|shape| literal(shape)).collect();
            format!("Step::Time(&[{}])", shapes.join(", "))
        }
        HeadStep::Level => "Step::Level".to_owned(),
        HeadStep::Number => "Step::Number".to_owned(),
        HeadStep::Group => "Step::Group".to_owned(),
        HeadStep::Mark => "Step::Mark".to_owned(),
        HeadStep::Word => "Step::Word".to_owned(),
        HeadStep::Tag => "Step::Tag".to_owned(),
        HeadStep::Until(mark) => format!("Step::Until({})", literal(mark)),
    }
}

fn template(pattern: &Pattern) -> String {
    let slots: Vec<String> = pattern
        .places
        .iter()
        .map(|place| match place {
            Place::Word(word) => format!("W({})", literal(word)),
            Place::Value(prefix, suffix) => format!("V({}, {})", literal(prefix), literal(suffix)),
            Place::Any(prefix, suffix) => format!("A({}, {})", literal(prefix), literal(suffix)),
        })
        .collect();
    format!("    Template {{ id: {}, headed: {}, slots: &[{}] }},\n", pattern.id, pattern.headed, slots.join(", "))
}
