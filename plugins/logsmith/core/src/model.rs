//! What was learned about a source, as data that can be kept and printed.

use serde::{Deserialize, Serialize};

use crate::runtime::head::{Layout, Step};
use crate::runtime::tree::{Slot, Template};

/// Layout and templates of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// How its lines are built.
    pub layout: Shape,
    /// The templates, by rising number.
    pub templates: Vec<Pattern>,
}

/// How the lines of a source are built; the owned form of `runtime::head::Layout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// A head, then a message.
    Text {
        /// The head; may be empty.
        steps: Vec<HeadStep>,
        /// First and last step of the time stamp.
        time: Option<(usize, usize)>,
    },
    /// One JSON object per line, with the fields that hold time, level and message; empty where there is none.
    Json {
        /// Time stamp.
        time: String,
        /// Level.
        level: String,
        /// Message.
        message: String,
    },
}

impl Default for Shape {
    fn default() -> Self {
        Shape::Text { steps: Vec::new(), time: None }
    }
}

/// The owned form of `runtime::head::Step`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each case is documented at `Step`")]
pub enum HeadStep {
    Time(Vec<String>),
    Level,
    Number,
    Group,
    Mark,
    Word,
    Tag,
    Until(String),
}

/// The owned form of `runtime::tree::Slot`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each case is documented at `Slot`")]
pub enum Place {
    Word(String),
    Value(String, String),
    Any(String, String),
}

/// The owned form of `runtime::tree::Template`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Stable across versions of a parser. Patterns that differ only in how many variables stand side by side share one.
    pub id: u32,
    /// True where the message follows a head.
    pub headed: bool,
    /// What the message looks like.
    pub places: Vec<Place>,
}

impl Pattern {
    /// As a person reads it, with `<*>` for what varies.
    pub fn text(&self) -> String {
        let words: Vec<String> = self
            .places
            .iter()
            .map(|place| match place {
                Place::Word(word) => word.clone(),
                Place::Value(prefix, suffix) | Place::Any(prefix, suffix) => format!("{prefix}<*>{suffix}"),
            })
            .collect();
        words.join(" ")
    }
}

/// Borrowed parts that a `Parser` is made from.
#[derive(Debug)]
pub struct Lent<'t> {
    steps: Vec<Step<'t>>,
    slots: Vec<Vec<Slot<'t>>>,
    learned: &'t Learned,
}

/// Shapes of one step, borrowed. Kept apart because a step only borrows them.
#[derive(Debug, Default)]
pub struct Shapes<'t>(Vec<Vec<&'t str>>);

impl Learned {
    /// The shapes that `lend` needs.
    pub fn shapes(&self) -> Shapes<'_> {
        let Shape::Text { steps, .. } = &self.layout else {
            return Shapes::default();
        };
        Shapes(
            steps
                .iter()
                .map(|step| match step {
                    HeadStep::Time(shapes) => shapes.iter().map(String::as_str).collect(),
                    _ => Vec::new(),
                })
                .collect(),
        )
    }

    /// Lends its parts to a parser.
    pub fn lend<'t>(&'t self, shapes: &'t Shapes<'t>) -> Lent<'t> {
        let steps = match &self.layout {
            Shape::Text { steps, .. } => {
                steps.iter().zip(&shapes.0).map(|(step, shapes)| lend_step(step, shapes)).collect()
            }
            Shape::Json { .. } => Vec::new(),
        };
        let slots = self.templates.iter().map(|pattern| pattern.places.iter().map(lend_place).collect()).collect();
        Lent { steps, slots, learned: self }
    }
}

impl Lent<'_> {
    /// The layout.
    pub fn layout(&self) -> Layout<'_> {
        match &self.learned.layout {
            Shape::Text { time, .. } => Layout::Text { steps: &self.steps, time: *time },
            Shape::Json { time, level, message } => Layout::Json { time, level, message },
        }
    }

    /// The templates.
    pub fn templates(&self) -> Vec<Template<'_>> {
        self.learned
            .templates
            .iter()
            .zip(&self.slots)
            .map(|(pattern, slots)| Template { id: pattern.id, headed: pattern.headed, slots })
            .collect()
    }
}

fn lend_step<'t>(step: &'t HeadStep, shapes: &'t [&'t str]) -> Step<'t> {
    match step {
        HeadStep::Time(_) => Step::Time(shapes),
        HeadStep::Level => Step::Level,
        HeadStep::Number => Step::Number,
        HeadStep::Group => Step::Group,
        HeadStep::Mark => Step::Mark,
        HeadStep::Word => Step::Word,
        HeadStep::Tag => Step::Tag,
        HeadStep::Until(mark) => Step::Until(mark),
    }
}

fn lend_place(place: &Place) -> Slot<'_> {
    match place {
        Place::Word(word) => Slot::Word(word),
        Place::Value(prefix, suffix) => Slot::Value(prefix, suffix),
        Place::Any(prefix, suffix) => Slot::Any(prefix, suffix),
    }
}
