//! What a component is made of, as far as its signed statement says.

use semver::Version;
use serde_json::Value;
use wasmill_registry::{Claim, Digest, Program, Provenance, Verified};

/// A name with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name.
    pub name: String,
    /// Version; none where nobody says.
    pub version: Option<Version>,
}

/// What a component is made of. What a publisher has linked nobody says: such a component has a name, a version and digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingredients {
    /// The component itself; none for what is not built yet.
    pub component: Option<Part>,
    /// The engine that runs it, where it is a script.
    pub engine: Option<Part>,
    /// Its own digest, and those of all that went into it.
    pub digests: Vec<Digest>,
    /// Crates that it is linked with.
    pub crates: Vec<Part>,
    /// Programs that have built it.
    pub programs: Vec<(Program, Version)>,
}

impl Part {
    /// Reads `name@version`.
    pub fn of_text(text: &str) -> Self {
        match text.rsplit_once('@') {
            Some((name, version)) => Self { name: name.to_owned(), version: version.parse().ok() },
            None => Self { name: text.to_owned(), version: None },
        }
    }
}

impl Ingredients {
    /// Those of a verified component.
    pub fn of(verified: &Verified) -> Self {
        let manifest = verified.manifest();
        let component = Part { name: manifest.name.clone(), version: Some(manifest.version.clone()) };
        let mut own = Self { component: Some(component), digests: vec![verified.digest()], ..Self::default() };
        own.digests.extend(manifest.script.as_ref().map(|script| script.engine));
        if let Claim::Forged(provenance) = verified.claim() {
            own.add(provenance);
        }
        own
    }

    fn add(&mut self, provenance: &Provenance) {
        let build = &provenance.build_definition;
        self.digests.extend(build.resolved_dependencies.iter().map(|resource| resource.digest()));
        let how = &build.internal_parameters;
        self.engine = how["engine"].as_str().map(Part::of_text);
        // A statement of before packages were named has only the crates that were asked for.
        let named = how["packages"].as_array().or_else(|| build.external_parameters["crates"].as_array());
        self.crates = named.into_iter().flatten().filter_map(Value::as_str).map(Part::of_text).collect();
        self.programs = programs(|program| how["compiler"][key(program)].as_str());
    }
}

/// The versions that programs say of themselves.
pub fn programs<'a>(said: impl Fn(Program) -> Option<&'a str>) -> Vec<(Program, Version)> {
    let version = |program| {
        // `rustc 1.95.0 (f2d3ce0bd 2026-03-21)`, and more lines.
        let version = said(program)?.split_whitespace().nth(1)?.parse().ok()?;
        Some((program, version))
    };
    Program::ALL.into_iter().filter_map(version).collect()
}

/// Where a statement has what a program says of itself.
fn key(program: Program) -> &'static str {
    match program {
        Program::Rustc => "rustc",
        Program::Cargo => "cargo",
        Program::CargoComponent => "cargo_component",
    }
}
