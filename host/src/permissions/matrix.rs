//! The matrix: what the admin wrote, before it is compiled into grants.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmill_registry::{Limits, Permissions};

use super::column::Columns;
use super::decision::RowRef;
use super::error::MatrixError;
use super::parse;
use super::principal::{Principal, PrincipalPattern};
use super::risk::Risks;
use super::veto::Veto;

/// Largest file, in bytes. A thousand rows take some 200 KB.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Name of the file in errors and denials.
pub(super) const FILE_NAME: &str = "permissions.toml";

/// One row: a principal pattern and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Principals that it is for.
    pub principal: PrincipalPattern,
    /// What they may do.
    pub permissions: Permissions,
    /// What they may use.
    pub limits: Limits,
    /// Line of its head in the file, from 1.
    pub line: u32,
}

/// The rows of one version of the file, in its order.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Of the rows, and of the veto where there is one.
    revision: Arc<str>,
    rows_revision: Arc<str>,
    privileged: Columns,
    risks: Risks,
    rows: Vec<Row>,
    host_limits: Limits,
    veto: Option<Arc<Veto>>,
}

impl Matrix {
    /// A matrix without rows, which allows nothing.
    pub fn empty() -> Self {
        Self::of("000000000000".into(), Columns::default(), Risks::default(), Vec::new())
    }

    fn of(revision: Arc<str>, privileged: Columns, risks: Risks, rows: Vec<Row>) -> Self {
        let rows_revision = revision.clone();
        Self { revision, rows_revision, privileged, risks, rows, host_limits: Limits::default(), veto: None }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`MatrixError`] with the line of the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let parsed = parse::parse(FILE_NAME, text)?;
        let digest = hex::encode(Sha256::digest(text.as_bytes()));
        Ok(Self::of(digest[..12].into(), parsed.privileged, parsed.risks, parsed.rows))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Matrix::parse`], and where the file can't be read or is too large.
    pub fn load(path: &Path) -> Result<Self, MatrixError> {
        let unreadable = |source| MatrixError::Read { path: path.to_path_buf(), source };
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > FILE_BYTES_MAX {
            return Err(MatrixError::TooLarge { path: path.to_path_buf(), size });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// The same rows with other limits where no row says anything.
    pub fn with_host_limits(self, host_limits: Limits) -> Self {
        Self { host_limits, ..self }
    }

    /// The same rows below another policy outside of them; none: nobody vetoes anything.
    pub fn with_veto(self, veto: Option<Arc<Veto>>) -> Self {
        let revision = match &veto {
            None => self.rows_revision.clone(),
            Some(veto) => format!("{}+{}", self.rows_revision, veto.revision()).into(),
        };
        Self { veto, revision, ..self }
    }

    /// The policy that may deny what the rows allow.
    pub fn veto(&self) -> Option<&Arc<Veto>> {
        self.veto.as_ref()
    }

    /// Limits where no row says anything.
    pub(super) fn host_limits(&self) -> &Limits {
        &self.host_limits
    }

    /// First 12 hexadecimal digits of the file's SHA-256; where there is a veto, `+` and its revision behind them.
    pub fn revision(&self) -> &Arc<str> {
        &self.revision
    }

    /// Columns that also need an approval.
    pub fn privileged(&self) -> Columns {
        self.privileged
    }

    /// The risk class of each column.
    pub fn risks(&self) -> &Risks {
        &self.risks
    }

    /// All rows, in the order of the file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows for one principal, in the order of the file.
    pub fn rows_for(&self, principal: &Principal) -> impl Iterator<Item = &Row> + Clone {
        self.rows.iter().filter(move |row| row.principal.matches(principal))
    }

    /// True where a row names a tool in full: as whom it is for, or among what may be called.
    pub fn names_tool(&self, name: &str) -> bool {
        let principal = Principal::tool(name);
        let named = |called: &String| called.split('@').next() == Some(name);
        self.rows
            .iter()
            .any(|row| row.principal.text() == principal.as_str() || row.permissions.tools.iter().any(named))
    }

    /// The row where a permission of this principal belongs: the most specific one for it, but never the row for
    /// everybody.
    pub(super) fn home_row(&self, principal: &Principal) -> Option<RowRef> {
        self.rows_for(principal)
            .filter(|row| row.principal.specificity() > 0)
            .max_by_key(|row| row.principal.specificity())
            .map(|row| RowRef { principal: row.principal.text().into(), line: row.line })
    }
}

#[cfg(test)]
impl Matrix {
    /// A matrix of rows that no file holds.
    pub(super) fn of_rows(rows: Vec<Row>) -> Self {
        Self { rows, ..Self::empty() }
    }
}
