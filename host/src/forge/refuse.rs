//! The first stage: everything about a request that can be judged without building it.

use wasmill_registry::{Digest, Permissions};

use super::diagnostics::Diagnostic;
use super::kit::ALLOWED_CRATES;
use super::outcome::{Problem, ProblemKind};
use super::request::{
    DESCRIPTION_CHARS_MAX, EXAMPLES_BYTES_MAX, EXAMPLES_MAX, Language, NAME_CHARS_MAX, PERMISSIONS_BYTES_MAX, Request,
    SOURCE_BYTES_MAX,
};
use super::tokens;
use crate::permissions::{Grant, wanted_actions};

/// A request that may be built.
#[derive(Debug)]
pub struct Vetted {
    /// Full name, `<maker>.<name>`.
    pub tool: String,
    /// Crates that it uses, sorted.
    pub crates: Vec<&'static str>,
    /// Permissions that it asks for; the maker holds all of them.
    pub wanted: Permissions,
    /// Digest of the request.
    pub digest: Digest,
}

/// A refusal without its stage.
pub type Refused = Box<(Problem, Vec<Diagnostic>)>;

fn refuse<T>(problem: Problem) -> Result<T, Refused> {
    Err(Box::new((problem, Vec::new())))
}

/// Checks a request of the maker who holds `grant`.
///
/// # Errors
/// The first thing that is wrong; for the source itself, everything that is.
pub fn check(request: &Request, grant: &Grant) -> Result<Vetted, Refused> {
    let tool = check_name(&request.name, grant)?;
    check_sizes(request)?;
    let crates = check_crates(request)?;
    let wanted = check_permissions(&request.permissions, grant)?;
    check_examples(request)?;
    let found = match request.language {
        Language::Rust => tokens::scan(&request.source),
        Language::JavaScript => Vec::new(),
    };
    if let Some(first) = found.first() {
        let (message, next) = (
            format!("the source has what the forge does not build: {}", first.message),
            "Take it out of the source; the diagnostics name line and column.",
        );
        return Err(Box::new((Problem::invalid("forge.source", message, next), found)));
    }
    Ok(Vetted { tool, crates, wanted, digest: request.digest(grant.principal().as_str()) })
}

/// The full name.
fn check_name(name: &str, grant: &Grant) -> Result<String, Refused> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let next = "Choose a name like `parse-dpkg`.";
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(allowed) {
        let message = format!("a tool's name is 1 to {NAME_CHARS_MAX} characters of `a-z`, `0-9` and `-`");
        return refuse(Problem::invalid("forge.name", message, next));
    }
    let tool = format!("{}.{name}", grant.principal().name());
    match wasmill_registry::check_component_name(&tool) {
        Ok(()) => Ok(tool),
        Err(error) => refuse(Problem::invalid("forge.name", error, next)),
    }
}

fn check_sizes(request: &Request) -> Result<(), Refused> {
    let examples = request.examples.iter();
    let example_bytes: usize = examples
        .map(|e| e.function.len() + e.arguments.len() + e.expected.as_ref().map_or(0, String::len))
        .fold(0, usize::saturating_add);
    for (what, unit, size, max) in [
        ("the source", "bytes", request.source.len(), SOURCE_BYTES_MAX),
        ("the description", "characters", request.description.chars().count(), DESCRIPTION_CHARS_MAX),
        ("the list of examples", "entries", request.examples.len(), EXAMPLES_MAX),
        ("the text of all examples", "bytes", example_bytes, EXAMPLES_BYTES_MAX),
        ("the text of the permissions", "bytes", request.permissions.len(), PERMISSIONS_BYTES_MAX),
    ] {
        if size > max {
            let message = format!("{what} has {size} {unit}, over the limit of {max}");
            return refuse(Problem::invalid("forge.too-large", message, "Make it smaller."));
        }
    }
    // It becomes a line of the manifest, which is shown in lists.
    if request.description.chars().any(char::is_control) {
        let message = "the description has line breaks or other control characters";
        return refuse(Problem::invalid("forge.description", message, "Write one sentence on one line."));
    }
    Ok(())
}

fn check_crates(request: &Request) -> Result<Vec<&'static str>, Refused> {
    if request.language.is_script() && !request.dependencies.is_empty() {
        let message = format!("a tool in {} has no dependencies", request.language.word());
        return refuse(Problem::invalid("forge.crate", message, "Write what it needs into the source."));
    }
    let mut crates = Vec::new();
    for wanted in &request.dependencies {
        let Some(&known) = ALLOWED_CRATES.iter().find(|name| *name == wanted) else {
            let wanted: String = wanted.chars().take(NAME_CHARS_MAX).collect();
            let message = format!("the crate `{wanted}` is not in the allowed set");
            let next = format!("Do without it; allowed are {} and the SDK.", ALLOWED_CRATES.join(", "));
            return refuse(Problem::invalid("forge.crate", message, next));
        };
        crates.push(known);
    }
    crates.sort_unstable();
    crates.dedup();
    Ok(crates)
}

fn check_permissions(text: &str, grant: &Grant) -> Result<Permissions, Refused> {
    let wanted = match Permissions::parse(text) {
        Ok(wanted) => wanted,
        Err(error) => {
            let next = "Write them as in a row of permissions.toml, for example `tools = [\"geo\"]`.";
            return refuse(Problem::invalid("forge.permissions", format!("the wanted permissions: {error}"), next));
        }
    };
    if wanted.state {
        let message = "a tool keeps nothing between calls, so it can't have `state`";
        return refuse(Problem::invalid("forge.permissions", message, "Take `state` out of the permissions."));
    }
    for action in wanted_actions(&wanted) {
        if let Err(denial) = grant.check(action).ok() {
            let message = format!("a tool may not do what its maker may not: {}", denial.message());
            return refuse(Problem::new(ProblemKind::Denied, denial.code(), message, denial.next()));
        }
    }
    Ok(wanted)
}

fn check_examples(request: &Request) -> Result<(), Refused> {
    for (number, example) in request.examples.iter().enumerate() {
        let texts = [("arguments", Some(&example.arguments)), ("expected result", example.expected.as_ref())];
        for (what, text) in texts.into_iter().filter_map(|(what, text)| Some((what, text?))) {
            if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                let message = format!("the {what} of example {} are not JSON: {error}", number + 1);
                return refuse(Problem::invalid("forge.example", message, "Write them as JSON text."));
            }
        }
    }
    Ok(())
}
