//! The command line: `wasmill <noun> <verb>`.
//!
//! One file per noun. A noun reads arguments, asks the host's router (see [`crate::gateway`]) or the files of the home,
//! and shows the answer to a person or a program. It must never do itself what a route does, so that a command behaves
//! the same whether a host runs or not.

mod advisory;
mod agent;
mod approval;
mod audit;
mod dlq;
mod doctor;
mod exit;
mod files;
mod forge;
mod generate;
mod host;
mod init;
mod key;
mod mcp;
mod model;
mod output;
mod permission;
mod plugin;
mod progress;
mod record;
mod run;
mod secret;
mod status;
mod steps;
mod token;
mod tool;
mod top;
mod topic;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::gateway::Client;
use crate::home::Home;
use crate::problem::{Problem, ProblemKind};
pub use exit::Exit;
pub use output::Format;
use output::Output;

/// Runs agents, and the tools they write, on Kafka topics, inside WebAssembly.
#[derive(Debug, Parser)]
#[command(
    name = "wasmill",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    noun: Noun,
}

/// Arguments of every command.
#[derive(Debug, Args)]
struct Global {
    /// The home directory: settings, keys, components, records
    #[arg(long, global = true, value_name = "DIR", env = "WASMILL_HOME", default_value = "./.wasmill")]
    home: PathBuf,
    /// For a person, or as JSON for a program
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Human)]
    output: Format,
}

/// The nouns. Each has its file, and one line here and in [`Noun::run`].
#[derive(Debug, Subcommand)]
enum Noun {
    /// Make a home directory, with keys
    Init(init::Init),
    /// Start the host
    Up(up::Up),
    /// Say what is missing on this machine
    Doctor(doctor::Doctor),
    /// Show what a host is doing
    Status(status::Status),
    /// Watch agents at work
    Top(top::Top),
    /// See which hosts run what
    #[command(subcommand)]
    Host(host::Host),
    /// Start agents once more, and see and stop those that were started
    #[command(subcommand)]
    Agent(agent::Agent),
    /// Make and list keys
    #[command(subcommand)]
    Key(key::Key),
    /// Make, list and take away the tokens of clients
    #[command(subcommand)]
    Token(token::Token),
    /// List, set and remove secrets
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Serve the tools to an MCP client, on standard input and output
    Mcp(mcp::Mcp),
    /// Make, sign, publish, verify, install, list and remove components
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// List and call tools
    #[command(subcommand)]
    Tool(tool::Tool),
    /// See what language models take
    #[command(subcommand)]
    Model(model::Model),
    /// Make tools from source
    #[command(subcommand)]
    Forge(forge::Forge),
    /// See who may do what, and why
    #[command(subcommand)]
    Permission(permission::Permission),
    /// Decide about components that ask for something privileged
    #[command(subcommand)]
    Approval(approval::Approval),
    /// Warn all hosts of what must not run any more
    #[command(subcommand)]
    Advisory(advisory::Advisory),
    /// See who tried what, and whether somebody tampered with that
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Create, list and change topics
    #[command(subcommand)]
    Topic(topic::Topic),
    /// Send records to a topic and read them
    #[command(subcommand)]
    Record(record::Record),
    /// See, steer and replay runs of agents in task mode
    #[command(subcommand)]
    Run(run::Run),
    /// See records that agents could not handle, and send them again
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Write completions for shells, manual pages, and the OpenAPI document
    #[command(subcommand)]
    Generate(generate::Generate),
}

impl Noun {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Doctor(command) => command.run(cx).await,
            Self::Init(command) => command.run(cx),
            Self::Up(command) => command.run(cx).await,
            Self::Status(command) => command.run(cx).await,
            Self::Top(command) => command.run(cx).await,
            Self::Host(command) => command.run(cx).await,
            Self::Agent(command) => command.run(cx).await,
            Self::Key(command) => command.run(cx),
            Self::Token(command) => command.run(cx),
            Self::Secret(command) => command.run(cx).await,
            Self::Mcp(command) => command.run(cx).await,
            Self::Tool(command) => command.run(cx).await,
            Self::Model(command) => command.run(cx).await,
            Self::Forge(command) => command.run(cx).await,
            Self::Plugin(command) => command.run(cx).await,
            Self::Permission(command) => command.run(cx).await,
            Self::Approval(command) => command.run(cx).await,
            Self::Advisory(command) => command.run(cx).await,
            Self::Audit(command) => command.run(cx).await,
            Self::Topic(command) => command.run(cx).await,
            Self::Record(command) => command.run(cx).await,
            Self::Run(command) => command.run(cx).await,
            Self::Dlq(command) => command.run(cx).await,
            Self::Generate(command) => command.run(cx),
        }
    }
}

/// What every command works with.
struct Context {
    /// Where the home is, or shall be.
    root: PathBuf,
    /// Where answers go.
    output: Output,
}

impl Context {
    /// The home.
    fn home(&self) -> Result<Home, Problem> {
        Ok(Home::open(&self.root)?)
    }

    /// A client of the home's router.
    async fn client(&self) -> Result<Client, Problem> {
        Client::open(self.home()?).await
    }
}

/// Reads the process's arguments, does what they say, and gives the exit code.
pub fn main() -> ExitCode {
    let Cli { global, noun } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return arguments_refused(&error),
    };
    let cx = Context { root: global.home, output: Output::new(global.output) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(noun.run(&cx)),
        Err(error) => Err(Problem::new(ProblemKind::Failed, "host.runtime", error.to_string(), "")),
    };
    match result {
        Ok(()) => Exit::Ok,
        Err(problem) => cx.output.problem(&problem),
    }
    .into()
}

/// Shows help, or what is wrong with the arguments: to a program as JSON, where it asked for that.
fn arguments_refused(error: &clap::Error) -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let wants_json =
        words.iter().any(|word| word == "--output=json") || words.windows(2).any(|pair| pair == ["--output", "json"]);
    if !error.use_stderr() || !wants_json {
        error.exit();
    }
    let text = error.to_string();
    let message = text.strip_prefix("error: ").unwrap_or(&text).trim();
    let problem = Problem::new(ProblemKind::Invalid, "arguments.invalid", message, "See `wasmill --help`.");
    Output::new(Format::Json).problem(&problem).into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// Rows of a table in docs/cli.md.
    #[track_caller]
    fn expect_in_manual(rows: &[String]) {
        let manual = include_str!("../../../docs/cli.md");
        let missing: Vec<&String> = rows.iter().filter(|row| !manual.lines().any(|line| line == *row)).collect();
        assert!(missing.is_empty(), "docs/cli.md needs these rows, as the code has them:\n{missing:#?}");
    }

    #[test]
    fn the_manual_has_every_noun_with_its_verbs_and_no_other() {
        let cli = super::Cli::command();
        let nouns = || cli.get_subcommands().filter(|noun| noun.get_name() != "help");
        let row = |noun: &clap::Command| {
            let verbs: Vec<&str> = noun.get_subcommands().map(clap::Command::get_name).collect();
            let about = noun.get_about().map(ToString::to_string).unwrap_or_default();
            format!("| `{}` | {} | {about} |", noun.get_name(), verbs.join(", "))
        };
        expect_in_manual(&nouns().map(row).collect::<Vec<_>>());
        let manual = include_str!("../../../docs/cli.md").lines().filter(|line| line.starts_with("| `"));
        let named: Vec<&str> = manual.filter_map(|line| line.split('`').nth(1)).collect();
        assert_eq!(named, nouns().map(clap::Command::get_name).collect::<Vec<_>>());
    }

    #[test]
    fn the_manual_has_every_exit_code_as_help_says_it() {
        let codes = super::exit::HELP.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  "));
        let codes = codes.filter(|(code, _)| code.parse::<u8>().is_ok());
        expect_in_manual(&codes.map(|(code, meaning)| format!("| {code} | {meaning} |")).collect::<Vec<_>>());
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_shows_an_example() {
        fn check(command: &clap::Command) {
            let nouns: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
            if nouns.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("wasmill "), "{} has no example", command.get_name());
            }
            nouns.into_iter().for_each(check);
        }
        check(&super::Cli::command());
    }
}
