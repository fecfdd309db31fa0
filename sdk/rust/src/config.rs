//! Settings that the admin gave this component. Always allowed.

use crate::bindings::agent::wasmill::plugin::config;

/// One setting; none where it is not set.
pub fn get(key: &str) -> Option<String> {
    config::get(key)
}

/// All settings, sorted by key.
pub fn get_all() -> Vec<(String, String)> {
    config::get_all()
}
