//! `wasmill permission share`

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use wasmill_registry::Policy;

use crate::cli::Context;
use crate::cli::files::secret_key;
use crate::gateway::{ShareReply, ShareRequest};
use crate::problem::Problem;

/// Shares.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// The admin's key: a name in keys/, or a file. It stays in this process
    #[arg(long, default_value = "admin")]
    key: String,
}

impl Share {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let home = cx.home()?;
        let key = secret_key(&home, &self.key)?;
        let (permissions, trust) = home.policy_files()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Never behind the one in force, also where this machine's clock is.
        let serial = u64::try_from(now.as_millis()).unwrap_or(0).max(home.policy_serial()?.saturating_add(1));
        let envelope = Policy { serial, permissions, trust }.sign(&key)?.to_json();
        let reply: ShareReply = cx.client().await?.post("/v1/permissions/share", &ShareRequest { envelope }).await?;
        cx.output.show(&reply, |reply| {
            format!("Policy {} (serial {}) goes to every host of this database", reply.policy, reply.serial)
        })
    }
}
