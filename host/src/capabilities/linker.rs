//! What guests can see: the one list of capabilities, and the check that a component asks for nothing else.

use wasmtime::component::{HasSelf, Linker};

use super::guest::Guest;
use crate::permissions::{Column, Columns, Grant};
use crate::runtime::bindings::{agents, config, forge, log, model, records, source, state, timers, tools, topics};
use crate::runtime::{Engine, Imports, RuntimeError};

/// Every interface that a component may import, and the column of the permission matrix that it needs,
/// where it needs one at all.
///
/// `records`, `tools`, `model` and `topics` check each use by name, and an import of them without any permission at all
/// is refused at load: what can never work should not start. WASI has nothing granted: no directory, no environment,
/// no network; `wasi:sockets` is not even here.
const INTERFACES: &[(&str, Option<Column>)] = &[
    ("wasmill:plugin/errors", None),
    ("wasmill:plugin/tool-types", None),
    ("wasmill:plugin/log", None),
    ("wasmill:plugin/config", None),
    ("wasmill:plugin/records", None),
    ("wasmill:plugin/topics", Some(Column::TopicsCreate)),
    ("wasmill:plugin/state", Some(Column::State)),
    ("wasmill:plugin/timers", Some(Column::Timers)),
    ("wasmill:plugin/agents", Some(Column::Agents)),
    ("wasmill:plugin/tools", Some(Column::Tools)),
    ("wasmill:plugin/forge", Some(Column::Forge)),
    ("wasmill:plugin/model", None),
    ("wasi:http/types", Some(Column::Http)),
    ("wasi:http/outgoing-handler", Some(Column::Http)),
    ("wasi:cli/environment", None),
    ("wasi:cli/exit", None),
    ("wasi:cli/stdin", None),
    ("wasi:cli/stdout", None),
    ("wasi:cli/stderr", None),
    ("wasi:cli/terminal-input", None),
    ("wasi:cli/terminal-output", None),
    ("wasi:cli/terminal-stdin", None),
    ("wasi:cli/terminal-stdout", None),
    ("wasi:cli/terminal-stderr", None),
    ("wasi:clocks/monotonic-clock", None),
    ("wasi:clocks/wall-clock", None),
    ("wasi:filesystem/preopens", None),
    ("wasi:filesystem/types", None),
    ("wasi:io/error", None),
    ("wasi:io/poll", None),
    ("wasi:io/streams", None),
    ("wasi:random/insecure", None),
    ("wasi:random/insecure-seed", None),
    ("wasi:random/random", None),
];

/// The interface that only engines have.
const SOURCE: &str = "wasmill:plugin/source";

/// Checks every import of a component against what there is and what the grant holds.
///
/// # Errors
/// [`RuntimeError::Import`] with the first import that the component can't have.
pub fn check_imports(imports: &Imports, grant: &Grant) -> Result<(), RuntimeError> {
    for import in &imports.imports {
        let refuse = |reason: String| Err(RuntimeError::Import { import: import.as_str().to_owned(), reason });
        match INTERFACES.iter().find(|(name, _)| *name == import.name()) {
            None => return refuse("no component may have it; see docs/plugin-guide.md for what there is".into()),
            Some((_, Some(column))) if !Columns::touched_by(grant.effective()).contains(*column) => {
                return refuse(format!(
                    "{principal} is granted nothing in column `{column}`; name what it needs in its manifest and in a row \
                     for {principal:?} of permissions.toml",
                    principal = grant.principal().as_str(),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Checks that an engine imports nothing but what tools can have, and `source`. Which of it the tools that it runs may
/// use is decided at each use, by their grants.
///
/// # Errors
/// [`RuntimeError::Import`] with the first import that no engine can have.
pub fn check_engine_imports(imports: &Imports) -> Result<(), RuntimeError> {
    let known = |name: &str| name == SOURCE || INTERFACES.iter().any(|(interface, _)| *interface == name);
    match imports.imports.iter().find(|import| !known(import.name())) {
        None => Ok(()),
        Some(import) => {
            let reason = "no engine may have it; see docs/plugin-guide.md for what there is".into();
            Err(RuntimeError::Import { import: import.as_str().to_owned(), reason })
        }
    }
}

/// Links what tools can see.
///
/// # Errors
/// Where two capabilities claim the same name, which is a mistake in this program.
pub fn tool_linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine.inner());
    link_common(&mut linker)?;
    Ok(linker)
}

/// Links what engines can see: what tools can, and the tool's source.
///
/// # Errors
/// As [`tool_linker`].
pub fn engine_linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = tool_linker(engine)?;
    source::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    Ok(linker)
}

/// Links what agents can see: what tools can, and streams, state, forge.
///
/// # Errors
/// As [`tool_linker`].
pub fn agent_linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = tool_linker(engine)?;
    records::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    topics::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    state::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    timers::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    agents::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    forge::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |g| g)?;
    Ok(linker)
}

fn link_common(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    log::add_to_linker::<_, HasSelf<Guest>>(linker, |g| g)?;
    config::add_to_linker::<_, HasSelf<Guest>>(linker, |g| g)?;
    tools::add_to_linker::<_, HasSelf<Guest>>(linker, |g| g)?;
    model::add_to_linker::<_, HasSelf<Guest>>(linker, |g| g)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::permissions::{Matrix, Principal};
    use crate::runtime::Interface;

    fn importing(name: &str) -> Imports {
        Imports { imports: vec![Interface::new(name)], exports: vec![] }
    }

    #[test]
    fn an_engine_has_what_tools_can_have_and_the_source_and_nothing_else() {
        for name in ["wasmill:plugin/source@0.1.0", "wasmill:plugin/tools@0.1.0", "wasi:http/types@0.2.3"] {
            assert!(check_engine_imports(&importing(name)).is_ok(), "{name}");
        }
        for name in ["wasi:sockets/tcp@0.2.3", "wasi:filesystem/secret@0.2.3", "wasmill:plugin/own@0.1.0"] {
            assert_eq!(check_engine_imports(&importing(name)).unwrap_err().code(), "component.import", "{name}");
        }
    }

    #[test]
    fn only_an_engine_sees_a_source() {
        let matrix = Matrix::parse("[[row]]\nprincipal = \"tool:a\"\ntools = [\"*\"]\n").unwrap();
        let grant = matrix.grant(&Principal::tool("a"), None, None, None);
        assert!(check_imports(&importing("wasmill:plugin/log@0.1.0"), &grant).is_ok());
        assert_eq!(check_imports(&importing(SOURCE), &grant).unwrap_err().code(), "component.import");
    }
}
