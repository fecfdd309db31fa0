//! `wasmill record`

mod send;
mod tail;

use clap::Subcommand;

use super::Context;
use crate::problem::Problem;

/// Verbs of `record`.
#[derive(Debug, Subcommand)]
pub(super) enum Record {
    /// Send a value, or each line of standard input, as a record
    #[command(after_help = "Examples:
  wasmill record send words hello
  wasmill record send logs.raw --key dpkg < /var/log/dpkg.log
  printf 'a=1\\nb=2\\n' | wasmill record send settings --key-separator =
  wasmill record send words hello --header source=me")]
    Send(send::Send),
    /// Read records: those that are there, and then new ones as they come
    #[command(after_help = "Examples:
  wasmill record tail counts
  wasmill record tail counts --from end
  wasmill record tail counts --from 1000 --partition 0 --count 10
  wasmill record tail counts --no-follow --output json | jq .value")]
    Tail(tail::Tail),
}

impl Record {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Send(command) => command.run(cx).await,
            Self::Tail(command) => command.run(cx).await,
        }
    }
}
