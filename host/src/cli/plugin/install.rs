//! `wasmill plugin install`

use clap::Args;

use super::super::Context;
use super::super::files::ComponentFiles;
use super::super::progress::Progress;
use super::sign::sign_files;
use crate::gateway::{InstallReply, InstallRequest};
use crate::problem::Problem;

/// Installs a signed component.
#[derive(Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    files: ComponentFiles,
    /// The key that signs a project's component: a name in keys/, or a file
    #[arg(long, default_value = "publisher")]
    key: String,
}

impl Install {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, format!("Installing {}", self.files.component.display()));
        let files = self.files.resolved()?;
        // A folder is somebody's own work in progress: what was built last is what shall run. A file is signed already,
        // by whoever made it, and is taken as it is.
        if self.files.component.is_dir() {
            sign_files(&cx.home()?, &files, &self.key)?;
        }
        let request = InstallRequest {
            component: files.read_component()?,
            manifest: files.read_manifest()?,
            envelope: files.read_signature()?,
        };
        let reply: InstallReply = cx.client().await?.post("/v1/plugins", &request).await?;
        drop(progress);
        cx.output.show(&reply, |reply| {
            let name = format!("{}@{}", reply.plugin.name, reply.plugin.version);
            if reply.new { format!("Installed {name}") } else { format!("{name} was installed already") }
        })
    }
}
