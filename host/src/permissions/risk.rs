//! How much could go wrong: a class for each column, and so for whoever may use it.

use std::fmt;

use serde::{Deserialize, Serialize};
use wasmill_registry::{Permissions, RISK_CLASSES};

use super::column::{Column, Columns};

/// A risk class, lowest first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Risk {
    /// Nothing leaves the component's own state and time.
    #[default]
    Low,
    /// Data of others is read, or changed where it can be looked at.
    Medium,
    /// Data leaves, or more is made that acts.
    High,
    /// What protects all others is used.
    Critical,
}

impl Risk {
    /// All classes, lowest first.
    pub const ALL: [Self; RISK_CLASSES.len()] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in files.
    pub fn word(self) -> &'static str {
        RISK_CLASSES[self as usize]
    }

    /// The class with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.word() == word)
    }

    /// This class and those below it.
    pub fn and_below(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |risk| *risk <= self)
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Column {
    /// The class where the matrix says nothing else.
    pub fn default_risk(self) -> Risk {
        match self {
            // A called tool acts with its own grant.
            Self::State | Self::Clock | Self::Timers | Self::Tools => Risk::Low,
            Self::TopicsRead | Self::TopicsWrite | Self::Model => Risk::Medium,
            Self::TopicsCreate | Self::Http | Self::Forge | Self::Agents => Risk::High,
            Self::Secrets | Self::Host => Risk::Critical,
        }
    }
}

/// The class of each column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Risks([Risk; Column::ALL.len()]);

impl Default for Risks {
    fn default() -> Self {
        Self(Column::ALL.map(Column::default_risk))
    }
}

impl Risks {
    /// Of a column.
    pub fn of(&self, column: Column) -> Risk {
        self.0[column as usize]
    }

    /// Of whoever has these permissions: the highest of the columns that they touch.
    pub fn of_permissions(&self, permissions: &Permissions) -> Risk {
        Columns::touched_by(permissions).iter().map(|column| self.of(column)).max().unwrap_or_default()
    }

    pub(super) fn set(&mut self, column: Column, risk: Risk) {
        self.0[column as usize] = risk;
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::Matrix;
    use super::super::principal::Principal;
    use super::*;

    const ROWS: &str = "[[row]]\nprincipal = \"agent:a\"\nstate = true\ntopics.read = [\"t\"]\n";

    fn of(text: &str) -> Risk {
        Matrix::parse(text).unwrap().grant(&Principal::agent("a"), None, None, None).risk()
    }

    #[test]
    fn a_grant_has_the_highest_class_of_its_columns() {
        assert_eq!(of("[[row]]\nprincipal = \"agent:a\"\n"), Risk::Low);
        assert_eq!(of(ROWS), Risk::Medium);
        assert_eq!(of(&format!("{ROWS}secrets = [\"S\"]\n")), Risk::Critical);
    }

    #[test]
    fn the_matrix_may_class_a_column_otherwise() {
        assert_eq!(of(&format!("risk = {{ topics.read = \"critical\", http = \"low\" }}\n{ROWS}")), Risk::Critical);
        assert_eq!(of(&format!("[risk]\nstate = \"high\"\n{ROWS}")), Risk::High);
        assert_eq!(of(&format!("[risk]\ntopics = {{ read = \"low\" }}\n{ROWS}")), Risk::Low);
    }

    #[test]
    fn a_mistake_is_refused_with_its_line() {
        for (text, says) in [
            ("[risk]\nhtpp = \"low\"\n", "line 2: unknown key `htpp` in `risk`; did you mean `http`?"),
            (
                "[risk]\n\nhttp = \"lowe\"\n",
                "line 3: `lowe` is no risk class (low, medium, high, critical); did you mean `low`?",
            ),
            ("[risk]\nhttp = 3\n", "line 2: a risk class is a text in quotes"),
            ("[risk]\ntopics = \"low\"\n", "line 2: `topics` must be a table"),
            ("[risk]\ntopics.reed = \"low\"\n", "line 2: unknown key `reed`"),
        ] {
            let error = Matrix::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_class_counts_with_those_below_it() {
        assert_eq!(Risk::High.and_below().collect::<Vec<_>>(), [Risk::Low, Risk::Medium, Risk::High]);
    }
}
