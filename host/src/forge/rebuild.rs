//! Building a forged tool once more, and comparing it with what was signed.

use serde::Serialize;
use wasmill_registry::{Claim, Digest, Provenance, Verified};

use super::compile::{Compiled, Workshop};
use super::kit::ALLOWED_CRATES;
use super::outcome::{Problem, ProblemKind};
use super::statement::tools_of;

/// What a rebuild came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rebuilt {
    /// `name@version`.
    pub component: String,
    /// SHA-256 of the component that was signed.
    pub signed: Digest,
    /// SHA-256 of what the same source gives here.
    pub built: Digest,
    /// Compiler, SDK and the like that are not those of the statement: where there are any, another digest proves nothing.
    pub other_tools: Vec<String>,
}

/// The provenance of a forged tool.
///
/// # Errors
/// `provenance.none` for one that a publisher signed.
pub fn provenance_of(verified: &Verified) -> Result<&Provenance, Problem> {
    match verified.claim() {
        Claim::Forged(provenance) => Ok(provenance),
        Claim::Published => {
            let message = format!("{} was published: its signer says nothing of how it was made", component(verified));
            Err(Problem::new(ProblemKind::NotFound, "provenance.none", message, "Ask its publisher."))
        }
    }
}

/// Builds the tool's source in a fresh sandbox. `workshop` is asked for only where there is something to build.
///
/// # Errors
/// `provenance.none`; `provenance.source` where the source didn't come along; what this host lacks for building, and what
/// the compiler refuses.
pub async fn rebuild<F>(verified: &Verified, workshop: impl FnOnce() -> F) -> Result<Rebuilt, Problem>
where
    F: Future<Output = Result<Workshop, Problem>>,
{
    let provenance = provenance_of(verified)?;
    let source = verified.source().and_then(|source| std::str::from_utf8(source).ok()).ok_or_else(|| {
        let message = format!("the source of {} did not come along", component(verified));
        Problem::new(ProblemKind::NotFound, "provenance.source", message, "Get it from the host that made it.")
    })?;
    let rebuilt =
        |built, other_tools| Rebuilt { component: component(verified), signed: verified.digest(), built, other_tools };
    if verified.manifest().script.is_some() {
        // A script is its source, which was verified against the statement.
        return Ok(rebuilt(Digest::of(source.as_bytes()), Vec::new()));
    }
    let workshop = workshop().await?;
    let crates = crates_of(provenance);
    let built = match workshop.compile(source, &crates).await.map_err(|error| failed(&error))? {
        Compiled::Component { bytes, .. } => Digest::of(&bytes),
        Compiled::Failed { failure, .. } => {
            return Err(Problem::new(ProblemKind::Failed, failure.code(), &failure, failure.next()));
        }
    };
    let here = tools_of(&workshop);
    let then = &provenance.build_definition.resolved_dependencies;
    let other = here.into_iter().filter(|tool| then.iter().any(|t| t.name == tool.name && t.digest() != tool.digest()));
    Ok(rebuilt(built, other.map(|tool| tool.name).collect()))
}

/// The crates that the statement names; only those that a kit has.
pub(super) fn crates_of(provenance: &Provenance) -> Vec<&'static str> {
    let named = provenance.build_definition.external_parameters["crates"].as_array();
    let is_named = |name: &str| named.is_some_and(|crates| crates.iter().any(|c| c == name));
    ALLOWED_CRATES.into_iter().filter(|name| is_named(name)).collect()
}

fn component(verified: &Verified) -> String {
    format!("{}@{}", verified.manifest().name, verified.manifest().version)
}

fn failed(error: &impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Unavailable, "sandbox.failed", error, "See `wasmill doctor`.")
}
