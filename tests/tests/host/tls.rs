//! Encrypted ports: who connects, and which client a certificate is.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

const MAY: &str = "[[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\n";

/// What OpenSSL's own program says.
fn openssl(folder: &Path, arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Where the other side has refused already there is nobody to write to.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].map(|out| String::from_utf8_lossy(&out).into_owned()).concat();
    (output.status.success(), text)
}

/// An authority, named `CA.pem`.
fn authority(folder: &Path, ca: &str) {
    let (key, cert, subject) = (format!("{ca}.key"), format!("{ca}.pem"), format!("/CN={ca}"));
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let (done, said) = openssl(folder, &[&new[..], &["-keyout", &key, "-out", &cert, "-subj", &subject]].concat(), "");
    assert!(done, "{said}");
}

/// A certificate of an authority's, `NAME.pem` with `NAME.key`.
fn certificate(folder: &Path, ca: &str, name: &str, subject: &str) {
    let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
    let (ca_cert, ca_key) = (format!("{ca}.pem"), format!("{ca}.key"));
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    let signed = ["-keyout", &key, "-out", &cert, "-subj", subject, "-CA", &ca_cert, "-CAkey", &ca_key];
    let plain = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"];
    let (done, said) = openssl(folder, &[&new[..], &signed, &plain].concat(), "");
    assert!(done, "{said}");
}

struct Sealed {
    cli: Cli,
    up: Up,
}

impl Sealed {
    /// A host with its gateway and MCP on encrypted ports.
    fn start(tls: &str) -> Self {
        let cli = Cli::new();
        let home = cli.home();
        authority(&home, "ca");
        certificate(&home, "ca", "server", "/CN=server");
        let files = "cert = \"server.pem\"\nkey = \"server.key\"\n";
        let section = |name| format!("[{name}]\nlisten = \"127.0.0.1:0\"\n[{name}.tls]\n{files}{tls}");
        cli.write("home/host.toml", format!("{}{}", section("gateway"), section("mcp").replace("[gateway", "[mcp")));
        cli.write("home/permissions.toml", MAY);
        let up = Up::start(&cli);
        Self { cli, up }
    }

    fn address(&self, port: &str) -> String {
        let url = self.up.greeting()[port].as_str().unwrap().to_owned();
        url.strip_prefix("https://").unwrap_or_else(|| panic!("{url}")).split('/').next().unwrap().to_owned()
    }

    /// What a port answers; what OpenSSL says where there is no connection.
    fn ask(&self, port: &str, path: &str, headers: &str, identity: &[&str]) -> String {
        let address = self.address(port);
        let connect = ["s_client", "-quiet", "-verify_return_error", "-CAfile", "ca.pem", "-connect", &address];
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n");
        openssl(&self.cli.home(), &[&connect[..], identity].concat(), &request).1
    }

    fn bearer(&self, client: &str) -> String {
        let token = self.cli.run(&["token", "new", client]).json()["token"].as_str().unwrap().to_owned();
        format!("Authorization: Bearer {token}\r\n")
    }
}

#[test]
fn both_ports_are_encrypted_and_answer_nobody_who_is_not() {
    let sealed = Sealed::start("");
    let looker = sealed.bearer("looker");
    let said = sealed.ask("console", "/v1/status", &looker, &[]);
    assert!(said.contains("HTTP/1.1 200") && said.contains("\"version\""), "{said}");
    assert!(sealed.ask("console", "/v1/status", "", &[]).contains("HTTP/1.1 401"));
    // The protocol's own refusal of a GET without a session, so that it was reached.
    assert!(sealed.ask("mcp", "/mcp", &looker, &[]).contains("HTTP/1.1 4"));
    for port in ["console", "mcp"] {
        let mut plain = std::net::TcpStream::connect(sealed.address(port)).unwrap();
        write!(plain, "GET /v1/status HTTP/1.1\r\nHost: h\r\n{looker}\r\n").unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut plain, &mut answer);
        assert!(!answer.windows(4).any(|part| part == b"HTTP"), "{port}: {}", String::from_utf8_lossy(&answer));
    }
    // Versions that are broken are not spoken.
    let old = sealed.ask("console", "/v1/status", &looker, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!old.contains("HTTP/1.1"), "{old}");
}

#[test]
fn a_certificate_lets_connect_and_is_a_client_where_it_is_mapped() {
    let sealed = Sealed::start("client_ca = \"ca.pem\"\n[gateway.tls.clients]\n\"desk 7\" = \"looker\"\n");
    let home = sealed.cli.home();
    certificate(&home, "ca", "mapped", "/CN=desk 7");
    certificate(&home, "ca", "unmapped", "/CN=somebody");
    certificate(&home, "ca", "double", "/CN=desk 7/CN=somebody");
    authority(&home, "other");
    certificate(&home, "other", "forged", "/CN=desk 7");
    let ask = |headers: &str, name: &str| {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        sealed.ask("console", "/v1/status", headers, &["-cert", &cert, "-key", &key])
    };
    let (looker, other) = (sealed.bearer("looker"), sealed.bearer("other"));
    for nobody in [sealed.ask("console", "/v1/status", &looker, &[]), ask(&looker, "forged")] {
        assert!(!nobody.contains("HTTP/1.1"), "{nobody}");
    }
    for (headers, name, status) in [
        ("", "mapped", 200),
        (&*looker, "mapped", 200),
        (&*looker, "unmapped", 200),
        ("", "unmapped", 401),
        ("", "double", 401),
        // Another client's token: which of both it is isn't known.
        (&*other, "mapped", 401),
        // A browser shows its certificate for every page.
        ("Origin: https://evil.example.com\r\n", "mapped", 401),
    ] {
        let said = ask(headers, name);
        assert!(said.contains(&format!("HTTP/1.1 {status}")), "{name} {headers}: {said}");
    }
}

#[test]
fn a_certificate_that_changes_is_used_from_then_on_and_one_that_can_t_be_is_not() {
    let sealed = Sealed::start("");
    let home = sealed.cli.home();
    let subject = || {
        let address = sealed.address("console");
        openssl(&home, &["s_client", "-CAfile", "ca.pem", "-connect", &address], "").1
    };
    assert!(subject().contains("CN = server") || subject().contains("CN=server"));
    std::fs::write(home.join("server.pem"), "no certificate").unwrap();
    assert!(subject().contains("server"), "the old one stays");
    assert!(until(PATIENCE, || sealed.up.log().contains("the old ones stay")), "{}", sealed.up.log());
    certificate(&home, "ca", "server", "/CN=renewed");
    assert!(until(PATIENCE, || subject().contains("renewed")), "{}", sealed.up.log());
}

#[test]
fn a_host_does_not_start_with_files_that_can_t_be_used() {
    let cli = Cli::new();
    cli.write(
        "home/host.toml",
        "[gateway]\nlisten = \"127.0.0.1:0\"\n[gateway.tls]\ncert = \"no.pem\"\nkey = \"no.key\"\n",
    );
    let problem = cli.run(&["up"]).expect_code(1);
    assert!(problem.stderr.contains("tls.files") && problem.stderr.contains("no.pem"), "{problem:?}");
}
