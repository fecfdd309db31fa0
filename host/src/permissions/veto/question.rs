//! What a policy is asked: who, what, and by which row. Never what is in a record, a call, or a secret.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::action::Action;
use super::super::column::Column;
use super::super::limit_name::UNLIMITED;
use super::super::limits::{GrantLimits, Limit};
use super::super::matrix::Matrix;
use super::super::principal::Principal;
use super::super::risk::Risks;
use super::super::tool_name::name_of;

/// One holder of a grant, as a policy sees it: the part of every question that is the same.
#[derive(Debug, Clone)]
pub(in super::super) struct Holder {
    principal: Principal,
    id: [u8; 32],
    /// Whoever had it made, the nearest first.
    makers: Vec<String>,
    limits: Value,
    rows: Vec<(u32, String)>,
    risks: Risks,
}

impl Holder {
    /// The holder of a grant below makers, the nearest first.
    pub fn new(matrix: &Matrix, principal: &Principal, makers: Vec<String>, limits: &GrantLimits) -> Self {
        let of_limit = |limit: &Limit| -> (String, Value) {
            let value = Some(limit.value).filter(|value| *value != UNLIMITED);
            (limit.name.key().to_owned(), value.into())
        };
        let limits: Value = limits.iter().map(of_limit).collect::<Map<String, Value>>().into();
        let rows = matrix.rows_for(principal).map(|row| (row.line, row.principal.text().to_owned())).collect();
        // All that an answer can depend on beside the action; the matrix says which row allows it, and the risk.
        let all = json!([principal.as_str(), makers, limits, matrix.revision()]).to_string();
        let id = Sha256::digest(all.as_bytes()).into();
        Self { principal: principal.clone(), id, makers, limits, rows, risks: *matrix.risks() }
    }

    /// Who.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Other for whoever could be given another answer.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// The whole question, a JSON object.
    pub fn question(&self, action: Action<'_>, line: u32) -> String {
        let column = action.column();
        let row = self.rows.iter().find(|(of, _)| *of == line).map(|(_, pattern)| pattern);
        let mut asked = json!({
            "column": column.word(),
            "risk": self.risks.of(column).word(),
            "name": name(action),
        });
        if let Action::Http { method, .. } = action {
            asked["method"] = method.into();
        }
        if let Action::ToolCall(tool) = action
            && let Some((_, version)) = tool.split_once('@')
        {
            asked["version"] = version.into();
        }
        let principal = json!({
            "id": self.principal.as_str(),
            "kind": self.principal.kind().word(),
            "name": self.principal.name(),
            "makers": self.makers,
        });
        let row = json!({ "principal": row, "line": line });
        json!({ "principal": principal, "action": asked, "row": row, "limits": self.limits }).to_string()
    }
}

/// What tells actions of one column apart.
pub(super) fn thing(action: Action<'_>) -> Cow<'_, str> {
    match action {
        Action::Http { method, .. } => format!("{method} {}", name(action)).into(),
        // With the version of a tool, which a policy may look at.
        Action::ToolCall(name) => name.into(),
        _ => name(action),
    }
}

/// A policy compares names as texts: one host must have one name, and so must a tool in all of its versions.
fn name(action: Action<'_>) -> Cow<'_, str> {
    if let Action::ToolCall(tool) = action {
        return name_of(tool).into();
    }
    if action.column() != Column::Http {
        return action.name().into();
    }
    let host = action.name().to_ascii_lowercase();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host.as_str(), None),
    };
    let name = name.trim_end_matches('.');
    match port {
        Some(port) => format!("{name}:{port}").into(),
        None => name.to_owned().into(),
    }
}
