//! `wasmill forge`

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use console::style;
use serde_json::Value;

use super::Context;
use super::output::table;
use super::progress::Progress;
use crate::forge::{Example, Findings, Language, Outcome, Product, Refusal, Request, prepare};
use crate::home::read_bounded;
use crate::problem::{Problem, ProblemKind};
use crate::store::BuildRow;

/// Largest file of examples, bytes.
const EXAMPLES_SIZE_MAX: usize = 1024 * 1024;
/// Largest source, bytes.
const SOURCE_SIZE_MAX: usize = 256 * 1024;

/// Verbs of `forge`.
#[derive(Debug, Subcommand)]
pub(super) enum Forge {
    /// Compile what every build needs, once for each compiler
    #[command(after_help = "Examples:
  wasmill forge prepare")]
    Prepare,
    /// Make a tool from a source: Rust, or JavaScript where the file ends in .js or .mjs
    #[command(after_help = "The maker is the client `cli`; the tool's full name is `cli.NAME`.

Examples:
  wasmill forge build adder.rs
  wasmill forge build adder.js
  wasmill forge build adder.rs --name adder --description 'Adds' --examples adder.json --dependency serde_json
  wasmill forge build fetch.rs --permissions 'http = [{ host = \"api.example.com\", methods = [\"GET\"] }]'")]
    Build(Build),
    /// List what the forge was asked, newest first
    #[command(after_help = "Examples:
  wasmill forge list
  wasmill forge list --name logsmith.parse-dpkg --output json")]
    List(List),
    /// Show one build: stages, source, what the compiler said
    #[command(after_help = "Examples:
  wasmill forge show 0193a5c0b1f2e4d3a1b2c3d4e5f6
  wasmill forge show 0193a5c0b1f2e4d3a1b2c3d4e5f6 --source")]
    Show(Show),
}

/// Makes a tool.
#[derive(Debug, Args)]
pub(super) struct Build {
    /// The source: one Rust file against the SDK, or one JavaScript module
    source: PathBuf,
    /// Name of the tool, without `cli.`; the file's own where it isn't given
    #[arg(long)]
    name: Option<String>,
    /// One sentence on what it is for
    #[arg(long, default_value = "")]
    description: String,
    /// File with examples: a JSON array of {"function", "arguments", "expected"}
    #[arg(long, value_name = "FILE")]
    examples: Option<PathBuf>,
    /// A crate that the source uses, out of the allowed ones; may be repeated
    #[arg(long = "dependency", value_name = "CRATE")]
    dependencies: Vec<String>,
    /// Wanted permissions, in the words of a row of the matrix
    #[arg(long, default_value = "", value_name = "TOML")]
    permissions: String,
}

/// Lists builds.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this maker, such as agent:logsmith
    #[arg(long)]
    maker: Option<String>,
    /// Only those of this tool, by its full name
    #[arg(long)]
    name: Option<String>,
    /// Most of them
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

/// Shows a build.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Id, as `wasmill forge list` shows it
    id: String,
    /// The source alone
    #[arg(long)]
    source: bool,
}

impl Forge {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Prepare => run_prepare(cx).await,
            Self::Build(command) => command.run(cx).await,
            Self::List(command) => command.run(cx).await,
            Self::Show(command) => command.run(cx).await,
        }
    }
}

async fn run_prepare(cx: &Context) -> Result<(), Problem> {
    let config = cx.home()?.config()?;
    let progress = Progress::start(cx.output, "Preparing the forge");
    let prepared = prepare(&config.forge, &|step| progress.say(step)).await;
    drop(progress);
    prepared.map_err(|error| error.problem())?;
    cx.output.show(&serde_json::json!({ "forge": "ready" }), |_| "The forge is ready.".to_owned())
}

impl Build {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let name = match self.name {
            Some(name) => name,
            None => self.source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
        };
        let request = Request {
            name,
            description: self.description,
            language: language_of(&self.source),
            source: text(&self.source, SOURCE_SIZE_MAX)?,
            dependencies: self.dependencies,
            examples: self.examples.map(|path| examples(&path)).transpose()?.unwrap_or_default(),
            permissions: self.permissions,
        };
        let progress = Progress::start(cx.output, format!("Building {}", request.name));
        let outcome: Outcome = cx.client().await?.post("/v1/builds", &request).await?;
        drop(progress);
        cx.output.show(&outcome, human)?;
        match outcome {
            Outcome::Refused(refusal) => Err(refusal.reason),
            Outcome::Callable(_) | Outcome::Waiting(_) => Ok(()),
        }
    }
}

/// By the end of the file's name; what has another end is taken for Rust, and the compiler says the rest.
fn language_of(source: &Path) -> Language {
    match source.extension().and_then(|end| end.to_str()) {
        Some("js" | "mjs") => Language::JavaScript,
        _ => Language::Rust,
    }
}

fn text(path: &Path, size_max: usize) -> Result<String, Problem> {
    let bytes = read_bounded(path, size_max)?;
    String::from_utf8(bytes).map_err(|_| {
        let message = format!("`{}` is not UTF-8", path.display());
        Problem::new(ProblemKind::Invalid, "forge.source", message, "Save it as UTF-8.")
    })
}

fn examples(path: &Path) -> Result<Vec<Example>, Problem> {
    #[derive(serde::Deserialize)]
    struct Written {
        function: String,
        arguments: Value,
        expected: Option<Value>,
    }
    let written: Vec<Written> = serde_json::from_str(&text(path, EXAMPLES_SIZE_MAX)?).map_err(|error| {
        let next = "Write [{\"function\": \"f\", \"arguments\": {}, \"expected\": 1}, …].";
        Problem::invalid("forge.examples", format!("`{}`: {error}", path.display()), next)
    })?;
    Ok(written
        .into_iter()
        .map(|w| Example {
            function: w.function,
            arguments: w.arguments.to_string(),
            expected: w.expected.map(|value| value.to_string()),
        })
        .collect())
}

fn human(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Callable(product) => format!("{} {}", style("callable:").green().bold(), made(product)),
        Outcome::Waiting(product) => format!(
            "{} {}\n  see `wasmill approval show {}`",
            style("waits for an admin:").yellow().bold(),
            made(product),
            product.tool
        ),
        Outcome::Refused(Refusal { stage, diagnostics, .. }) => {
            let mut text = format!("{} in stage {stage}", style("refused").red().bold());
            for diagnostic in diagnostics {
                text.push_str(&format!("\n{}", diagnostic.rendered.trim_end()));
            }
            text
        }
    }
}

fn made(product: &Product) -> String {
    let stages: Vec<String> = product.timings.iter().map(|t| format!("{} {}", t.stage, duration(t.micros))).collect();
    let how = if stages.is_empty() { "it was there already".to_owned() } else { stages.join(", ") };
    format!("{}@{}  {}\n  {how}", product.tool, product.version, product.digest)
}

fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

impl List {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let filters = [("maker", self.maker), ("name", self.name)];
        let mut query: Vec<(&str, String)> = filters.into_iter().filter_map(|(k, v)| Some((k, v?))).collect();
        query.push(("limit", self.limit.to_string()));
        let path = path_with("/v1/builds", &query)?;
        let builds: Vec<BuildRow> = cx.client().await?.get(&path).await?;
        cx.output.show(&builds, |builds| {
            if builds.is_empty() {
                return "Nothing was built yet.".to_owned();
            }
            let rows = builds.iter().map(|b| {
                let total = stages(&b.timings).map(|(_, micros)| micros).sum();
                let version = b.version.clone().unwrap_or_else(|| "-".into());
                let outcome = format!("{:?}", b.outcome).to_lowercase();
                [b.id.clone(), ago(b.started_ms), b.name.clone(), version, outcome, duration(total), b.maker.clone()]
            });
            table(["BUILD", "AGO", "TOOL", "VERSION", "OUTCOME", "TOOK", "MAKER"], rows)
        })
    }
}

impl Show {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let build: BuildRow = cx.client().await?.get(&format!("/v1/builds/{}", self.id)).await?;
        if self.source {
            return cx.output.show(&build.source, Clone::clone);
        }
        cx.output.show(&build, |b| {
            let mut text = format!("{} for {}, {:?} in stage {}", style(&b.name).bold(), b.maker, b.outcome, b.stage);
            for (stage, micros) in stages(&b.timings) {
                text.push_str(&format!("\n  {stage:<9} {}", duration(micros)));
            }
            for line in b.examined.as_ref().and_then(Findings::read).iter().flat_map(Findings::lines) {
                text.push_str(&format!("\n  {line}"));
            }
            if !b.reason.is_empty() {
                text.push_str(&format!("\n  {}", b.reason));
            }
            let said = b.diagnostics.as_array().into_iter().flatten().filter_map(|d| d["rendered"].as_str());
            for rendered in said {
                text.push_str(&format!("\n{}", rendered.trim_end()));
            }
            text.push_str(&format!("\n  {} lines of source: add --source to see it", b.source.lines().count()));
            text
        })
    }
}

/// A path with query parameters, escaped.
pub(super) fn path_with(path: &str, query: &[(&str, String)]) -> Result<String, Problem> {
    let url = reqwest::Url::parse_with_params(&format!("http://wasmill{path}"), query);
    let url = url.map_err(|error| Problem::invalid("request.path", error, ""))?;
    Ok(format!("{path}?{}", url.query().unwrap_or_default()))
}

fn stages(timings: &Value) -> impl Iterator<Item = (&str, u64)> {
    let all = timings.as_array().into_iter().flatten();
    all.filter_map(|t| Some((t["stage"].as_str()?, t["micros"].as_u64()?)))
}

fn ago(at_ms: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let seconds = (i64::try_from(now).unwrap_or(i64::MAX) - at_ms).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
