//! What a component says it needs and offers, read from its bytes before anything compiles them.

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use super::error::RuntimeError;

/// Most imports and exports of a component; ours have some twenty.
const NAMES_MAX: usize = 256;

/// One interface by name, such as `wasi:io/streams@0.2.3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    text: String,
    version_at: Option<usize>,
}

impl Interface {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), version_at: text.find('@') }
    }

    /// The name without version: `wasi:io/streams`.
    pub fn name(&self) -> &str {
        self.version_at.map_or(&self.text, |at| &self.text[..at])
    }

    /// The whole name, as the component has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Top-level imports and exports of a component, each sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imports {
    /// What it needs.
    pub imports: Vec<Interface>,
    /// What it offers.
    pub exports: Vec<Interface>,
}

impl Imports {
    /// Validates a component and reads its names.
    ///
    /// # Errors
    /// [`RuntimeError::NotAComponent`] for anything that isn't one whole, valid component of binary format.
    pub fn of(component: &[u8]) -> Result<Self, RuntimeError> {
        let invalid = |e: wasmparser::BinaryReaderError| RuntimeError::NotAComponent(e.to_string());
        if !component.starts_with(b"\0asm") {
            return Err(RuntimeError::NotAComponent("it does not begin with the WebAssembly magic number".into()));
        }
        if Parser::is_core_wasm(component) {
            return Err(RuntimeError::NotAComponent("it is a core module, not a component".into()));
        }
        Validator::new_with_features(features()).validate_all(component).map_err(invalid)?;

        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding, .. } => {
                    if depth == 0 && encoding != Encoding::Component {
                        return Err(RuntimeError::NotAComponent("it is a core module, not a component".into()));
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        imports.push(Interface::new(import.map_err(invalid)?.name.name));
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        exports.push(Interface::new(export.map_err(invalid)?.name.name));
                    }
                }
                _ => {}
            }
            if imports.len() + exports.len() > NAMES_MAX {
                return Err(RuntimeError::NotAComponent(format!("it has over {NAMES_MAX} imports and exports")));
            }
        }
        imports.sort();
        exports.sort();
        Ok(Self { imports, exports })
    }

    /// True where the component exports the interface, whatever its version.
    pub fn exports_name(&self, name: &str) -> bool {
        self.exports.iter().any(|e| e.name() == name)
    }

    /// True where the component imports the interface, whatever its version.
    pub fn imports_name(&self, name: &str) -> bool {
        self.imports.iter().any(|i| i.name() == name)
    }
}

/// What guests may be made of: the component model and standard WebAssembly, no threads.
fn features() -> WasmFeatures {
    WasmFeatures::default() & !WasmFeatures::THREADS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused_with_the_reason() {
        for (bytes, reason) in [
            (&b""[..], "magic number"),
            (b"#!/bin/sh", "magic number"),
            (b"\0asm\x01\0\0\0", "core module"),
            (b"\0asm\x0d\0\x01", "unexpected end"),
            (b"\0asm\x0d\0\x01\0\x07", "unexpected end"),
        ] {
            let error = Imports::of(bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn an_empty_component_imports_nothing() {
        let names = Imports::of(b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(names, Imports { imports: vec![], exports: vec![] });
    }

    #[test]
    fn a_version_is_not_part_of_the_name() {
        let interface = Interface::new("wasi:io/streams@0.2.3");
        assert_eq!((interface.name(), interface.as_str()), ("wasi:io/streams", "wasi:io/streams@0.2.3"));
        assert_eq!(Interface::new("plain").name(), "plain");
    }
}
