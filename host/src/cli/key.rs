//! `wasmill key`
//!
//! Keys are files of the home and never go through a host.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use wasmill_registry::{Role, SecretKey, TrustRoots, check_component_name, trust_entry};

use super::Context;
use super::output::table;
use crate::home::{Home, add_to_file};
use crate::problem::Problem;

/// Verbs of `key`.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key and trust it on this home
    #[command(after_help = "Examples:
  wasmill key new alice --role publisher
  wasmill key new boss --role admin --expires 2030-01-31T12:00:00Z
  wasmill key new spare --role publisher --no-trust")]
    New(New),
    /// List the keys that this home trusts or holds
    #[command(after_help = "Examples:
  wasmill key list
  wasmill key list --output json")]
    List,
}

/// Makes a key.
#[derive(Debug, Args)]
pub(super) struct New {
    /// Name: `a-z`, `0-9` and `-`
    name: String,
    /// What its signatures may vouch for; may be given several times
    #[arg(long = "role", value_enum, required = true)]
    roles: Vec<RoleName>,
    /// From this moment on its signatures don't count, like 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<OffsetDateTime>,
    /// Make the key only; don't add it to trust.toml
    #[arg(long)]
    no_trust: bool,
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Signs components
    Publisher,
    /// Signs what a forge makes
    Forge,
    /// Signs approvals
    Admin,
}

pub(super) fn moment(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| format!("not a date-time like 2030-01-31T12:00:00Z: {error}"))
}

/// A key that was just made.
#[derive(Debug, Serialize)]
pub(super) struct NewKey {
    pub name: String,
    pub id: String,
    public: String,
    pub file: String,
    trusted_as: Vec<Role>,
}

#[derive(Serialize)]
struct ListedKey {
    id: String,
    name: String,
    roles: Vec<Role>,
    #[serde(with = "time::serde::rfc3339::option")]
    expires: Option<OffsetDateTime>,
    revoked: bool,
    /// The file of its secret half, where this home has it.
    file: Option<String>,
    public: String,
}

impl Key {
    pub fn run(self, cx: &Context) -> Result<(), Problem> {
        match self {
            Self::New(command) => command.run(cx),
            Self::List => list(cx),
        }
    }
}

impl New {
    fn run(self, cx: &Context) -> Result<(), Problem> {
        let roles: Vec<Role> = self.roles.iter().map(|role| (*role).into()).collect();
        let trusted = if self.no_trust { &[] } else { roles.as_slice() };
        let key = make_key(&cx.home()?, &self.name, trusted, self.expires)?;
        cx.output.show(&key, |key| {
            let trust =
                if key.trusted_as.is_empty() { "trusted for nothing here" } else { "trusted here, see trust.toml" };
            format!("Made key {} ({trust})\n  secret: {}\n  public: {}", key.id, key.file, key.public)
        })
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Publisher => Self::Publisher,
            RoleName::Forge => Self::Forge,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Makes a key file, and trusts the key in `roles`.
pub(super) fn make_key(
    home: &Home,
    name: &str,
    roles: &[Role],
    expires: Option<OffsetDateTime>,
) -> Result<NewKey, Problem> {
    check_component_name(name)?;
    // A file that can't be read now must not get a line more, nor leave a key behind that nobody knows.
    home.trust()?;
    let key = SecretKey::generate()?;
    let file = home.key_file(name);
    key.write_new(&file)?;
    if !roles.is_empty() {
        let mut roles = roles.to_vec();
        roles.dedup();
        add_to_file(&home.trust_file(), &format!("\n{}", trust_entry(name, &key.public(), &roles, expires)))?;
    }
    Ok(NewKey {
        name: name.to_owned(),
        id: key.public().id().to_string(),
        public: key.public().to_string(),
        file: file.display().to_string(),
        trusted_as: roles.to_vec(),
    })
}

fn list(cx: &Context) -> Result<(), Problem> {
    let home = cx.home()?;
    let trust: TrustRoots = home.trust()?;
    let held = held_keys(&home)?;
    let file_of =
        |id: &str| held.iter().find(|(held, _)| held.public().id().as_str() == id).map(|(_, file)| file.clone());
    let mut keys: Vec<ListedKey> = trust
        .keys()
        .iter()
        .map(|key| ListedKey {
            id: key.id.to_string(),
            name: key.name.clone(),
            roles: key.roles.clone(),
            expires: key.expires,
            revoked: key.revoked,
            file: file_of(key.id.as_str()),
            public: key.public.to_string(),
        })
        .collect();
    for (key, file) in &held {
        let id = key.public().id().to_string();
        if keys.iter().all(|listed| listed.id != id) {
            let name = std::path::Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let public = key.public().to_string();
            keys.push(ListedKey {
                id,
                name,
                roles: vec![],
                expires: None,
                revoked: false,
                file: Some(file.clone()),
                public,
            });
        }
    }
    let now = OffsetDateTime::now_utc();
    cx.output.show(&keys, |keys| {
        let rows = keys.iter().map(|key| {
            let roles: Vec<String> = key.roles.iter().map(ToString::to_string).collect();
            let state = match key.expires {
                _ if key.revoked => "revoked".to_owned(),
                _ if key.roles.is_empty() => "not trusted".to_owned(),
                Some(expires) if expires <= now => "expired".to_owned(),
                Some(expires) => format!("until {}", expires.date()),
                None => "trusted".to_owned(),
            };
            [key.id.clone(), key.name.clone(), roles.join(", "), state, key.file.clone().unwrap_or_else(|| "-".into())]
        });
        table(["ID", "NAME", "ROLES", "STATE", "SECRET"], rows)
    })
}

/// The secret keys of the home that can be read, with their files.
fn held_keys(home: &Home) -> Result<Vec<(SecretKey, String)>, Problem> {
    let folder = home.keys();
    let entries = std::fs::read_dir(&folder).map_err(|error| Problem::io(&folder, &error))?;
    let mut keys: Vec<(SecretKey, String)> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "key"))
        .filter_map(|path| Some((SecretKey::read(&path).ok()?, path.display().to_string())))
        .collect();
    keys.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(keys)
}
