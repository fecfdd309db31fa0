//! `wasmill plugin`

mod import;
mod install;
mod new;
mod outdated;
mod provenance;
mod push;
mod remote;
mod search;
mod shadow;
mod sign;
mod test;
mod verify;

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use super::progress::Progress;
use crate::gateway::Plugin as Installed;
use crate::problem::Problem;

/// Verbs of `plugin`.
#[derive(Debug, Subcommand)]
pub(super) enum Plugin {
    /// Write the project of a new tool or agent
    #[command(after_help = "Examples:
  wasmill plugin new counter --kind agent
  wasmill plugin new slugs --kind tool --dir plugins/slugs")]
    New(new::New),
    /// Sign a component together with its manifest
    #[command(after_help = "Examples:
  wasmill plugin sign target/wasm32-wasip1/release/counter.wasm
  wasmill plugin sign .                    what `cargo component build --release` made here
  wasmill plugin sign counter.wasm --manifest wasmill.toml --key ~/keys/alice.key")]
    Sign(sign::Sign),
    /// Try a built plugin with the cases in its folder, without any broker
    #[command(after_help = "Examples:
  wasmill plugin test
  wasmill plugin test plugins/upper
  wasmill plugin test --component counter.wasm --output json")]
    Test(test::Test),
    /// Give a version what the one before it got last, without any effect, and show what comes out differently
    #[command(
        after_help = "A tool gets calls out of the journals of runs, else its maker's examples; an agent the last records
of its topics. Nothing is sent or kept, and nothing leaves the host.

Examples:
  wasmill plugin shadow logsmith.parse-dpkg@0.1.3
  wasmill plugin shadow counter --last 100 --output json"
    )]
    Shadow(shadow::ShadowRun),
    /// Verify a component: a file that isn't installed, or an installed one by name
    #[command(after_help = "Examples:
  wasmill plugin verify target/wasm32-wasip1/release/counter.wasm
  wasmill plugin verify counter
  wasmill plugin verify counter@1.2.0 --output json
  wasmill plugin verify logsmith.parse-dpkg --rebuild")]
    Verify(verify::Verify),
    /// Show where a forged component comes from: the signed statement of who asked, for what, and how it was built
    #[command(after_help = "Examples:
  wasmill plugin provenance logsmith.parse-dpkg
  wasmill plugin provenance cli.sum@0.1.0 --output json")]
    Provenance(provenance::ShowProvenance),
    /// Install a signed component: from a registry, or from files; or sign and install a project's own
    #[command(after_help = "Examples:
  wasmill plugin install .                 what `cargo component build --release` made here, signed with your key
  wasmill plugin install target/wasm32-wasip1/release/counter.wasm
  wasmill plugin install counter.wasm --manifest wasmill.toml --signature counter.dsse.json
  wasmill plugin install counter@1.2.0     from the first [[registry]] of host.toml that has it
  wasmill plugin install oci://registry.example.com/tools/counter:1.2.0
  wasmill plugin install https://example.com/plugins/#counter@1.2.0")]
    Install(install::Install),
    /// Push an installed component to an OCI registry
    #[command(after_help = "Examples:
  wasmill plugin push counter@1.2.0 oci://registry.example.com/tools/counter
  wasmill plugin push counter mill         to the [[registry]] of that name in host.toml
  wasmill plugin push counter oci://127.0.0.1:5000/counter:latest")]
    Push(push::Push),
    /// Search the registries of host.toml
    #[command(after_help = "Examples:
  wasmill plugin search parse
  wasmill plugin search --output json")]
    Search(search::Search),
    /// Show which components have newer versions where they came from
    #[command(after_help = "Examples:
  wasmill plugin outdated")]
    Outdated(outdated::Outdated),
    /// Install newer versions from where the installed ones came from; these stay
    #[command(after_help = "Examples:
  wasmill plugin upgrade
  wasmill plugin upgrade counter")]
    Upgrade(outdated::Upgrade),
    /// Read another product's plugin index
    #[command(subcommand)]
    Import(import::Import),
    /// List installed components, with what is wrong with those that can't be used
    #[command(after_help = "Examples:
  wasmill plugin list
  wasmill plugin list --output json")]
    List,
    /// Remove an installed component
    #[command(after_help = "Examples:
  wasmill plugin remove counter@1.2.0
  wasmill plugin remove counter            where there is only one version")]
    Remove(Remove),
}

/// Removes a component.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// NAME, or NAME@VERSION
    reference: wasmill_registry::Reference,
}

impl Plugin {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::New(command) => command.run(cx),
            Self::Sign(command) => command.run(cx),
            Self::Test(command) => command.run(cx).await,
            Self::Shadow(command) => command.run(cx).await,
            Self::Verify(command) => command.run(cx).await,
            Self::Provenance(command) => command.run(cx),
            Self::Install(command) => command.run(cx).await,
            Self::Push(command) => command.run(cx).await,
            Self::Search(command) => command.run(cx).await,
            Self::Outdated(command) => command.run(cx).await,
            Self::Upgrade(command) => command.run(cx).await,
            Self::Import(command) => command.run(cx).await,
            Self::List => list(cx).await,
            Self::Remove(command) => command.run(cx).await,
        }
    }
}

impl Remove {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let path = format!("/v1/plugins/{}", self.reference);
        let removed: Installed = cx.client().await?.delete(&path).await?;
        cx.output.show(&removed, |plugin| format!("Removed {}@{}", plugin.name, plugin.version))
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let progress = Progress::start(cx.output, "Verifying components");
    let plugins: Vec<Installed> = cx.client().await?.all("/v1/plugins").await?;
    drop(progress);
    cx.output.show(&plugins, |plugins| {
        if plugins.is_empty() {
            return "No components. Install one with `wasmill plugin install FILE`.".to_owned();
        }
        let rows = plugins.iter().map(|plugin| {
            let name = format!("{}@{}", plugin.name, plugin.version);
            match (&plugin.facts, &plugin.problem) {
                (Some(facts), None) => {
                    let signer = format!("{} ({})", facts.signer.name, facts.signer.role);
                    let digest: String = facts.digest.to_string().chars().take(12).collect();
                    [name, kind(facts.kind).to_owned(), signer, digest, facts.description.clone()]
                }
                (_, problem) => {
                    let problem = problem.as_ref().map(|problem| format!("unusable: {}", problem.message));
                    [name, "-".into(), "-".into(), "-".into(), problem.unwrap_or_default()]
                }
            }
        });
        table(["COMPONENT", "KIND", "SIGNED BY", "DIGEST", "ABOUT"], rows)
    })
}

fn kind(kind: wasmill_registry::Kind) -> &'static str {
    match kind {
        wasmill_registry::Kind::Tool => "tool",
        wasmill_registry::Kind::Agent => "agent",
        wasmill_registry::Kind::Engine => "engine",
    }
}
