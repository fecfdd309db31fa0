//! `wasmill plugin import`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use reqwest::Url;
use serde::Serialize;
use wasmill_registry::{
    AGENTRY_INDEX_SIZE_MAX, AgentryError, AgentryIndex, AgentryKey, AgentryPlugin, Digest, Standing,
};

use super::super::Context;
use super::super::output::{printable, table};
use super::super::progress::Progress;
use crate::home::read_bounded;
use crate::problem::Problem;
use crate::registries::{Http, RegistryError};

/// Largest archive, in bytes.
const ARCHIVE_SIZE_MAX: usize = 64 * 1024 * 1024;

/// Whose index.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Read a plugin index of Agentry, verify its signatures, and get the archives that are signed
    #[command(after_help = "Agentry's plugins are archives, not components: nothing is installed.

Examples:
  wasmill plugin import agentry https://example.com/index.json --key 03a107bff3ce…
  wasmill plugin import agentry index.json --key 03a107bff3ce… --download archives")]
    Agentry(Agentry),
}

/// Reads a plugin index of Agentry.
#[derive(Debug, Args)]
pub(crate) struct Agentry {
    /// A file, or an https address
    index: String,
    /// The public key that its entries are signed with, 64 hexadecimal digits; without it nothing counts as signed
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// Also get the archives of signed entries into this folder, each as SHA256.zip
    #[arg(long, value_name = "DIR", requires = "key")]
    download: Option<PathBuf>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    /// signed, unsigned, wrong, or unchecked where there was no key.
    signature: &'static str,
    url: String,
    sha256: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
}

impl Import {
    pub async fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::Agentry(command) => command.run(cx).await,
        }
    }
}

impl Agentry {
    async fn run(self, cx: &Context) -> Result<(), Problem> {
        let wrong = |error: AgentryError| {
            Problem::invalid(
                error.code(),
                error,
                "See whether it is Agentry's file: {\"plugins\": [{name, url, sha256, sig}]}.",
            )
        };
        let key: Option<AgentryKey> = self.key.as_deref().map(str::parse).transpose().map_err(wrong)?;
        let progress = Progress::start(cx.output, "Reading the index");
        let index = AgentryIndex::parse(&self.read().await?).map_err(wrong)?;
        let mut rows = Vec::new();
        for plugin in index.plugins {
            let standing = key.as_ref().map(|key| plugin.standing(key));
            let archive = match (&self.download, standing) {
                (Some(folder), Some(Standing::Signed)) => {
                    progress.say(format!("Getting {}", plugin.sha256));
                    Some(download(&plugin, folder).await?.display().to_string())
                }
                _ => None,
            };
            let signature = match standing {
                None => "unchecked",
                Some(Standing::Signed) => "signed",
                Some(Standing::Unsigned) => "unsigned",
                Some(Standing::Wrong) => "wrong",
            };
            rows.push(Row { name: plugin.name, signature, url: plugin.url, sha256: plugin.sha256, archive });
        }
        drop(progress);
        cx.output.show(&rows, |rows| {
            let lines = rows.iter().map(|row| {
                let archive = row.archive.clone().unwrap_or_else(|| "-".into());
                [printable(&row.name), row.signature.to_owned(), printable(&row.url), archive]
            });
            format!(
                "{}\n\nNothing is installed: Agentry's plugins are archives of commands, and Wasmill runs components. What one \
                 does can be written as a tool: `wasmill plugin new NAME --kind tool`.",
                table(["PLUGIN", "SIGNATURE", "ADDRESS", "ARCHIVE"], lines)
            )
        })
    }

    async fn read(&self) -> Result<Vec<u8>, Problem> {
        if self.index.contains("://") {
            return Ok(get(&self.index, AGENTRY_INDEX_SIZE_MAX).await?);
        }
        let path = Path::new(&self.index);
        read_bounded(path, AGENTRY_INDEX_SIZE_MAX).map_err(Problem::from)
    }
}

/// Gets an archive, and keeps it if it has the digest that is signed.
async fn download(plugin: &AgentryPlugin, folder: &Path) -> Result<PathBuf, Problem> {
    let bytes = get(&plugin.url, ARCHIVE_SIZE_MAX).await?;
    let found = Digest::of(&bytes);
    if found != plugin.sha256 {
        return Err(RegistryError::Changed { place: plugin.url.clone(), expected: plugin.sha256, found }.into());
    }
    // By its digest: a name of an index is no name of a file.
    let path = folder.join(format!("{found}.zip"));
    std::fs::create_dir_all(folder).map_err(|error| Problem::io(folder, &error))?;
    std::fs::write(&path, bytes).map_err(|error| Problem::io(&path, &error))?;
    Ok(path)
}

async fn get(address: &str, limit: usize) -> Result<Vec<u8>, RegistryError> {
    let url = Url::parse(address)
        .map_err(|error| RegistryError::Location { text: address.to_owned(), reason: error.to_string() })?;
    Http::new(&url, false)?.file(url, limit).await
}
