//! `wasmill token`
//!
//! Tokens are a file of the home and never go through a host; a running one follows the file.

use clap::{Args, Subcommand};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Context;
use super::key::moment;
use super::output::table;
use crate::problem::{Problem, ProblemKind};

/// Verbs of `token`.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token for a client; it is shown once
    #[command(after_help = "The client is `client:NAME` of permissions.toml: without a row it may do nothing.

Examples:
  wasmill token new desk
  wasmill token new visitor --expires 2030-01-31T12:00:00Z --output json")]
    New(New),
    /// List which clients have tokens
    #[command(after_help = "Examples:
  wasmill token list")]
    List,
    /// Take away all tokens of a client, or one by the beginning of its digest
    #[command(after_help = "Examples:
  wasmill token remove desk
  wasmill token remove 5f70bf18a086")]
    Remove(Remove),
}

/// Makes a token.
#[derive(Debug, Args)]
pub(super) struct New {
    /// Name of the client: `a-z`, `0-9` and `-`
    client: String,
    /// From this moment on it opens nothing, like 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<OffsetDateTime>,
}

/// Takes tokens away.
#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Name of the client, or at least 8 digits of a token's digest
    which: String,
}

impl Token {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::New(command) => command.run(cx),
            Self::List => list(cx),
            Self::Remove(command) => command.run(cx),
        }
    }
}

impl New {
    fn run(self, cx: &Context) -> Result<(), Problem> {
        let home = cx.home()?;
        let mut tokens = home.tokens()?;
        let made = tokens.add(&self.client, OffsetDateTime::now_utc(), self.expires)?;
        home.set_tokens(&tokens)?;
        cx.output.show(&made, |made| {
            format!(
                "{}\n  It is shown this once. Send it as `Authorization: Bearer …`; it acts as client:{} of permissions.toml.",
                made.token, made.client
            )
        })
    }
}

fn list(cx: &Context) -> Result<(), Problem> {
    let tokens: Vec<_> = cx.home()?.tokens()?.iter().cloned().collect();
    cx.output.show(&tokens, |tokens| {
        if tokens.is_empty() {
            return "No client has a token: `wasmill token new NAME`.".to_owned();
        }
        let text = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        let rows = tokens.iter().map(|token| {
            let expires = token.expires.map_or_else(|| "-".to_owned(), text);
            [token.client.clone(), token.sha256.chars().take(12).collect(), text(token.created), expires]
        });
        table(["CLIENT", "SHA-256", "MADE", "EXPIRES"], rows)
    })
}

impl Remove {
    fn run(self, cx: &Context) -> Result<(), Problem> {
        let home = cx.home()?;
        let mut tokens = home.tokens()?;
        let removed = tokens.remove(&self.which);
        if removed == 0 {
            let message = format!("no token is `{}`'s, and no digest begins so", self.which);
            return Err(Problem::new(ProblemKind::NotFound, "token.unknown", message, "See `wasmill token list`."));
        }
        home.set_tokens(&tokens)?;
        cx.output.show(&removed, |removed| format!("Tokens taken away: {removed}"))
    }
}
