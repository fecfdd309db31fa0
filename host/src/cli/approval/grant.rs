//! `wasmill approval grant`

use clap::Args;
use time::OffsetDateTime;

use super::super::Context;
use super::super::files::secret_key;
use super::super::key::moment;
use super::standing;
use crate::approvals::{Case, CaseDetail};
use crate::gateway::GrantRequest;
use crate::problem::Problem;

/// Approves.
#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// NAME, or NAME@VERSION
    reference: wasmill_registry::Reference,
    /// The admin's key: a name in keys/, or a file. It stays in this process
    #[arg(long, default_value = "admin")]
    key: String,
    /// From this moment on the approval counts for nothing, like 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<OffsetDateTime>,
}

impl Grant {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let key = secret_key(&cx.home()?, &self.key)?;
        let client = cx.client().await?;
        let shown: CaseDetail = client.get(&format!("/v1/approvals/{}", self.reference)).await?;
        let envelope = shown.case.approval(self.expires).sign(&key)?.to_json();
        let case: Case = client.post("/v1/approvals", &GrantRequest { envelope }).await?;
        cx.output.show(&case, |case| {
            format!("{} {} for {}", case.component, standing(&case.state), case.privileged.join(", "))
        })
    }
}
