//! The advisories of a home: one envelope a line, of each id the newest word.

use std::path::Path;

use time::OffsetDateTime;
use wasmill_registry::{Advisory, Says, SignatureError, TrustRoots, VerifiedAdvisory};

use crate::home::{HomeError, alone, read_text, replace};
use crate::problem::{Problem, ProblemKind};

/// Most ids, those that are over included.
const KEPT_MAX: usize = 1000;
/// Largest file, bytes: four times what so many usual ones take.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One word of an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What was signed.
    pub advisory: Advisory,
    /// As it was signed, to be passed on.
    pub envelope: String,
}

/// All that a home knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advisories(Vec<Kept>);

/// What became of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It counts from now on.
    New,
    /// This, or a newer one about the same id, was there already.
    Known,
}

impl Advisories {
    /// Reads the file of a home. What stands in it was verified when it came, and counts as what stands in `trust.toml`
    /// does; no file: nobody warned of anything.
    ///
    /// # Errors
    /// Where it can't be read: then nobody knows what must not run.
    pub fn read(path: &Path) -> Result<Self, HomeError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = read_text(path, FILE_BYTES_MAX)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
        let kept = lines.map(|(at, line)| match Advisory::of_kept(line.as_bytes()) {
            Ok(advisory) => Ok(Kept { advisory, envelope: line.to_owned() }),
            Err(error) => {
                let reason = format!("line {}: {error}", at + 1);
                Err(HomeError::Unreadable { path: path.to_owned(), reason })
            }
        });
        Ok(Self(kept.collect::<Result<_, _>>()?))
    }

    /// Every word, those that end an advisory too.
    pub fn words(&self) -> &[Kept] {
        &self.0
    }

    /// The advisories in force.
    pub fn in_force(&self) -> impl Iterator<Item = &Kept> {
        self.0.iter().filter(|kept| matches!(kept.advisory.says, Says::Quarantine { .. }))
    }

    /// The serial of the newest word about an id.
    pub fn serial(&self, id: &str) -> Option<u64> {
        self.0.iter().find(|kept| kept.advisory.id == id).map(|kept| kept.advisory.serial)
    }

    fn take(&mut self, word: Kept) -> Result<Admitted, Problem> {
        let is_full = self.0.len() >= KEPT_MAX;
        match self.0.iter_mut().find(|kept| kept.advisory.id == word.advisory.id) {
            Some(known) if known.advisory.serial >= word.advisory.serial => return Ok(Admitted::Known),
            Some(known) => *known = word,
            None if is_full => {
                let message = format!("a home keeps at most {KEPT_MAX} advisories, those that are over included");
                let next = "Name several things by one pattern of versions, or remove lines of old ones from advisories.jsonl.";
                return Err(Problem::new(ProblemKind::Limit, "advisory.many", message, next));
            }
            None => self.0.push(word),
        }
        Ok(Admitted::New)
    }

    fn to_text(&self) -> String {
        self.0.iter().map(|kept| format!("{}\n", kept.envelope)).collect()
    }
}

/// Verifies an admin's word and keeps it. One at a time, over all processes.
///
/// # Errors
/// The signature's; `advisory.many`; input and output.
pub fn admit(
    path: &Path,
    envelope: &[u8],
    trust: &TrustRoots,
    now: OffsetDateTime,
) -> Result<(VerifiedAdvisory, Admitted), Problem> {
    let verified = VerifiedAdvisory::verify(envelope, trust, now)?;
    let envelope = String::from_utf8(envelope.to_vec())
        .map_err(|error| SignatureError::Envelope(error.to_string()))?
        .lines()
        .map(str::trim)
        .collect::<String>();
    let _alone = alone(path)?;
    let mut advisories = Advisories::read(path)?;
    let admitted = advisories.take(Kept { advisory: verified.advisory().clone(), envelope })?;
    if admitted == Admitted::New {
        replace(path, &advisories.to_text())?;
    }
    Ok((verified, admitted))
}

#[cfg(test)]
mod tests {
    use wasmill_registry::{About, Role, SecretKey, Severity, trust_entry};

    use super::*;

    fn word(id: &str, serial: u64, is_over: bool) -> Advisory {
        let about = About::Crate { name: "x".into(), versions: "*".parse().unwrap() };
        let quarantine = Says::Quarantine { about, severity: Severity::Low, rebuild: false };
        Advisory {
            id: id.into(),
            serial,
            reason: "why".into(),
            says: if is_over { Says::Withdraw } else { quarantine },
        }
    }

    fn admitted(path: &Path, key: &SecretKey, advisory: &Advisory) -> Result<Admitted, Problem> {
        let trust = TrustRoots::parse(&trust_entry("a", &key.public(), &[Role::Admin], None)).unwrap();
        let envelope = advisory.sign(key).unwrap().to_json();
        admit(path, &envelope, &trust, OffsetDateTime::now_utc()).map(|(_, admitted)| admitted)
    }

    #[test]
    fn of_each_id_the_newest_word_counts_and_an_old_one_never_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("advisories.jsonl"), SecretKey::generate().unwrap());
        let in_force = || -> Vec<String> {
            Advisories::read(&path).unwrap().in_force().map(|kept| kept.advisory.id.clone()).collect()
        };
        assert!(in_force().is_empty());
        assert_eq!(admitted(&path, &key, &word("a", 5, false)).unwrap(), Admitted::New);
        assert_eq!(admitted(&path, &key, &word("b", 5, false)).unwrap(), Admitted::New);
        assert_eq!(admitted(&path, &key, &word("a", 6, true)).unwrap(), Admitted::New);
        assert_eq!(in_force(), ["b"]);
        assert_eq!(admitted(&path, &key, &word("a", 5, false)).unwrap(), Admitted::Known);
        assert_eq!(admitted(&path, &key, &word("b", 4, true)).unwrap(), Admitted::Known);
        assert_eq!(in_force(), ["b"]);
        assert_eq!(admitted(&path, &key, &word("a", 7, false)).unwrap(), Admitted::New);
        assert_eq!(in_force(), ["a", "b"]);
    }

    #[test]
    fn what_no_admin_signed_is_not_kept_and_a_file_that_cant_be_read_is_no_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("advisories.jsonl");
        let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let trust = TrustRoots::parse(&trust_entry("a", &key.public(), &[Role::Admin], None)).unwrap();
        let envelope = word("a", 1, false).sign(&other).unwrap().to_json();
        let refused = admit(&path, &envelope, &trust, OffsetDateTime::now_utc()).unwrap_err();
        assert_eq!(&*refused.code, "signature.unknown-key");
        assert!(!path.exists());
        std::fs::write(&path, "{}\n").unwrap();
        assert!(Advisories::read(&path).is_err());
    }
}
