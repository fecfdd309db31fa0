//! Registries that want to know who asks.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use wasmill_tests::oci::{OciRegistry, PASSWORD, USER};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::{Launch, Server, free_port, until};

use super::{customer, name_registry, publisher};

/// `mill:for-the-tests-only` in base64, as `docker login` writes it.
const AUTH: &str = "bWlsbDpmb3ItdGhlLXRlc3RzLW9ubHk=";

#[test]
fn a_registry_that_asks_is_told_who_it_is() {
    let Some(registry) = OciRegistry::start_with_login() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    let empty = author.folder().join("docker-empty");
    let nobody = [("DOCKER_CONFIG", empty.to_str().unwrap())];
    let problem = author.run_with(&["plugin", "push", "upper", &address], &nobody).problem(3);
    assert_eq!(problem.code, "registry.refused");
    assert!(problem.next.contains("password_secret") && problem.next.contains("docker login"), "{problem:?}");

    // As `docker login` leaves it, for this registry and not for another.
    let docker = author.folder().join("docker");
    fs::create_dir(&docker).unwrap();
    let logged_in = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let of = |host: &str, auth: &str| format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"{auth}\"}}}}}}");
    for wrong in [of("127.0.0.1:1", AUTH), of(&registry.host(), "bWlsbDp3cm9uZw==")] {
        fs::write(docker.join("config.json"), wrong).unwrap();
        let problem = author.run_with(&["plugin", "push", "upper", &address], &logged_in).problem(3);
        assert_eq!(problem.code, "registry.refused");
        assert!(!format!("{problem:?}").contains("wrong"), "{problem:?}");
    }
    fs::write(docker.join("config.json"), of(&registry.host(), AUTH)).unwrap();
    author.run_with(&["plugin", "push", "upper", &address], &logged_in).expect_code(0);

    // Or by a secret of this home.
    let cli = customer(&author);
    let more = format!("user = \"{USER}\"\npassword_secret = \"MILL\"\n");
    name_registry(&cli, "mill", &format!("oci://{}", registry.host()), &more);
    let problem = cli.run_with(&["plugin", "install", "upper"], &nobody).problem(3);
    assert!(problem.message.contains("secrets.toml has no `MILL`"), "{problem:?}");
    fs::write(cli.home().join("secrets.toml"), format!("MILL = \"{PASSWORD}\"\n")).unwrap();
    let ended = cli.run_with(&["plugin", "install", "upper"], &nobody).expect_code(0);
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD));
    assert!(!fs::read_to_string(cli.home().join("wasmill.lock")).unwrap().contains(PASSWORD));
    assert_eq!(cli.run_with(&["plugin", "search"], &nobody).json()[0]["version"], "1.0.0");
}

#[test]
fn what_docker_left_and_can_t_be_read_is_an_error() {
    let cli = publisher(&["1.0.0"]);
    let docker = cli.folder().join("docker");
    fs::create_dir(&docker).unwrap();
    fs::write(docker.join("config.json"), "s3cret").unwrap();
    let variables = [("DOCKER_CONFIG", docker.to_str().unwrap())];
    let problem = cli.run_with(&["plugin", "push", "upper", "oci://127.0.0.1:1/upper"], &variables).problem(3);
    assert!(problem.code == "registry.refused" && !problem.message.contains("s3cret"), "{problem:?}");
}

/// A token server on a port of its own, with a key that a registry can be told to believe.
fn token_server(folder: &Path) -> Option<(Server, u16)> {
    let (python, openssl) = (require(parts::python())?, require(parts::openssl())?);
    let arguments = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=wasmill-tests";
    let made = Command::new(openssl).args(arguments.split(' ')).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let port = free_port().unwrap();
    let script = parts::root().join("tests/tests/cli/registries/token.py");
    let command = [python, script, port.to_string().into(), folder.to_owned()].map(|word| word.display().to_string());
    let log = folder.join("token.log");
    let launch = Launch { command: &command, env: &[], log: &log, stop_signal: "TERM", user: None };
    let server = Server::start(&launch).unwrap();
    let is_up = until(PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(is_up, "{}", fs::read_to_string(&log).unwrap_or_default());
    Some((server, port))
}

#[test]
fn a_registry_with_a_token_server_gives_what_the_token_allows() {
    let author = publisher(&["1.0.0"]);
    let Some((_server, port)) = token_server(author.folder()) else { return };
    let Some(registry) = OciRegistry::start_with(|_| {
        let certificate = author.folder().join("cert.pem");
        Ok(format!(
            "auth: {{token: {{realm: \"http://127.0.0.1:{port}/token\", service: mill, issuer: wasmill-tests, rootcertbundle: {}}}}}\n",
            certificate.display()
        ))
    }) else {
        return;
    };
    let address = format!("oci://{}/upper", registry.host());
    let empty = author.folder().join("docker-empty");
    let nobody = [("DOCKER_CONFIG", empty.to_str().unwrap())];
    assert_eq!(author.run_with(&["plugin", "push", "upper", &address], &nobody).problem(3).code, "registry.refused");
    let more = format!("user = \"{USER}\"\npassword_secret = \"MILL\"\n");
    name_registry(&author, "mill", &format!("oci://{}", registry.host()), &more);
    fs::write(author.home().join("secrets.toml"), "MILL = \"wrong\"\n").unwrap();
    assert_eq!(author.run_with(&["plugin", "push", "upper", "mill"], &nobody).problem(3).code, "registry.refused");
    fs::write(author.home().join("secrets.toml"), format!("MILL = \"{PASSWORD}\"\n")).unwrap();
    author.run_with(&["plugin", "push", "upper", "mill"], &nobody).expect_code(0);
    assert_eq!(author.run_with(&["plugin", "search"], &nobody).json()[0]["name"], "upper");
    author.run_with(&["plugin", "remove", "upper"], &nobody).expect_code(0);
    author.run_with(&["plugin", "install", "upper"], &nobody).expect_code(0);
}
