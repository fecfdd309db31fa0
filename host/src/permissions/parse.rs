//! `permissions.toml` as text → rows, each with its line. Whatever is wrong is refused with its line.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};
use wasmill_registry::{HttpRule, Limits, Permissions, RISK_CLASSES};

use super::column::{Column, Columns};
use super::error::MatrixError;
use super::limit_name::LimitName;
use super::matrix::Row;
use super::nearest::{hint, nearest};
use super::principal::PrincipalPattern;
use super::risk::{Risk, Risks};
use super::validate;

/// Keys of the file itself.
const TOP: [&str; 3] = ["privileged", "risk", "row"];
/// Keys of a row beside those of its permissions.
const ROW: [&str; 2] = ["principal", "limits"];
/// Keys of a host's entry under `http`.
const HTTP: [&str; 2] = ["host", "methods"];

/// What a file says.
pub(super) struct Parsed {
    pub(super) privileged: Columns,
    pub(super) risks: Risks,
    pub(super) rows: Vec<Row>,
}

/// Reads a whole file. `file` is its name in errors.
pub(super) fn parse(file: &str, text: &str) -> Result<Parsed, MatrixError> {
    let source = Source { file, text };
    let root = DeTable::parse(text).map_err(|error| source.toml(&error, 0..0))?.into_inner();
    source.known_keys(&root, "the file", &TOP)?;
    let mut parsed = Parsed { privileged: Columns::default(), risks: Risks::default(), rows: Vec::new() };
    if let Some(list) = root.get("privileged") {
        for (word, span) in source.strings(list, "privileged")? {
            let column = Column::from_word(word).ok_or_else(|| {
                let near = hint(nearest(word, Column::ALL.map(Column::word)));
                source.value(span, format!("`{word}` is no column{near}"))
            })?;
            parsed.privileged.insert(column);
        }
    }
    if let Some(risks) = root.get("risk") {
        parsed.risks = source.risks(risks)?;
    }
    if let Some(rows) = root.get("row") {
        let list = rows.get_ref().as_array();
        let list = list.ok_or_else(|| source.value(rows.span(), "write `[[row]]` with two brackets".into()))?;
        parsed.rows = list.iter().map(|row| source.row(row)).collect::<Result<_, _>>()?;
    }
    Ok(parsed)
}

/// The file that errors point into.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> u32 {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn value(&self, span: Range<usize>, message: String) -> MatrixError {
        MatrixError::Value { file: self.file.into(), line: self.line(&span), message }
    }

    fn toml(&self, error: &toml::de::Error, around: Range<usize>) -> MatrixError {
        let line = self.line(&error.span().unwrap_or(around));
        MatrixError::Syntax { file: self.file.into(), line, message: error.message().replace('\n', "; ") }
    }

    fn known_keys(&self, table: &DeTable<'_>, name: &'static str, known: &[&str]) -> Result<(), MatrixError> {
        for key in table.keys() {
            let word: &str = key.get_ref();
            if !known.contains(&word) {
                // `read` alone is the likeliest slip: its word is the column's second half.
                let column = Column::ALL.map(Column::word).into_iter().find(|c| c.ends_with(&format!(".{word}")));
                let near =
                    column.filter(|_| known.contains(&"topics")).or_else(|| nearest(word, known.iter().copied()));
                return Err(MatrixError::UnknownKey {
                    file: self.file.into(),
                    line: self.line(&key.span()),
                    key: word.into(),
                    table: name,
                    hint: hint(near),
                });
            }
        }
        Ok(())
    }

    fn table<'t, 'i>(&self, value: &'t Spanned<DeValue<'i>>, key: &str) -> Result<&'t DeTable<'i>, MatrixError> {
        value.get_ref().as_table().ok_or_else(|| self.value(value.span(), format!("`{key}` must be a table")))
    }

    fn array<'t, 'i>(&self, value: &'t Spanned<DeValue<'i>>, key: &str) -> Result<&'t DeArray<'i>, MatrixError> {
        value.get_ref().as_array().ok_or_else(|| self.value(value.span(), format!("`{key}` must be a list: [..]")))
    }

    fn strings<'t>(
        &self,
        value: &'t Spanned<DeValue<'_>>,
        key: &str,
    ) -> Result<Vec<(&'t str, Range<usize>)>, MatrixError> {
        let text = |entry: &'t Spanned<DeValue<'_>>| match entry.get_ref().as_str() {
            Some(text) => Ok((text, entry.span())),
            None => Err(self.value(entry.span(), format!("`{key}` is a list of texts in quotes"))),
        };
        self.array(value, key)?.iter().map(text).collect()
    }

    fn risks(&self, risks: &Spanned<DeValue<'_>>) -> Result<Risks, MatrixError> {
        let table = self.table(risks, "risk")?;
        self.known_keys(table, "`risk`", &Column::ALL.map(head))?;
        if let Some(topics) = table.get("topics") {
            self.known_keys(self.table(topics, "topics")?, "`topics`", &tails())?;
        }
        let mut risks = Risks::default();
        for column in Column::ALL {
            let Some(value) = entry(table, column) else { continue };
            let word = value.get_ref().as_str();
            let word = word.ok_or_else(|| self.value(value.span(), "a risk class is a text in quotes".into()))?;
            let risk = Risk::from_word(word).ok_or_else(|| {
                let (words, near) = (RISK_CLASSES.join(", "), hint(nearest(word, RISK_CLASSES)));
                self.value(value.span(), format!("`{word}` is no risk class ({words}){near}"))
            })?;
            risks.set(column, risk);
        }
        Ok(risks)
    }

    fn row(&self, row: &Spanned<DeValue<'_>>) -> Result<Row, MatrixError> {
        let table = self.table(row, "row")?;
        let line = self.line(&row.span());
        self.known_row_keys(table)?;
        let Some(principal) = table.get("principal") else {
            return Err(self.value(row.span(), "a row needs `principal = \"agent:NAME\"`".into()));
        };
        let text = principal.get_ref().as_str().unwrap_or_default();
        let pattern = PrincipalPattern::parse(text)
            .map_err(|reason| self.value(principal.span(), format!("principal {text:?}: {reason}")))?;
        let limits: Limits = match table.get("limits") {
            Some(limits) => self.typed(limits.clone())?,
            None => Limits::default(),
        };
        self.limits_in_range(table, &limits)?;
        let mut rest = table.clone();
        ROW.iter().for_each(|key| drop(rest.remove(*key)));
        let permissions: Permissions = self.typed(Spanned::new(row.span(), DeValue::Table(rest)))?;
        self.permission_values(table)?;
        Ok(Row { principal: pattern, permissions, limits, line })
    }

    fn typed<'i, T: Deserialize<'i>>(&self, value: Spanned<DeValue<'i>>) -> Result<T, MatrixError> {
        let span = value.span();
        T::deserialize(ValueDeserializer::from(value)).map_err(|error| self.toml(&error, span))
    }

    fn known_row_keys(&self, row: &DeTable<'_>) -> Result<(), MatrixError> {
        let known: Vec<&str> = ROW.into_iter().chain(Column::ALL.map(head)).collect();
        self.known_keys(row, "a row", &known)?;
        if let Some(topics) = row.get("topics") {
            self.known_keys(self.table(topics, "topics")?, "`topics`", &tails())?;
        }
        if let Some(limits) = row.get("limits") {
            self.known_keys(self.table(limits, "limits")?, "`limits`", &LimitName::ALL.map(LimitName::key))?;
        }
        if let Some(http) = row.get("http") {
            for rule in self.array(http, "http")?.iter() {
                self.known_keys(self.table(rule, "http")?, "`http`", &HTTP)?;
            }
        }
        Ok(())
    }

    fn limits_in_range(&self, row: &DeTable<'_>, limits: &Limits) -> Result<(), MatrixError> {
        let Some(table) = row.get("limits").and_then(|limits| limits.get_ref().as_table()) else { return Ok(()) };
        for name in LimitName::ALL {
            let range = name.range();
            if let Some(value) = name.of(limits).filter(|value| !range.contains(value)) {
                let span = table.get(name.key()).map(Spanned::span).unwrap_or_default();
                let message = {
                    let [value, least, most] = [value, *range.start(), *range.end()].map(|value| name.shown(value));
                    format!("{name} = {value} is not between {least} and {most}")
                };
                return Err(self.value(span, message));
            }
        }
        Ok(())
    }

    fn permission_values(&self, row: &DeTable<'_>) -> Result<(), MatrixError> {
        for column in Column::ALL {
            match (column, entry(row, column)) {
                (_, None) | (Column::State | Column::Clock | Column::Timers, _) => {}
                (Column::Http, Some(rules)) => self.http_values(rules)?,
                (_, Some(list)) => {
                    for (text, span) in self.strings(list, column.word())? {
                        validate::name(column, text).map_err(|reason| self.value(span, reason))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn http_values(&self, rules: &Spanned<DeValue<'_>>) -> Result<(), MatrixError> {
        for rule in self.array(rules, "http")?.iter() {
            let typed: HttpRule = self.typed(rule.clone())?;
            validate::http(&typed).map_err(|reason| self.value(rule.span(), reason))?;
        }
        Ok(())
    }
}

/// The first half of a column's word, which is a key of a row: `topics` of `topics.read`.
fn head(column: Column) -> &'static str {
    column.word().split('.').next().unwrap_or_default()
}

/// The second halves of the columns' words: the keys of `topics`.
fn tails() -> Vec<&'static str> {
    Column::ALL.iter().filter_map(|column| Some(column.word().split_once('.')?.1)).collect()
}

/// What a table says in a column.
fn entry<'t, 'i>(table: &'t DeTable<'i>, column: Column) -> Option<&'t Spanned<DeValue<'i>>> {
    match column.word().split_once('.') {
        Some((head, tail)) => table.get(head)?.get_ref().as_table()?.get(tail),
        None => table.get(column.word()),
    }
}
