//! Certificates of a secured broker and of its clients, made for one test run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use tempfile::TempDir;

use crate::parts::Missing;

/// The user that may log in.
pub const USER: &str = "mill";

/// The password of [`USER`].
pub const PASSWORD: &str = "for-the-tests-only";

pub(super) const STORE_PASSWORD: &str = "for-the-tests-only";

/// A certificate authority, a broker's certificate for 127.0.0.1, and a client's.
#[derive(Debug)]
pub struct Identity {
    folder: TempDir,
    is_guarded: bool,
}

impl Identity {
    /// Makes all of it in the folder.
    pub(super) fn make(folder: TempDir, is_guarded: bool) -> Result<Self, Missing> {
        let identity = Self { folder, is_guarded };
        match identity.fill() {
            Ok(()) => Ok(identity),
            Err(error) => Err(Missing { part: "OpenSSL", reason: format!("{error:#}; run `cargo xtask setup`") }),
        }
    }

    /// Certificate of the authority that signed the others.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Certificate of a client.
    #[must_use]
    pub fn client_certificate(&self) -> PathBuf {
        self.path("client.pem")
    }

    /// Key of a client.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.path("client.key")
    }

    /// True where the broker holds everybody whom it knows by name to access rules.
    pub(super) fn is_guarded(&self) -> bool {
        self.is_guarded
    }

    pub(super) fn broker_store(&self) -> PathBuf {
        self.path("broker.p12")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fill(&self) -> Result<()> {
        let folder = self.folder.path();
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        let authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=wasmill-tests-ca"];
        openssl(folder, &[&new[..], &authority].concat())?;
        for (name, subject) in [("broker", "/CN=127.0.0.1"), ("client", "/CN=client")] {
            let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
            let signed = ["-keyout", &key, "-out", &certificate, "-subj", subject, "-CA", "ca.pem", "-CAkey", "ca.key"];
            let plain = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
            openssl(folder, &[&new[..], &signed, &plain].concat())?;
        }
        let store = ["pkcs12", "-export", "-inkey", "broker.key", "-in", "broker.pem", "-name", "broker"];
        let password = format!("pass:{STORE_PASSWORD}");
        openssl(folder, &[&store[..], &["-out", "broker.p12", "-passout", &password]].concat())
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
