//! Whether a component is what its manifest calls it.

use wasmill_registry::Kind;

use super::error::RuntimeError;
use super::imports::Imports;

/// Checks that `component` is a valid component of the world that its kind names.
///
/// # Errors
/// [`RuntimeError::NotAComponent`], [`RuntimeError::WrongWorld`].
pub fn check_world(component: &[u8], kind: Kind) -> Result<(), RuntimeError> {
    let names = Imports::of(component)?;
    let (wanted, export) = match kind {
        Kind::Tool => ("tool", "wasmill:plugin/tool"),
        Kind::Agent => ("agent", "wasmill:plugin/agent"),
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
        for kind in [Kind::Tool, Kind::Agent] {
            assert_eq!(check_world(b"\0asm\x0d\0\x01\0", kind).unwrap_err().code(), "component.world");
        }
        assert_eq!(check_world(b"\0asm", Kind::Tool).unwrap_err().code(), "component.invalid");
    }
}
