//! A forged tool as the request that made it: so that it can be made again with what the forge has today.

use wasmill_registry::{Claim, Permissions, Program, Resource, Verified};

use super::compile::Workshop;
use super::kit::packages;
use super::rebuild::crates_of;
use super::request::{Example, Language, Request};
use super::statement::tools_of;
use crate::advisories::{Ingredients, Part, programs};

/// What made a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remake {
    /// Who asked: a principal, as text.
    pub maker: String,
    /// What was asked for.
    pub request: Request,
}

/// The request behind a forged tool; the same tool always gives the same one.
///
/// # Errors
/// What its statement or its files lack, as a sentence.
pub fn remake_of(verified: &Verified) -> Result<Remake, String> {
    let Claim::Forged(provenance) = verified.claim() else {
        return Err("it was published: only its publisher can build it again".into());
    };
    let source = verified.source().and_then(|source| std::str::from_utf8(source).ok());
    let source = source.ok_or("its source did not come along")?;
    let asked = &provenance.build_definition.external_parameters;
    let text = |key: &str| asked[key].as_str().map(str::to_owned).ok_or(format!("its statement names no {key}"));
    let word = text("language")?;
    let language = Language::ALL.into_iter().find(|language| language.word() == word);
    let examples = serde_json::from_value::<Vec<Example>>(asked["examples"].clone());
    let manifest = verified.manifest();
    Ok(Remake {
        maker: text("maker")?,
        request: Request {
            name: text("name")?,
            description: manifest.description.clone(),
            language: language.ok_or(format!("nobody here builds `{word}`"))?,
            source: source.to_owned(),
            dependencies: crates_of(provenance).into_iter().map(str::to_owned).collect(),
            examples: examples.map_err(|error| format!("its examples can't be read: {error}"))?,
            permissions: text_of(&manifest.permissions)?,
        },
    })
}

/// As it is written in a request.
fn text_of(permissions: &Permissions) -> Result<String, String> {
    if *permissions == Permissions::default() {
        return Ok(String::new());
    }
    toml::to_string(permissions).map_err(|error| error.to_string())
}

impl Workshop {
    /// What a tool that is linked with these crates would be made of today.
    pub fn ingredients(&self, crates: &[&str]) -> Ingredients {
        let versions = &self.kit.facts().versions;
        let said = |program| match program {
            Program::Rustc => Some(versions.rustc.as_str()),
            Program::Cargo => Some(versions.cargo.as_str()),
            Program::CargoComponent => Some(versions.cargo_component.as_str()),
        };
        let digests = tools_of(self).iter().map(Resource::digest).collect();
        let crates = packages(crates).iter().map(|text| Part::of_text(text)).collect();
        Ingredients { digests, crates, programs: programs(said), ..Ingredients::default() }
    }
}
