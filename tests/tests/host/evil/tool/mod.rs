//! The attacks of `plugins/evil`: what a tool without any grant must not be able to do.

mod clocks;
mod compute;
mod crash;
mod environment;
mod files;
mod flood;
mod lies;
mod memory;
mod output;
mod settings;

use super::ring::Ring;

/// A host with the tool, and limits that are soon reached. The row for it begins at line 5 of the matrix.
async fn ring() -> Ring {
    Ring::of("evil", ROW).await
}

const ROW: &str = "[[row]]\nprincipal = \"tool:evil\"\n\
    limits = { memory_mib = 32, compute_ms = 500, output_kib = 1024, deadline_ms = 5000 }\n";
