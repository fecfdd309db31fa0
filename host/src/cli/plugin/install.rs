//! `wasmill plugin install`

use clap::Args;

use super::super::Context;
use super::super::files::ComponentFiles;
use super::super::progress::Progress;
use crate::gateway::{InstallReply, InstallRequest};
use crate::problem::Problem;

/// Installs a signed component.
#[derive(Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    files: ComponentFiles,
}

impl Install {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, format!("Installing {}", self.files.component.display()));
        let request = InstallRequest {
            component: self.files.read_component()?,
            manifest: self.files.read_manifest()?,
            envelope: self.files.read_signature()?,
        };
        let reply: InstallReply = cx.client().await?.post("/v1/plugins", &request).await?;
        drop(progress);
        cx.output.show(&reply, |reply| {
            let name = format!("{}@{}", reply.plugin.name, reply.plugin.version);
            if reply.new { format!("Installed {name}") } else { format!("{name} was installed already") }
        })
    }
}
