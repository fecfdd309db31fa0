//! Finds out how the lines of a source are built, from the lines alone: where the head ends and what is in it. It knows how
//! time stamps, levels, numbers and tags look in general, and must never know a source's name.

mod columns;
mod fields;
mod kinds;

use crate::model::Shape;

/// The layout that most of `lines` share.
pub fn layout(lines: &[&str]) -> Shape {
    fields::json(lines).unwrap_or_else(|| columns::text(lines))
}

/// True where `part` is at least `percent` percent of `whole`.
fn share(part: usize, whole: usize, percent: usize) -> bool {
    whole > 0 && part * 100 >= whole * percent
}
