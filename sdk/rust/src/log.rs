//! Log lines of this component. Always allowed, rate-limited; text over 8 KiB and more than 32 fields are cut.
//!
//! ```no_run
//! wasmill_sdk::log::info("parsed", &[("lines", "17")]);
//! wasmill_sdk::log::warn(&format!("{} lines match nothing", 3), &[]);
//! ```

use crate::bindings::agent::wasmill::plugin::log;

pub use log::Level;

/// Writes a line with fields.
pub fn write(level: Level, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    log::write(level, message, &fields);
}

/// What only someone who looks for a fault wants to see, step by step.
pub fn trace(message: &str, fields: &[(&str, &str)]) {
    write(Level::Trace, message, fields);
}

/// What only someone who looks for a fault wants to see.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write(Level::Debug, message, fields);
}

/// What happens.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write(Level::Info, message, fields);
}

/// What should not happen but can be lived with.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write(Level::Warn, message, fields);
}

/// What went wrong.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write(Level::Error, message, fields);
}
