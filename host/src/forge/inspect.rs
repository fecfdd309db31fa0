//! The third stage: what the finished component imports and exports, whatever its source looked like.

use wasmill_registry::Permissions;

use super::outcome::{Problem, ProblemKind};
use crate::permissions::Column;
use crate::runtime::{Imports, Interface};

/// Largest component that the forge hands out, bytes. A large parser has 300 KiB.
pub const COMPONENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The interface that every tool exports.
const TOOL: &str = "wasmill:plugin/tool@0.1.0";

/// Interfaces that a tool may import, by the beginning of their name, with the column that its wanted permissions must
/// touch. What is in no line here, no tool may import: `wasi:sockets`, and what only agents have.
const INTERFACES: [(&str, Option<Column>); 12] = [
    ("wasmill:plugin/errors", None),
    ("wasmill:plugin/tool-types", None),
    ("wasmill:plugin/log", None),
    ("wasmill:plugin/config", None),
    ("wasmill:plugin/tools", Some(Column::Tools)),
    ("wasmill:plugin/model", Some(Column::Model)),
    ("wasi:http/", Some(Column::Http)),
    // Linked with nothing behind them: no files, no environment, no arguments; output becomes log lines.
    ("wasi:io/", None),
    ("wasi:cli/", None),
    ("wasi:filesystem/", None),
    ("wasi:random/", None),
    // Stands still without `clock`.
    ("wasi:clocks/", None),
];

/// Checks a component that the compiler gave back.
///
/// # Errors
/// What it imports without having asked for it, or what else makes it no tool.
pub fn check(component: &[u8], wanted: &Permissions) -> Result<(), Problem> {
    if component.len() > COMPONENT_BYTES_MAX {
        let message = format!("the component has {} bytes, over the limit of {COMPONENT_BYTES_MAX}", component.len());
        return Err(Problem::new(
            ProblemKind::Limit,
            "forge.component-size",
            message,
            "Put less data into the source.",
        ));
    }
    let names = Imports::of(component).map_err(|error| {
        Problem::new(ProblemKind::Failed, error.code(), error, "Export a tool with `wasmill_sdk::tool!`.")
    })?;
    if !names.exports.iter().any(|export| export.as_str() == TOOL) {
        let message = format!("the component doesn't export `{TOOL}`");
        return Err(Problem::invalid("forge.export", message, "Export the tool with `wasmill_sdk::tool!`."));
    }
    names.imports.iter().try_for_each(|import| check_import(import, wanted))
}

fn check_import(import: &Interface, wanted: &Permissions) -> Result<(), Problem> {
    let name = import.name();
    let known = INTERFACES
        .iter()
        .find(|(start, _)| if start.ends_with('/') { name.starts_with(start) } else { name == *start });
    match known {
        Some((_, None)) => Ok(()),
        Some((_, Some(column))) if !column.cell(wanted).is_empty() => Ok(()),
        Some((_, Some(column))) => {
            let message = format!("the tool imports `{}` and asks for nothing in `{column}`", import.as_str());
            let next = format!("Name what it needs as `{column}` in the wanted permissions, or don't use it.");
            Err(Problem::invalid("forge.import", message, next))
        }
        None => {
            let message = format!("the tool imports `{}`, which no tool may have", import.as_str());
            Err(Problem::invalid("forge.import", message, "Don't use it; docs/forge.md lists what a tool can import."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component with empty instances of these names as imports, and one as export.
    fn component(imports: &[&str], export: Option<&str>) -> Vec<u8> {
        fn leb(mut value: usize, out: &mut Vec<u8>) {
            while value >= 0x80 {
                out.push((value & 0x7f) as u8 | 0x80);
                value >>= 7;
            }
            out.push(value as u8);
        }
        fn section(id: u8, body: &[u8], out: &mut Vec<u8>) {
            out.push(id);
            leb(body.len(), out);
            out.extend_from_slice(body);
        }
        fn name(text: &str, out: &mut Vec<u8>) {
            out.push(0);
            leb(text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        let mut out = b"\0asm\x0d\0\x01\0".to_vec();
        // Type 0: an instance type without anything in it.
        section(7, &[1, 0x42, 0], &mut out);
        let mut body = vec![u8::try_from(imports.len()).unwrap()];
        for import in imports {
            name(import, &mut body);
            body.extend([5, 0]);
        }
        section(10, &body, &mut out);
        if let Some(export) = export {
            // An instance without exports, then exported by name.
            section(5, &[1, 1, 0], &mut out);
            let mut body = vec![1];
            name(export, &mut body);
            body.push(5);
            leb(imports.len(), &mut body);
            body.push(0);
            section(11, &body, &mut out);
        }
        out
    }

    fn code(imports: &[&str], permissions: &str) -> String {
        let wanted = Permissions::parse(permissions).unwrap();
        check(&component(imports, Some(TOOL)), &wanted)
            .map_or_else(|p| format!("{} {}", p.code, p.message), |()| "ok".into())
    }

    #[test]
    fn what_every_tool_may_import_passes() {
        assert_eq!(
            code(&["wasmill:plugin/log@0.1.0", "wasi:io/streams@0.2.3", "wasi:clocks/wall-clock@0.2.3"], ""),
            "ok"
        );
    }

    #[test]
    fn what_was_not_asked_for_is_named() {
        for (import, permissions) in [
            ("wasmill:plugin/tools@0.1.0", "tools = ['a.*']"),
            ("wasmill:plugin/model@0.1.0", "model = ['*']"),
            ("wasi:http/outgoing-handler@0.2.3", "http = [{ host = 'a.org', methods = ['GET'] }]"),
        ] {
            let refused = code(&[import], "");
            assert!(refused.starts_with("forge.import") && refused.contains(import), "{refused}");
            assert_eq!(code(&[import], permissions), "ok");
        }
    }

    #[test]
    fn what_no_tool_may_have_is_refused_whatever_it_asks_for() {
        for import in [
            "wasi:sockets/tcp@0.2.3",
            "wasmill:plugin/records@0.1.0",
            "wasmill:plugin/state@0.1.0",
            "wasmill:plugin/forge@0.1.0",
            "wasmill:plugin/topics@0.1.0",
            "wasi:httpx/anything@0.2.3",
            "evil:io/streams@0.2.3",
        ] {
            let all = "tools = ['*']\nmodel = ['*']\nforge = ['*']\nhttp = [{ host = '*', methods = ['*'] }]";
            assert!(code(&[import], all).contains("no tool may have"), "{import}");
        }
    }

    #[test]
    fn what_is_no_tool_is_refused() {
        let none = Permissions::default();
        assert_eq!(check(&component(&[], None), &none).unwrap_err().code, "forge.export");
        assert_eq!(check(&component(&[], Some("wasmill:plugin/agent@0.1.0")), &none).unwrap_err().code, "forge.export");
        assert_eq!(check(b"\x7fELF", &none).unwrap_err().code, "component.invalid");
        assert_eq!(check(&vec![0; COMPONENT_BYTES_MAX + 1], &none).unwrap_err().code, "forge.component-size");
    }
}
