//! A look at one broker's listener, layer by layer: name, port, encryption, Kafka, login. Nothing secret is sent.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use native_tls::{Certificate, HandshakeError, Identity, TlsConnector};

use super::protocol::{self, Api, Login};
use crate::streams::kafka::{Mechanism, Sasl, Security, Tls};

/// How long each layer may take.
const LAYER_MAX: Duration = Duration::from_secs(3);
/// Asked for where no login is configured, to see whether one is wanted.
const ANY_MECHANISM: &str = "PLAIN";

/// How far one gets, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// The name has no address.
    Unresolved(String),
    /// Nothing takes the connection.
    Unreachable(String),
    /// It takes the connection, and is not what is configured.
    Unlike(Unlike),
    /// Kafka answers as configured.
    Answers {
        /// What it can do.
        apis: Vec<Api>,
        /// How it takes a login.
        login: Login,
    },
}

/// What a listener is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unlike {
    /// Not encrypted, and TLS is configured.
    Plain,
    /// TLS, and none is configured.
    Encrypted,
    /// TLS with a certificate that is not trusted: why not.
    Untrusted(String),
    /// TLS that wants a certificate of ours, and takes none or not this one: its words.
    WantsCertificate(String),
    /// A file of the settings can't be used: which and why.
    File(String),
    /// Not Kafka, or nothing that answers: what happened.
    Silent(String),
}

/// Looks. Blocks, for some seconds at most.
pub(super) fn look(broker: &str, security: &Security) -> Seen {
    let addresses: Vec<_> = match broker.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Seen::Unresolved(error.to_string()),
    };
    let mut refused = "the name has no address".to_owned();
    for address in addresses {
        match connect(&address) {
            Ok(stream) => return layers(stream, broker, security, &|| connect(&address)),
            Err(error) => refused = error.to_string(),
        }
    }
    Seen::Unreachable(refused)
}

/// What is above the connection. `again` makes another one.
fn layers(stream: TcpStream, broker: &str, security: &Security, again: &dyn Fn() -> io::Result<TcpStream>) -> Seen {
    let (tls, mechanism) = match security {
        Security::Plaintext => (None, ANY_MECHANISM),
        Security::Tls(tls) => (Some(tls), ANY_MECHANISM),
        Security::Sasl(sasl) => (sasl.tls.as_ref(), word(sasl)),
    };
    let unlike = match tls {
        None => match ask(stream, mechanism) {
            Ok(seen) => return seen,
            Err(_) if again().is_ok_and(speaks_tls) => Unlike::Encrypted,
            Err(error) => Unlike::Silent(error.to_string()),
        },
        Some(tls) => match encrypted(stream, broker, tls, mechanism, again) {
            Ok(seen) => return seen,
            // A listener without TLS closes the connection, as one that is no Kafka may.
            Err(Unlike::Silent(_)) if again().is_ok_and(|plain| ask(plain, mechanism).is_ok()) => Unlike::Plain,
            Err(unlike) => unlike,
        },
    };
    Seen::Unlike(unlike)
}

fn encrypted(
    stream: TcpStream,
    broker: &str,
    tls: &Tls,
    mechanism: &str,
    again: &dyn Fn() -> io::Result<TcpStream>,
) -> Result<Seen, Unlike> {
    let connector = connector(tls)?;
    let host = broker.rsplit_once(':').map_or(broker, |(host, _)| host).trim_matches(['[', ']']);
    match connector.connect(host, stream) {
        Ok(stream) => ask(stream, mechanism).map_err(|error| match error.kind() {
            // A listener says only after the handshake that it wants a certificate.
            io::ErrorKind::InvalidData | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                Unlike::Silent(error.to_string())
            }
            _ => Unlike::WantsCertificate(error.to_string()),
        }),
        Err(error) => {
            let reason = match error {
                HandshakeError::Failure(error) => error.to_string(),
                HandshakeError::WouldBlock(_) => "it did not answer in time".to_owned(),
            };
            // Whoever shakes hands with somebody who believes everything has a certificate, only not a trusted one.
            if again().is_ok_and(speaks_tls) { Err(Unlike::Untrusted(reason)) } else { Err(Unlike::Silent(reason)) }
        }
    }
}

/// As the settings say.
fn connector(tls: &Tls) -> Result<TlsConnector, Unlike> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| Unlike::File(format!("`{}`: {error}", path.display())))
    };
    let mut builder = TlsConnector::builder();
    if let Some(path) = &tls.ca {
        let unusable = |error: native_tls::Error| Unlike::File(format!("`{}`: {error}", path.display()));
        let authorities = Certificate::stack_from_pem(&read(path)?).map_err(unusable)?;
        if authorities.is_empty() {
            return Err(Unlike::File(format!("`{}` has no certificate in it", path.display())));
        }
        builder.disable_built_in_roots(true);
        for authority in authorities {
            builder.add_root_certificate(authority);
        }
    }
    if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
        let (certificate, key) = (read(cert)?, read(key)?);
        // A key in another form than PKCS #8 librdkafka can read and this can't: looked at without, and said by the
        // listener if it minds.
        if let Ok(identity) = Identity::from_pkcs8(&certificate, &key) {
            builder.identity(identity);
        }
    }
    builder.build().map_err(|error| Unlike::File(error.to_string()))
}

/// True where the other side shakes hands by TLS, whoever it is.
fn speaks_tls(stream: TcpStream) -> bool {
    let mut builder = TlsConnector::builder();
    builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
    builder.build().is_ok_and(|connector| connector.connect("listener", stream).is_ok())
}

fn ask(mut stream: impl Read + Write, mechanism: &str) -> io::Result<Seen> {
    let apis = protocol::api_versions(&mut stream)?;
    let login = protocol::login(&mut stream, mechanism)?;
    Ok(Seen::Answers { apis, login })
}

fn connect(address: &std::net::SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, LAYER_MAX)?;
    stream.set_read_timeout(Some(LAYER_MAX))?;
    stream.set_write_timeout(Some(LAYER_MAX))?;
    Ok(stream)
}

fn word(sasl: &Sasl) -> &'static str {
    match sasl.mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
    }
}
