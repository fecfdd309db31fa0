//! `wasmill plugin provenance`

use clap::Args;

use super::super::Context;
use super::verify::installed;
use crate::forge::provenance_of;
use crate::problem::Problem;

/// Shows where a forged component comes from.
#[derive(Debug, Args)]
pub(crate) struct ShowProvenance {
    /// NAME, or NAME@VERSION
    reference: wasmill_registry::Reference,
}

impl ShowProvenance {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        let verified = installed(&cx.home()?, &self.reference)?;
        let provenance = provenance_of(&verified)?;
        cx.output.show(provenance, |provenance| {
            // Texts in it are of whoever asked for the build, and have their control characters escaped in JSON.
            serde_json::to_string_pretty(provenance).unwrap_or_default()
        })
    }
}
