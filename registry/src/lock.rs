//! `wasmill.lock`: which versions were ever installed, with their digests, and where they came from.
//!
//! A name and a version mean the same bytes for ever, and the newest version that ever was is the oldest that comes in by
//! itself: an old version is signed as well as a new one, and may have a hole that the new one mends. Rows stay when a
//! component is removed; who wants them gone takes them out of the file.

use std::fmt;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;
use crate::document::{DocumentError, line_of, parse_document};
use crate::names::check_component_name;

/// Most rows of the file.
const PINS_MAX: usize = 20_000;
/// Most characters of a source.
const SOURCE_CHARS_MAX: usize = 1024;
const HEAD: &str = "# What was installed here, ever. Written by `wasmill plugin install`: a version that is here comes in with this\n\
                    # digest only, and none that is older than the newest of its name, unless one says so.\n\n";

/// One version that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Name.
    pub name: String,
    /// Version.
    pub version: Version,
    /// Digest of its OCI manifest: changes with anything in its files.
    #[serde(serialize_with = "as_oci", deserialize_with = "from_oci")]
    pub digest: Digest,
    /// Where it came from, as whoever installed it said; none: files of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

fn as_oci<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.to_oci())
}

fn from_oci<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    Digest::from_oci(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// What an installation may do that the file alone doesn't allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leave {
    /// A version that is older than the newest that ever was.
    pub older: bool,
    /// Exactly this digest in place of the one in the file.
    pub digest: Option<Digest>,
}

/// Why something is not installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It has another digest than when it was installed first.
    #[error("wasmill.lock has {component} with digest {}{}, and this one has {}", .pinned.to_oci(), Origin(.origin), .found.to_oci())]
    Changed {
        /// Name and version.
        component: String,
        /// Digest in the file.
        pinned: Digest,
        /// Where that came from.
        origin: Option<String>,
        /// Digest of what was to be installed.
        found: Digest,
    },
    /// It is older than what was installed once.
    #[error(
        "{component} is older than {newest}, which was installed here: an old version is signed too, and may have the fault that the new one mends"
    )]
    Older {
        /// Name and version.
        component: String,
        /// The newest version of that name that ever was installed.
        newest: Version,
    },
    /// The file is full.
    #[error("wasmill.lock has {PINS_MAX} rows, and no room for more")]
    Full,
}

/// Where a pinned one came from, as a part of a sentence.
struct Origin<'a>(&'a Option<String>);

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(source) => write!(f, " from {source}"),
            None => Ok(()),
        }
    }
}

impl LockError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "lock.changed",
            Self::Older { .. } => "lock.older",
            Self::Full => "lock.full",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Changed { found, .. } => format!(
                "Ask its publisher why one version has two contents. If that is right, install it with `--accept-digest {}`.",
                found.to_oci()
            ),
            Self::Older { .. } => "If you want the old one all the same, install it with `--allow-downgrade`.".into(),
            Self::Full => "Take rows out of wasmill.lock that nobody needs any more.".into(),
        }
    }
}

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    pins: Vec<Pin>,
}

impl LockFile {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// With the line: unknown keys, what is no name, version or digest, a version that is listed twice.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let file: Self = parse_document(text)?;
        for (row, pin) in file.pins.iter().enumerate() {
            let at = |field: &str, message: String| {
                Err(DocumentError { line: line_of(text, &["plugin", &row.to_string(), field]), message })
            };
            if row >= PINS_MAX {
                return at("name", format!("there are at most {PINS_MAX} rows"));
            }
            if let Err(error) = check_component_name(&pin.name) {
                return at("name", error.to_string());
            }
            if pin.source.as_ref().is_some_and(|source| source.chars().count() > SOURCE_CHARS_MAX) {
                return at("source", format!("a source has at most {SOURCE_CHARS_MAX} characters"));
            }
        }
        let mut sorted: Vec<(usize, &Pin)> = file.pins.iter().enumerate().collect();
        sorted.sort_by(|(_, a), (_, b)| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        let same = |pair: &&[(usize, &Pin)]| matches!(pair, [(_, a), (_, b)] if (&a.name, &a.version) == (&b.name, &b.version));
        if let Some([_, (row, pin)]) = sorted.windows(2).find(same) {
            // Two rows could pin two digests.
            let message = format!("{}@{} is listed twice", pin.name, pin.version);
            return Err(DocumentError { line: line_of(text, &["plugin", &row.to_string(), "name"]), message });
        }
        Ok(file)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Where it can't be written as TOML.
    pub fn to_text(&self) -> Result<String, String> {
        toml::to_string(self).map(|rows| format!("{HEAD}{rows}")).map_err(|error| error.to_string())
    }

    /// All rows.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// The row of a version.
    pub fn pin(&self, name: &str, version: &Version) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.name == name && pin.version == *version)
    }

    /// The newest version of a name that ever was installed.
    pub fn newest(&self, name: &str) -> Option<&Version> {
        self.pins.iter().filter(|pin| pin.name == name).map(|pin| &pin.version).max()
    }

    /// Whether something may be installed. `here` is what is installed now: versions with their digests, of the same name,
    /// also those that came before there was a file.
    ///
    /// # Errors
    /// [`LockError`]: what keeps it out, and how it may come in all the same.
    pub fn admit(
        &self,
        name: &str,
        version: &Version,
        digest: Digest,
        here: &[(Version, Digest)],
        leave: &Leave,
    ) -> Result<(), LockError> {
        let component = || format!("{name}@{version}");
        let pinned = self.pin(name, version);
        if let Some(pin) = pinned.filter(|pin| pin.digest != digest && leave.digest != Some(digest)) {
            let (pinned, origin) = (pin.digest, pin.source.clone());
            return Err(LockError::Changed { component: component(), pinned, origin, found: digest });
        }
        if pinned.is_none() && self.pins.len() >= PINS_MAX {
            return Err(LockError::Full);
        }
        // Exactly this is at work already: nothing gets older by it.
        if here.iter().any(|(v, d)| v == version && *d == digest) {
            return Ok(());
        }
        let newest = self.newest(name).into_iter().chain(here.iter().map(|(version, _)| version)).max();
        match newest.filter(|newest| version < newest && !leave.older) {
            Some(newest) => Err(LockError::Older { component: component(), newest: newest.clone() }),
            None => Ok(()),
        }
    }

    /// Writes down what was installed. Says whether that changed anything.
    pub fn note(&mut self, pin: Pin) -> bool {
        match self.pins.iter_mut().find(|known| known.name == pin.name && known.version == pin.version) {
            Some(known) if *known == pin => return false,
            // That the same bytes came as files too is no news of where they come from.
            Some(known) if known.digest == pin.digest && pin.source.is_none() => return false,
            Some(known) => *known = pin,
            None => self.pins.push(pin),
        }
        self.pins.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        true
    }
}
