//! `wasmill advisory`

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};
use semver::VersionReq;
use wasmill_registry::{About, Advisory as Word, Digest, Says, Severity};

use super::Context;
use super::files::secret_key;
use super::output::table;
use crate::gateway::{AdviseReply, AdviseRequest, AdvisoryReply};
use crate::problem::{Problem, ProblemKind};

/// Verbs of `advisory`.
#[derive(Debug, Subcommand)]
pub(super) enum Advisory {
    /// Warn all hosts of something, as an admin: what it touches runs no more
    #[command(after_help = "Each host that trusts the key as an admin's takes it within seconds, for what runs too.

Examples:
  wasmill advisory add RUSTSEC-2026-0001 --crate 'serde_json@<1.0.100' --reason 'panics on deep input' --rebuild
  wasmill advisory add bad-engine --component javascript@=0.1.0 --reason 'leaks between calls' --severity critical
  wasmill advisory add bad-build --digest sha256:… --reason 'signed by mistake'
  wasmill advisory add bad-compiler --toolchain 'rustc@>=1.90.0, <1.90.2' --reason 'miscompiles' --rebuild")]
    Add(Add),
    /// List the advisories in force, with what they touch here
    #[command(after_help = "Examples:
  wasmill advisory list
  wasmill advisory list --output json")]
    List,
    /// End an advisory, as an admin
    #[command(after_help = "Examples:
  wasmill advisory remove RUSTSEC-2026-0001 --reason 'does not reach us'")]
    Remove(Remove),
}

/// Warns.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// What it is called: letters, digits, `-`, `_` and `.`; another word about the same id replaces this one
    id: String,
    #[command(flatten)]
    about: Named,
    /// What is wrong, in one line
    #[arg(long)]
    reason: String,
    /// How bad it is
    #[arg(long, value_enum, default_value = "high")]
    severity: SeverityWord,
    /// Build generated tools again that it touches, where today's compiler and crates are not touched themselves
    #[arg(long)]
    rebuild: bool,
    /// The admin's key: a name in keys/, or a file. It stays in this process
    #[arg(long, default_value = "admin")]
    key: String,
}

/// What it touches: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// Versions of a component; of an engine: also what it runs
    #[arg(long, value_name = "NAME[@VERSIONS]")]
    component: Option<String>,
    /// A component, or anything that a statement says went into one, by its SHA-256
    #[arg(long, value_name = "SHA256")]
    digest: Option<String>,
    /// Versions of a crate that generated tools are linked with
    #[arg(long = "crate", value_name = "NAME[@VERSIONS]")]
    package: Option<String>,
    /// Versions of rustc, cargo or cargo-component that generated tools were built with
    #[arg(long, value_name = "PROGRAM[@VERSIONS]")]
    toolchain: Option<String>,
}

/// Ends one.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Which
    id: String,
    /// Why, in one line
    #[arg(long, default_value = "it is over")]
    reason: String,
    /// The admin's key: a name in keys/, or a file. It stays in this process
    #[arg(long, default_value = "admin")]
    key: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeverityWord {
    Low,
    Medium,
    High,
    Critical,
}

impl Advisory {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Add(command) => command.run(cx).await,
            Self::List => list(cx).await,
            Self::Remove(command) => command.run(cx).await,
        }
    }
}

impl Add {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let severity = match self.severity {
            SeverityWord::Low => Severity::Low,
            SeverityWord::Medium => Severity::Medium,
            SeverityWord::High => Severity::High,
            SeverityWord::Critical => Severity::Critical,
        };
        let says = Says::Quarantine { about: self.about.about()?, severity, rebuild: self.rebuild };
        let reply = send(cx, self.id, self.reason, says, &self.key).await?;
        cx.output.show(&reply, |reply| match reply.touched.as_slice() {
            [] => format!("Advisory {} is in force; it touches nothing that is installed here", reply.id),
            touched => format!("Advisory {} is in force; it touches {}", reply.id, touched.join(", ")),
        })
    }
}

impl Remove {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let known: Vec<AdvisoryReply> = cx.client().await?.get("/v1/advisories").await?;
        if !known.iter().any(|advisory| advisory.id == self.id) {
            let message = format!("no advisory `{}` is in force here", self.id);
            return Err(Problem::new(
                ProblemKind::NotFound,
                "advisory.unknown",
                message,
                "See `wasmill advisory list`.",
            ));
        }
        let reply = send(cx, self.id, self.reason, Says::Withdraw, &self.key).await?;
        cx.output.show(&reply, |reply| format!("Advisory {} is over", reply.id))
    }
}

impl Named {
    fn about(&self) -> Result<About, Problem> {
        let wrong = |message: String| Problem::invalid("advisory.about", message, "See `wasmill advisory add --help`.");
        if let Some(text) = &self.digest {
            let plain = text.strip_prefix("sha256:").unwrap_or(text);
            return plain.parse::<Digest>().map(About::Digest).map_err(|error| wrong(error.to_string()));
        }
        if let Some(text) = &self.package {
            let (name, versions) = parted(text).map_err(wrong)?;
            return Ok(About::Crate { name: name.to_owned(), versions });
        }
        if let Some(text) = &self.toolchain {
            let (name, versions) = parted(text).map_err(wrong)?;
            return Ok(About::Toolchain { program: name.parse().map_err(wrong)?, versions });
        }
        let (name, versions) = parted(self.component.as_deref().unwrap_or_default()).map_err(wrong)?;
        Ok(About::Component { name: name.to_owned(), versions })
    }
}

/// `NAME@VERSIONS`; without versions all of them.
fn parted(text: &str) -> Result<(&str, VersionReq), String> {
    let (name, versions) = text.split_once('@').unwrap_or((text, "*"));
    let versions = versions.parse().map_err(|error| format!("`{versions}` says no versions, like <1.2.3: {error}"))?;
    Ok((name, versions))
}

async fn send(cx: &Context, id: String, reason: String, says: Says, key: &str) -> Result<AdviseReply, Problem> {
    let key = secret_key(&cx.home()?, key)?;
    let client = cx.client().await?;
    let known: Vec<AdvisoryReply> = client.get("/v1/advisories").await?;
    let newest = known.iter().filter(|advisory| advisory.id == id).map(|advisory| advisory.serial).max();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Never behind the one in force, also where this machine's clock is.
    let serial = u64::try_from(now.as_millis()).unwrap_or(0).max(newest.unwrap_or(0).saturating_add(1));
    let envelope = Word { id, serial, reason, says }.sign(&key)?.to_json();
    client.post("/v1/advisories", &AdviseRequest { envelope }).await
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let advisories: Vec<AdvisoryReply> = cx.client().await?.get("/v1/advisories").await?;
    cx.output.show(&advisories, |advisories| {
        if advisories.is_empty() {
            return "No advisories are in force.".to_owned();
        }
        let rows = advisories.iter().map(|advisory| {
            let touched: Vec<&str> = advisory.touched.iter().map(|touched| touched.component.as_str()).collect();
            let touched = if touched.is_empty() { "-".to_owned() } else { touched.join("\n") };
            let does = if advisory.rebuild { "rebuild" } else { "block" };
            let about = advisory.about.to_string();
            [advisory.id.clone(), advisory.severity.to_string(), about, does.into(), touched, advisory.reason.clone()]
        });
        table(["ID", "SEVERITY", "ABOUT", "DOES", "TOUCHES", "REASON"], rows)
    })
}
