//! Whether a component is what its manifest calls it.

use wasmill_registry::{Kind, Manifest};

use super::error::RuntimeError;
use super::imports::Imports;

/// Checks that `component` is a valid component of the world that its kind names; or text, where an engine runs it.
///
/// # Errors
/// [`RuntimeError::NotAComponent`], [`RuntimeError::WrongWorld`].
pub fn check_world(component: &[u8], manifest: &Manifest) -> Result<(), RuntimeError> {
    if manifest.script.is_some() {
        let not_text = |error| RuntimeError::NotAComponent(format!("it is a script, and no text: {error}"));
        return std::str::from_utf8(component).map(drop).map_err(not_text);
    }
    of_kind(component, manifest.kind)
}

fn of_kind(component: &[u8], kind: Kind) -> Result<(), RuntimeError> {
    let names = Imports::of(component)?;
    let (wanted, export) = match kind {
        Kind::Tool => ("tool", "wasmill:plugin/tool"),
        Kind::Agent => ("agent", "wasmill:plugin/agent"),
        Kind::Engine => ("engine", "wasmill:plugin/engine"),
    };
    if names.exports_name(export) {
        return Ok(());
    }
    let found: Vec<&str> = names.exports.iter().map(|export| export.as_str()).collect();
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    Err(RuntimeError::WrongWorld { wanted, export: export.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_without_exports_is_of_no_world() {
        for kind in [Kind::Tool, Kind::Agent, Kind::Engine] {
            assert_eq!(of_kind(b"\0asm\x0d\0\x01\0", kind).unwrap_err().code(), "component.world");
        }
        assert_eq!(of_kind(b"\0asm", Kind::Tool).unwrap_err().code(), "component.invalid");
    }
}
