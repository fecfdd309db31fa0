//! What admins have warned of: kept in the home once its signature was verified, passed on through the database, and held
//! against what components are made of.
//!
//! A row that is removed from the database, or hidden there, changes nothing on a host that has seen it: only an admin's
//! signed word with a larger serial does. This folder says what is touched; it must never know what is loaded or built.

mod ingredients;
mod kept;
mod touch;

pub use ingredients::{Ingredients, Part, programs};
pub use kept::{Admitted, Advisories, Kept, admit};
pub use touch::Touched;
