//! `wasmill secret`

use std::io::Read;

use clap::{Args, Subcommand};

use super::Context;
use super::output::table;
use crate::gateway::SecretRequest;
use crate::problem::Problem;
use crate::vault::{Origin, SecretState};

/// Most bytes that are read as a value: more than any may have.
const INPUT_BYTES_MAX: u64 = 64 * 1024;

/// Verbs of `secret`.
#[derive(Debug, Subcommand)]
pub(super) enum Secret {
    /// List the names of secrets, and where they are from; never a value
    #[command(after_help = "Examples:
  wasmill secret list")]
    List,
    /// Set a secret to what standard input says; it counts at once, on every host that has the key
    #[command(after_help = "The value is encrypted with secrets.key of the home before it goes into the database.

Examples:
  wasmill secret set MODEL_KEY < key.txt
  pass show model | wasmill secret set MODEL_KEY")]
    Set(One),
    /// Remove a secret that was set here or in the console
    #[command(after_help = "Examples:
  wasmill secret remove MODEL_KEY")]
    Remove(One),
}

/// One secret.
#[derive(Debug, Args)]
pub(super) struct One {
    /// Its name, as `[model] api_key_secret` and `${secret:NAME}` say it
    name: String,
}

impl Secret {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::List => list(cx).await,
            Self::Set(one) => set(cx, one.name).await,
            Self::Remove(one) => remove(cx, &one.checked()?).await,
        }
    }
}

impl One {
    /// The name, which becomes a part of a path.
    fn checked(self) -> Result<String, Problem> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.bytes().all(fits) {
            let message = "a secret's name has a-z, A-Z, 0-9, `_`, `-` and `.`";
            return Err(Problem::invalid("secret.name", message, "See `wasmill secret list`."));
        }
        Ok(self.name)
    }
}

async fn list(cx: &Context) -> Result<(), Problem> {
    let secrets: Vec<SecretState> = cx.client().await?.get("/v1/secrets").await?;
    cx.output.show(&secrets, |secrets| {
        if secrets.is_empty() {
            return "No secrets: `wasmill secret set NAME`.".to_owned();
        }
        table(["SECRET", "FROM", "SET BY", "USABLE"], secrets.iter().map(row))
    })
}

fn row(secret: &SecretState) -> [String; 4] {
    let (from, by, usable) = match &secret.origin {
        Origin::File => ("secrets.toml", "-", true),
        Origin::Entered { changed_by, is_usable, .. } => ("database", changed_by.as_str(), *is_usable),
    };
    let usable = if usable { "yes" } else { "no: another key" };
    [secret.name.clone(), from.into(), by.into(), usable.into()]
}

async fn set(cx: &Context, name: String) -> Result<(), Problem> {
    let mut value = String::new();
    let read = std::io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut value);
    read.map_err(|error| {
        Problem::invalid(
            "secret.value",
            format!("standard input can't be read: {}", error.kind()),
            "Send one line of text.",
        )
    })?;
    let set: SecretState = cx.client().await?.post("/v1/secrets", &SecretRequest { name, value }).await?;
    cx.output.show(&set, |set| format!("Secret {} is set", set.name))
}

async fn remove(cx: &Context, name: &str) -> Result<(), Problem> {
    let removed: String = cx.client().await?.delete(&format!("/v1/secrets/{name}")).await?;
    cx.output.show(&removed, |removed| format!("Secret {removed} is removed"))
}
