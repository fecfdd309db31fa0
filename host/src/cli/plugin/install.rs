//! `wasmill plugin install`

use clap::Args;
use time::OffsetDateTime;
use wasmill_registry::{Bundle, Reference};

use super::super::Context;
use super::super::files::ComponentFiles;
use super::super::progress::Progress;
use super::remote::{access, digest_of, fetch, find, request};
use super::sign::sign_files;
use crate::gateway::{InstallReply, InstallRequest};
use crate::home::Home;
use crate::problem::Problem;
use crate::registries::Location;

/// Installs a signed component.
#[derive(Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    files: ComponentFiles,
    /// The key that signs a project's component: a name in keys/, or a file
    #[arg(long, default_value = "publisher")]
    key: String,
    /// Install it although a newer version was installed here once
    #[arg(long)]
    allow_downgrade: bool,
    /// Install exactly this, although wasmill.lock has the version with another digest
    #[arg(long, value_name = "SHA256")]
    accept_digest: Option<String>,
    /// Ask another machine without encryption
    #[arg(long)]
    plain_http: bool,
}

impl Install {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        let progress = Progress::start(cx.output, format!("Installing {}", self.files.component.display()));
        let home = cx.home()?;
        let request = match self.place(&home).await? {
            Some(location) => {
                let fetched = fetch(&home, &access(&home, self.plain_http)?, &location).await?;
                InstallRequest { origin: Some(fetched.origin.to_string()), ..request(&fetched.verified) }
            }
            None => self.files(&home)?,
        };
        let accept_digest = self.accept_digest.or(request.accept_digest);
        let request = InstallRequest { allow_downgrade: self.allow_downgrade, accept_digest, ..request };
        let reply: InstallReply = cx.client().await?.post("/v1/plugins", &request).await?;
        drop(progress);
        cx.output.show(&reply, |reply| {
            let name = format!("{}@{}", reply.plugin.name, reply.plugin.version);
            if reply.new { format!("Installed {name}") } else { format!("{name} was installed already") }
        })
    }

    /// Where the component is, where that is no file: an address, or a name that the registries know.
    async fn place(&self, home: &Home) -> Result<Option<Location>, Problem> {
        let component = &self.files.component;
        let Some(text) = component.to_str() else { return Ok(None) };
        if Location::looks_like(text) {
            return Ok(Some(text.parse()?));
        }
        if component.exists() || text.ends_with(".wasm") {
            return Ok(None);
        }
        match text.parse::<Reference>() {
            Ok(reference) => find(&access(home, self.plain_http)?, &reference).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    fn files(&self, home: &Home) -> Result<InstallRequest, Problem> {
        let files = self.files.resolved()?;
        let is_project = self.files.component.is_dir();
        // A folder is somebody's own work in progress: what was built last is what shall run. A file is signed already,
        // by whoever made it, and is taken as it is.
        if is_project {
            sign_files(home, &files, &self.key)?;
        }
        let (component, manifest, envelope) =
            (files.read_component()?, files.read_manifest()?, files.read_signature()?);
        let bundle = Bundle { component, manifest, envelope, source: None };
        let verified = bundle.verify(&home.trust()?, OffsetDateTime::now_utc())?;
        // Nor does an author's own work have to raise its version for each attempt.
        let accept_digest = is_project.then(|| digest_of(&verified)).transpose()?.map(|digest| digest.to_oci());
        Ok(InstallRequest { accept_digest, ..request(&verified) })
    }
}
