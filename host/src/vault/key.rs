//! The file with the key. It is no part of the database, so whoever has only that one has nothing.

use std::path::PathBuf;

use rand::RngExt as _;

use super::error::VaultError;
use super::seal::Key;
use crate::home::{create_private, read_private};

/// Largest file, in bytes: 64 digits and the end of a line.
const FILE_BYTES_MAX: usize = 80;

pub struct KeyFile(PathBuf);

impl KeyFile {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The key; none where there is no file.
    ///
    /// # Errors
    /// Where others may read the file, or it holds no key.
    pub fn read(&self) -> Result<Option<Key>, VaultError> {
        if !self.0.exists() {
            return Ok(None);
        }
        let text = read_private(&self.0, FILE_BYTES_MAX)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| VaultError::Key("it is not 64 digits of 0-9, a-f"))?;
        Ok(Some(Key::new(&bytes)?))
    }

    /// Makes the file, and gives the key that is in it then: another process may have made it meanwhile.
    ///
    /// # Errors
    /// Where it can't be written or read.
    pub fn make(&self) -> Result<Key, VaultError> {
        let mut bytes = [0u8; 32];
        rand::rng().fill(&mut bytes);
        create_private(&self.0, &format!("{}\n", hex::encode(bytes)))?;
        self.read()?.ok_or(VaultError::Key("it is gone again"))
    }
}
