//! `wasmill init`

use clap::Args;
use serde::Serialize;
use wasmill_registry::Role;

use super::Context;
use super::key::{NewKey, make_key};
use super::progress::Progress;
use crate::home::{Home, KEY_NAMES};
use crate::problem::Problem;

/// Makes a home directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  wasmill init                          in ./.wasmill
  wasmill --home /srv/wasmill init --no-keys")]
pub(super) struct Init {
    /// Make no keys: you bring your own, with `key new` or an entry in trust.toml
    #[arg(long)]
    no_keys: bool,
}

#[derive(Serialize)]
struct Made {
    home: String,
    keys: Vec<NewKey>,
}

impl Init {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, "Making a home");
        let home = Home::create(&cx.root)?;
        let keys = if self.no_keys { Vec::new() } else { make_keys(&home)? };
        drop(progress);
        let made = Made { home: home.root().display().to_string(), keys };
        cx.output.show(&made, |made| {
            let mut text = format!("Made a home at {}", made.home);
            for key in &made.keys {
                text.push_str(&format!("\n  key {:<10} {}  {}", key.name, key.id, key.file));
            }
            if !made.keys.is_empty() {
                text.push_str(
                    "\nWhoever has admin.key can approve anything: keep it elsewhere when this is more than a trial.",
                );
            }
            text + "\nNext: `wasmill topic create words`, `wasmill plugin new counter --kind agent`, `wasmill up`"
        })
    }
}

/// One key for each role, with the role's name.
fn make_keys(home: &Home) -> Result<Vec<NewKey>, Problem> {
    let roles = [Role::Publisher, Role::Forge, Role::Admin];
    KEY_NAMES.iter().zip(roles).map(|(name, role)| make_key(home, name, &[role], None)).collect()
}
