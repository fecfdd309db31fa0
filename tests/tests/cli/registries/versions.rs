//! Searching, and what is newer where a component came from.

use serde_json::Value;
use wasmill_tests::oci::OciRegistry;
use wasmill_tests::web::Files;

use super::{customer, install, installed, make, manifest, name_registry, publisher, push, put_manifest};

fn names(found: &Value) -> Vec<(&str, &str, &str)> {
    fn text<'v>(row: &'v Value, field: &str) -> &'v str {
        row[field].as_str().unwrap()
    }
    let rows = found.as_array().unwrap().iter();
    rows.map(|row| (text(row, "name"), text(row, "version"), text(row, "registry"))).collect()
}

#[test]
fn registries_are_searched_and_upgraded_from() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.9.0"]);
    let Some(web) = Files::serve(&author.home().join("registry")) else { return };
    name_registry(&author, "mill", &format!("oci://{}/tools", registry.host()), "");
    // To a registry by its name: the repository is the component's.
    let pushed = push(&author, "upper", "mill");
    assert_eq!(pushed["address"], format!("oci://{}/tools/upper:1.9.0", registry.host()));
    // What is beside the registry's path isn't in it.
    push(&author, "upper", &format!("oci://{}/others/upper", registry.host()));

    let cli = customer(&author);
    assert_eq!(cli.run(&["plugin", "search", "pp"]).problem(2).code, "registry.none");
    assert_eq!(cli.run(&["plugin", "install", "upper"]).problem(4).code, "registry.not-found");
    name_registry(&cli, "mill", &format!("oci://{}/tools", registry.host()), "");
    name_registry(&cli, "web", &web.url(), "");
    let found = cli.run(&["plugin", "search", "pp"]).json();
    assert_eq!(names(&found), [("upper", "1.9.0", "mill"), ("upper", "1.9.0", "web")]);
    assert_eq!(found[1]["address"], format!("{}#upper@1.9.0", web.url()));
    assert_eq!(cli.run(&["plugin", "search", "lower"]).json(), Value::Array(vec![]));

    // By name alone, from the first that has it; another version is in none.
    install(&cli, "upper");
    assert_eq!(cli.run(&["plugin", "install", "upper@7.0.0"]).problem(4).code, "registry.not-found");
    assert_eq!(cli.run(&["plugin", "outdated"]).json(), Value::Array(vec![]));
    assert_eq!(cli.run(&["plugin", "upgrade"]).json(), Value::Array(vec![]));

    for version in ["1.10.0", "2.0.0-rc.1"] {
        make(&author, version, version);
        push(&author, &format!("upper@{version}"), "mill");
    }
    let outdated = cli.run(&["plugin", "outdated"]).json();
    assert_eq!((&outdated[0]["installed"], &outdated[0]["newest"]), (&"1.9.0".into(), &"1.10.0".into()), "{outdated}");
    assert_eq!(cli.run(&["plugin", "upgrade", "lower"]).problem(4).code, "component.unknown");
    let done = cli.run(&["plugin", "upgrade", "upper"]).json();
    assert_eq!((&done[0]["from"], &done[0]["to"]), (&"1.9.0".into(), &"1.10.0".into()), "{done}");
    assert_eq!(installed(&cli), ["upper@1.9.0", "upper@1.10.0"]);
    assert_eq!(cli.run(&["plugin", "outdated"]).json(), Value::Array(vec![]));
}

#[test]
fn a_layout_is_upgraded_from_where_it_was() {
    let author = publisher(&["1.0.0"]);
    let Some(web) = Files::serve(&author.home().join("registry")) else { return };
    let cli = customer(&author);
    install(&cli, &web.url());
    make(&author, "1.1.0", "new");
    assert_eq!(cli.run(&["plugin", "outdated"]).json()[0]["newest"], "1.1.0");
    assert_eq!(cli.run(&["plugin", "upgrade"]).json()[0]["to"], "1.1.0");
    // What came as files is nobody's to upgrade.
    assert_eq!(author.run(&["plugin", "outdated"]).json(), Value::Array(vec![]));
    drop(web);
    let ended = cli.run(&["plugin", "outdated"]).expect_code(5);
    assert!(
        ended.stdout.contains("registry.unreachable") && ended.stderr.contains("registry.unreachable"),
        "{ended:?}"
    );
}

#[test]
fn an_upgrade_to_an_old_version_with_a_new_label_is_refused() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0", "2.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    let old = push(&author, "upper@1.0.0", &address)["digest"].as_str().unwrap().to_owned();
    push(&author, "upper@2.0.0", &address);
    let cli = customer(&author);
    install(&cli, &address);
    put_manifest(&registry, "upper", "3.0.0", &manifest(&author, &old));
    assert_eq!(cli.run(&["plugin", "outdated"]).json()[0]["newest"], "3.0.0");
    assert_eq!(cli.run(&["plugin", "upgrade"]).problem(3).code, "registry.mislabelled");
    assert_eq!(installed(&cli), ["upper@2.0.0"]);
}
