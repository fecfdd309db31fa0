//! Encrypting and opening one value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::error::VaultError;

/// What a sealed value begins with.
const HEAD: &str = "v1:";

/// Encrypts and opens.
pub struct Key(LessSafeKey);

impl Key {
    pub fn new(bytes: &[u8; 32]) -> Result<Self, VaultError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).map_err(|_| VaultError::Key("it has another length"))?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

/// What is encrypted is bound to its name: a row can't be put under another one.
fn about(name: &str) -> Aad<Vec<u8>> {
    Aad::from([b"wasmill secret v1\0", name.as_bytes()].concat())
}

/// A value in a form for a table: version, then nonce and ciphertext with its tag, base64.
///
/// # Errors
/// Where it is far too long.
pub fn seal(key: &Key, name: &str, value: &str) -> Result<String, VaultError> {
    // Random: 96 bits are enough for as many as anybody enters by hand.
    let mut nonce = [0; NONCE_LEN];
    rand::rng().fill(&mut nonce);
    let mut sealed = value.as_bytes().to_vec();
    let done = key.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), about(name), &mut sealed);
    done.map_err(|_| VaultError::Value(super::VALUE_BYTES_MAX))?;
    Ok(format!("{HEAD}{}", STANDARD.encode([&nonce[..], &sealed].concat())))
}

/// The value again; none where it was encrypted with another key or for another name, or was changed.
pub fn open(key: &Key, name: &str, sealed: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(sealed.strip_prefix(HEAD)?).ok()?;
    let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let value = key.0.open_in_place(nonce, about(name), sealed).ok()?;
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_under_its_name_and_unchanged() {
        let key = |byte| Key::new(&[byte; 32]).unwrap();
        let sealed = seal(&key(1), "NAME", "s3cret").unwrap();
        assert!(!sealed.contains("s3cret") && !sealed.contains(&STANDARD.encode("s3cret")));
        assert_eq!(open(&key(1), "NAME", &sealed).as_deref(), Some("s3cret"));
        assert_eq!(open(&key(2), "NAME", &sealed), None, "another key");
        assert_eq!(open(&key(1), "OTHER", &sealed), None, "another name");
        assert_ne!(sealed, seal(&key(1), "NAME", "s3cret").unwrap(), "the same value does not look the same");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(open(&key(1), "NAME", &String::from_utf8(changed).unwrap()), None, "changed at {at}");
        }
        for nothing in ["", "v1:", "v1:AAAA", "v2:AAAA"] {
            assert_eq!(open(&key(1), "NAME", nothing), None);
        }
    }
}
