//! `wasmill permission export`

use clap::Args;

use super::super::Context;
use super::super::progress::Progress;
use crate::gateway::ExportReply;
use crate::problem::Problem;

/// Exports.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// As rules of Kafka's authorizer
    #[arg(long, required = true)]
    kafka: bool,
    /// Also what clients may do, so that the command line reaches more topics than the agents do
    #[arg(long)]
    clients: bool,
    /// The host's Kafka user, like User:mill [default: as host.toml says]
    #[arg(long)]
    principal: Option<String>,
}

impl Export {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let mut path = format!("/v1/permissions/kafka?clients={}", self.clients);
        if let Some(principal) = &self.principal {
            path.push_str("&principal=");
            path.push_str(&encoded(principal));
        }
        let progress = Progress::start(cx.output, "Compiling permissions");
        let reply: ExportReply = cx.client().await?.get(&path).await?;
        drop(progress);
        cx.output.show(&reply, human)
    }
}

/// Notes as a shell's comments, so that the whole can be run.
fn human(reply: &ExportReply) -> String {
    let head = format!("# Rules for {}, which all agents of the host share", reply.export.principal);
    let notes = reply.export.notes.iter().map(|note| format!("# permissions.toml, line {}: {}", note.line, note.text));
    let lines: Vec<String> = std::iter::once(head).chain(notes).chain(reply.commands.iter().cloned()).collect();
    lines.join("\n")
}

/// A value of a query.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
