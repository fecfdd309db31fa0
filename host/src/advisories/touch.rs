//! What an advisory touches, and why.

use wasmill_registry::{About, Advisory, Says, Severity, is_meant};

use super::ingredients::{Ingredients, Part};
use super::kept::Advisories;

/// Something that an advisory touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Id of the advisory.
    pub id: String,
    /// Its serial.
    pub serial: u64,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in the admin's words.
    pub reason: String,
    /// What it has to do with it, as a sentence about `it`.
    pub because: String,
    /// Whether it is to be built again, where that can be done.
    pub rebuild: bool,
}

impl Advisories {
    /// The first advisory in force that touches something made of this.
    pub fn against(&self, of: &Ingredients) -> Option<Touched> {
        self.in_force().find_map(|kept| touches(&kept.advisory, of))
    }
}

fn touches(advisory: &Advisory, of: &Ingredients) -> Option<Touched> {
    let Says::Quarantine { about, severity, rebuild } = &advisory.says else { return None };
    let because = because(about, of)?;
    Some(Touched {
        id: advisory.id.clone(),
        serial: advisory.serial,
        severity: *severity,
        reason: advisory.reason.clone(),
        because,
        rebuild: *rebuild,
    })
}

fn because(about: &About, of: &Ingredients) -> Option<String> {
    match about {
        About::Component { name, versions } => {
            let is = |part: &&Part| {
                part.name == *name && part.version.as_ref().is_none_or(|version| is_meant(versions, version))
            };
            if let Some(own) = of.component.as_ref().filter(is) {
                return Some(format!("it is {}", shown(own)));
            }
            of.engine.as_ref().filter(is).map(|engine| format!("it is run by {}", shown(engine)))
        }
        About::Digest(digest) => {
            let at = of.digests.iter().position(|other| other == digest)?;
            let is_own = at == 0 && of.component.is_some();
            Some(if is_own { format!("its digest is {digest}") } else { format!("it was made with {digest}") })
        }
        About::Crate { name, versions } => {
            let is = |part: &&Part| {
                is_same_crate(&part.name, name)
                    && part.version.as_ref().is_none_or(|version| is_meant(versions, version))
            };
            of.crates.iter().find(is).map(|part| format!("it is linked with {}", shown(part)))
        }
        About::Toolchain { program, versions } => {
            let (_, version) = of.programs.iter().find(|(of, version)| of == program && is_meant(versions, version))?;
            Some(format!("it was built with {} {version}", program.word()))
        }
    }
}

fn shown(part: &Part) -> String {
    match &part.version {
        Some(version) => format!("{} {version}", part.name),
        None => format!("{}, in a version that its statement does not name", part.name),
    }
}

/// For cargo `serde-json` and `serde_json` are one name.
fn is_same_crate(one: &str, other: &str) -> bool {
    let plain = |c: char| if c == '-' { '_' } else { c.to_ascii_lowercase() };
    one.chars().map(plain).eq(other.chars().map(plain))
}

#[cfg(test)]
mod tests {
    use wasmill_registry::{Digest, Program};

    use super::*;

    fn made() -> Ingredients {
        Ingredients {
            component: Some(Part::of_text("a.tool@1.2.0")),
            engine: Some(Part::of_text("javascript@0.1.0")),
            digests: vec![Digest::of(b"own"), Digest::of(b"compiler")],
            crates: vec![Part::of_text("serde_json@1.0.99"), Part::of_text("regex-lite")],
            programs: vec![(Program::Rustc, "1.95.0".parse().unwrap())],
        }
    }

    fn said(about: About) -> Option<String> {
        because(&about, &made())
    }

    #[test]
    fn each_kind_of_advisory_touches_what_it_names_and_nothing_else() {
        let component =
            |name: &str, versions: &str| About::Component { name: name.into(), versions: versions.parse().unwrap() };
        assert_eq!(said(component("a.tool", "<1.3.0")).unwrap(), "it is a.tool 1.2.0");
        assert_eq!(said(component("javascript", "=0.1.0")).unwrap(), "it is run by javascript 0.1.0");
        assert_eq!(said(component("a.tool", "<1.2.0")), None);
        assert_eq!(said(component("a", "*")), None);
        let of = |name: &str, versions: &str| About::Crate { name: name.into(), versions: versions.parse().unwrap() };
        assert_eq!(said(of("serde-json", "<1.0.100")).unwrap(), "it is linked with serde_json 1.0.99");
        assert_eq!(said(of("serde_json", ">=1.0.100")), None);
        assert!(said(of("regex-lite", "<0.1.0")).unwrap().contains("does not name"), "an unknown version counts");
        assert_eq!(said(of("serde", "*")), None);
        let with = |program, versions: &str| About::Toolchain { program, versions: versions.parse().unwrap() };
        assert_eq!(said(with(Program::Rustc, "<1.96.0")).unwrap(), "it was built with rustc 1.95.0");
        assert_eq!(said(with(Program::Rustc, ">=1.96.0")), None);
        assert_eq!(said(with(Program::Cargo, "*")), None);
        assert!(said(About::Digest(Digest::of(b"own"))).unwrap().starts_with("its digest"));
        assert!(said(About::Digest(Digest::of(b"compiler"))).unwrap().starts_with("it was made with"));
        assert_eq!(said(About::Digest(Digest::of(b"other"))), None);
    }
}
