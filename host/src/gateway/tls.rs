//! TLS of the ports, from PEM files that may change while they are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::{AlpnError, Ssl, SslAcceptor, SslFiletype, SslMethod, SslVerifyMode, select_next_proto};
use openssl::x509::{X509, X509Ref};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::connection::Protocol;
use crate::home::{Home, TlsConfig};
use crate::problem::{Problem, ProblemKind};

/// Why a connection was not encrypted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    /// No session can be begun.
    #[error("{0}")]
    Setup(#[from] ErrorStack),
    /// The two did not agree, or the client has no certificate that counts.
    #[error("{0}")]
    Handshake(#[from] openssl::ssl::Error),
}

/// What a connection's own certificate says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The client that the certificate is mapped to.
    pub client: Option<String>,
}

/// A port's side of TLS.
pub(crate) struct Tls {
    files: Files,
    clients: BTreeMap<String, String>,
    current: Mutex<Loaded>,
}

struct Files {
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
    protocol: Protocol,
}

struct Loaded {
    acceptor: SslAcceptor,
    /// When its files were written.
    written: Vec<Option<SystemTime>>,
}

impl Tls {
    /// Reads a port's files. Their paths are relative to the home.
    ///
    /// # Errors
    /// `tls.files` where one can't be read, or certificate and key don't belong together.
    pub fn open(home: &Home, section: &str, protocol: Protocol, config: &TlsConfig) -> Result<Self, Problem> {
        let at = |path: &PathBuf| home.root().join(path);
        let files = Files {
            cert: at(&config.cert),
            key: at(&config.key),
            client_ca: config.client_ca.as_ref().map(at),
            protocol,
        };
        // First, so that what is written meanwhile is read again.
        let written = files.written();
        let acceptor = files.acceptor().map_err(|error| {
            let next =
                format!("See `[{section}.tls]` in host.toml: all are PEM files, the certificate with its chain.");
            Problem::new(ProblemKind::Failed, "tls.files", error, next)
        })?;
        let current = Mutex::new(Loaded { acceptor, written });
        Ok(Self { files, clients: config.clients.clone(), current })
    }

    /// Encrypts a connection.
    pub async fn accept(&self, stream: TcpStream) -> Result<(SslStream<TcpStream>, Peer), TlsError> {
        let ssl = Ssl::new(self.acceptor().context())?;
        let mut stream = SslStream::new(ssl, stream)?;
        Pin::new(&mut stream).accept().await?;
        let client = stream.ssl().peer_certificate().and_then(|cert| common_name(&cert));
        let client = client.and_then(|name| self.clients.get(&name).cloned());
        Ok((stream, Peer { client }))
    }

    /// The acceptor of the files as they are now; where they can't be used, of those before.
    fn acceptor(&self) -> SslAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.files.written();
        if written != current.written {
            // Also where it fails: it is said once, and tried again when they change again.
            current.written = written;
            match self.files.acceptor() {
                Ok(acceptor) => {
                    current.acceptor = acceptor;
                    tracing::info!(cert = %self.files.cert.display(), "the TLS certificate was read again");
                }
                Err(error) => tracing::error!("the TLS files changed and can't be used, the old ones stay: {error}"),
            }
        }
        current.acceptor.clone()
    }
}

impl Files {
    fn written(&self) -> Vec<Option<SystemTime>> {
        let all = [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()];
        all.into_iter().flatten().map(|path| std::fs::metadata(path).and_then(|found| found.modified()).ok()).collect()
    }

    fn acceptor(&self) -> Result<SslAcceptor, String> {
        let of = |path: &Path| {
            let path = path.display().to_string();
            move |error: ErrorStack| format!("`{path}` can't be used: {error}")
        };
        // TLS 1.2 and 1.3, with forward secrecy only.
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).map_err(of(&self.cert))?;
        builder.set_certificate_chain_file(&self.cert).map_err(of(&self.cert))?;
        builder.set_private_key_file(&self.key, SslFiletype::PEM).map_err(of(&self.key))?;
        builder.check_private_key().map_err(of(&self.key))?;
        let alpn = self.protocol.alpn();
        // Who names no protocol gets the port's; who names others only gets an error that says so.
        builder
            .set_alpn_select_callback(move |_, offered| select_next_proto(alpn, offered).ok_or(AlpnError::ALERT_FATAL));
        if let Some(ca) = &self.client_ca {
            builder.set_ca_file(ca).map_err(of(ca))?;
            let pem = std::fs::read(ca).map_err(|error| format!("`{}`: {error}", ca.display()))?;
            for authority in X509::stack_from_pem(&pem).map_err(of(ca))? {
                builder.add_client_ca(&authority).map_err(of(ca))?;
            }
            builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
            // A session that is taken up again must be one of these ports'.
            builder.set_session_id_context(b"wasmill").map_err(of(ca))?;
        }
        Ok(builder.build())
    }
}

/// The subject's common name, where it has exactly one.
fn common_name(cert: &X509Ref) -> Option<String> {
    let mut names = cert.subject_name().entries_by_nid(Nid::COMMONNAME);
    let (name, None) = (names.next()?, names.next()) else { return None };
    name.data().to_string().ok()
}
