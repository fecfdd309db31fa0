//! Ed25519 keys and the files that hold the secret ones.
//!
//! A secret key is a PKCS#8 PEM file (`-----BEGIN PRIVATE KEY-----`), as `openssl genpkey -algorithm ed25519` writes it.
//! This folder never knows what a key is trusted for.

mod error;
mod public;
mod secret;

pub use error::KeyError;
pub use public::{KeyId, PublicKey};
pub use secret::SecretKey;
