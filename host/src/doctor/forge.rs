//! What making tools from source needs: a sandbox that really works, a compiler with the target, the prepared kit.

use super::{Finding, Level};
use crate::forge::{ForgeSettings, Kit, Toolchain};
use crate::sandbox::Sandbox;

pub(super) async fn examine(settings: ForgeSettings) -> Vec<Finding> {
    match tokio::task::spawn_blocking(move || look(&settings)).await {
        Ok(found) => found,
        Err(error) => vec![Finding::advise("forge", Level::Warn, error.to_string(), "Please report it.")],
    }
}

fn look(settings: &ForgeSettings) -> Vec<Finding> {
    let lacking = |check: &str, says: String, next: &str| Finding::advise(check, Level::Warn, says, next);
    let mut all = vec![match Sandbox::find() {
        Ok(sandbox) => Finding::ok("sandbox", format!("{} makes sandboxes", sandbox.version())),
        Err(error) => lacking("sandbox", format!("no tools can be made from source: {error}"), error.next()),
    }];
    let toolchain = match Toolchain::find(settings.rustc.as_deref()) {
        Ok(toolchain) => toolchain,
        Err(error) => {
            all.push(lacking("compiler", format!("no tools can be made from source: {error}"), error.next()));
            return all;
        }
    };
    let versions = toolchain.versions();
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let programs = [&versions.rustc, &versions.cargo, &versions.cargo_component].map(|text| first(text)).join(", ");
    all.push(Finding::ok("compiler", format!("{programs}, at {}", toolchain.rustc().display())));
    let kits = settings.kits.clone().unwrap_or_else(Kit::default_folder);
    all.push(match Kit::open(&kits, &toolchain) {
        Ok(kit) => Finding::ok("kit", format!("prepared in `{}`", kit.folder().display())),
        Err(error) => lacking("kit", error.to_string(), error.next()),
    });
    all
}
