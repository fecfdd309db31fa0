//! A figure, as it is printed.

use serde::Serialize;

/// One figure.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// What it reached.
    pub value: f64,
    /// Unit of the value.
    pub unit: &'static str,
    /// What it should reach; empty for a figure that only tells.
    pub reach: String,
    /// Whether it does.
    pub met: bool,
}

impl Row {
    /// A figure that should be at most `limit`.
    pub fn at_most(name: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { name: name.into(), value, unit, reach: format!("<= {limit}"), met: value <= limit }
    }

    /// A figure that should be at least `limit`.
    pub fn at_least(name: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { name: name.into(), value, unit, reach: format!(">= {limit}"), met: value >= limit }
    }

    /// A figure that nothing is asked of.
    pub fn shown(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, reach: String::new(), met: true }
    }
}
