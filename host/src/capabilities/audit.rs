//! What is worth remembering: denials and calls, handed to whoever keeps the trail.

/// One entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditEvent {
    /// Who, such as `agent:logsmith`.
    pub principal: String,
    /// What was tried, such as `tool.call json-query.select`.
    pub action: String,
    /// `allowed`, `denied` or `failed`.
    pub decision: &'static str,
    /// Reason, duration, digest: whatever helps to understand it later. One line of text.
    pub detail: String,
}

/// Keeps the trail. Must not block and must bound what it holds back.
pub trait AuditSink: Send + Sync {
    /// Takes one entry.
    fn record(&self, event: AuditEvent);
}
