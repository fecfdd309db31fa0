//! Secret keys and the files that hold them.

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use rand::TryRng as _;
use rand::rngs::SysRng;

use super::error::KeyError;
use super::public::PublicKey;
use crate::files::{Bounded, create_private, read_bounded};

/// Largest key file that is read, in bytes. A real one has some 120.
const KEY_FILE_SIZE_MAX: usize = 4096;

/// The half of a key that signs. Cleared from memory when dropped, and never printed.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes a new key from the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).map_err(|error| KeyError::NoRandomness(error.to_string()))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The other half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Writes the key to a new file with mode 0600.
    ///
    /// # Errors
    /// [`KeyError::Exists`]: a key is never overwritten. [`KeyError::Io`].
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        // Without the public half: version 1 of the format, which every program reads.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| KeyError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
        create_private(path, pem.as_bytes()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::Io { path: path.to_owned(), source },
        })
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyError::Exposed`] where anybody but the owner may read or write it; [`KeyError::Missing`],
    /// [`KeyError::Malformed`], [`KeyError::Io`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => KeyError::Missing(path.to_owned()),
            _ => KeyError::Io { path: path.to_owned(), source },
        };
        let malformed = |reason: String| KeyError::Malformed { path: path.to_owned(), reason };
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let Bounded::Whole(bytes) = read_bounded(path, KEY_FILE_SIZE_MAX).map_err(failed)? else {
            return Err(malformed(format!("it has more than {KEY_FILE_SIZE_MAX} bytes")));
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not text".into()))?;
        SigningKey::from_pkcs8_pem(text).map(Self).map_err(|error| malformed(error.to_string()))
    }

    #[cfg(test)]
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", self.public().id())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn at(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("a.key")
    }

    #[test]
    fn a_key_file_gives_the_same_key_back() {
        let folder = tempfile::tempdir().unwrap();
        let key = SecretKey::generate().unwrap();
        key.write_new(&at(&folder)).unwrap();
        assert_eq!(SecretKey::read(&at(&folder)).unwrap().public(), key.public());
        let text = std::fs::read_to_string(at(&folder)).unwrap();
        assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    }

    #[test]
    fn a_key_file_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = at(&folder);
        SecretKey::generate().unwrap().write_new(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o620, 0o602] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(SecretKey::read(&path).unwrap_err().code(), "key.exposed", "{mode:o}");
        }
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        SecretKey::generate().unwrap().write_new(&at(&folder)).unwrap();
        let error = SecretKey::generate().unwrap().write_new(&at(&folder)).unwrap_err();
        assert_eq!(error.code(), "key.exists");
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(SecretKey::read(&at(&folder)).unwrap_err().code(), "key.missing");
        for content in [&b""[..], b"\xff\xfe", b"-----BEGIN PRIVATE KEY-----\n", &[b'a'; KEY_FILE_SIZE_MAX + 1]] {
            let path = folder.path().join(format!("{}.key", content.len()));
            create_private(&path, content).unwrap();
            assert_eq!(SecretKey::read(&path).unwrap_err().code(), "key.malformed");
        }
    }

    #[test]
    fn a_secret_key_is_never_printed() {
        let key = SecretKey::from_seed([7; 32]);
        assert_eq!(format!("{key:?}"), format!("SecretKey of {}", key.public().id()));
    }
}
