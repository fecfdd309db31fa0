//! The same layout, from an ordinary web server and from a folder.

use std::fs;

use wasmill_tests::web::Files;

use super::{customer, install, installed, make, publisher};
use crate::plugins::component;

#[test]
fn a_home_s_registry_is_served_by_any_web_server() {
    let author = publisher(&["1.0.0", "1.1.0", "2.0.0-rc.1"]);
    let Some(web) = Files::serve(&author.home().join("registry")) else { return };
    let cli = customer(&author);
    // A release before a candidate; exactly what is named where something is named.
    assert_eq!(install(&cli, &web.url())["plugin"]["version"], "1.1.0");
    assert_eq!(install(&cli, &format!("{}index.json#upper@2.0.0-rc.1", web.url()))["new"], true);
    assert_eq!(installed(&cli), ["upper@1.1.0", "upper@2.0.0-rc.1"]);
    let problem = cli.run(&["plugin", "install", &format!("{}#lower", web.url())]).problem(4);
    assert_eq!(problem.code, "registry.not-found");
}

#[test]
fn a_folder_is_one_too() {
    let author = publisher(&["1.0.0"]);
    let cli = customer(&author);
    install(&cli, &format!("file://{}#upper@1.0.0", author.home().join("registry").display()));
    let problem = cli.run(&["plugin", "install", "file:///no/such/folder/"]).problem(4);
    assert_eq!(problem.code, "registry.not-found");
}

#[test]
fn of_several_components_one_is_named() {
    let author = publisher(&["1.0.0"]);
    author.write("lower.wasm", component("lower"));
    author.write("lower.toml", super::MANIFEST.replace("upper", "lower"));
    author.run(&["plugin", "sign", "lower.wasm", "--manifest", "lower.toml"]).json();
    author.run(&["plugin", "install", "lower.wasm", "--manifest", "lower.toml"]).json();
    let Some(web) = Files::serve(&author.home().join("registry")) else { return };
    let cli = customer(&author);
    let problem = cli.run(&["plugin", "install", &web.url()]).problem(2);
    assert!(problem.message.contains("lower") && problem.message.contains("upper"), "{problem:?}");
    install(&cli, &format!("{}#lower", web.url()));
    assert_eq!(installed(&cli), ["lower@1.0.0"]);
}

#[test]
fn what_was_changed_on_the_server_is_refused() {
    let author = publisher(&["1.0.0"]);
    let registry = author.home().join("registry");
    let Some(web) = Files::serve(&registry) else { return };
    let cli = customer(&author);
    for entry in fs::read_dir(registry.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        // The empty configuration is in nobody's way.
        if whole == b"{}" {
            continue;
        }
        let mut flipped = whole.clone();
        flipped[0] ^= 1;
        fs::write(&path, flipped).unwrap();
        let problem = cli.run(&["plugin", "install", &web.url()]).problem(3);
        assert_eq!(problem.code, "registry.changed", "{}", path.display());
        fs::write(&path, whole).unwrap();
    }
    // An index that calls it by another version leads nowhere either.
    let index = registry.join("index.json");
    let text = fs::read_to_string(&index).unwrap();
    fs::write(&index, text.replace("upper:1.0.0", "upper:9.0.0")).unwrap();
    let problem = cli.run(&["plugin", "install", &web.url()]).problem(3);
    assert_eq!(problem.code, "registry.mislabelled");
    assert_eq!(installed(&cli), Vec::<String>::new());
}

#[test]
fn an_old_version_under_the_newest_label_is_refused() {
    let author = publisher(&["1.0.0"]);
    let Some(web) = Files::serve(&author.home().join("registry")) else { return };
    let cli = customer(&author);
    install(&cli, &web.url());
    make(&author, "2.0.0", "2");
    install(&cli, &web.url());
    // The server goes back to what it was.
    author.run(&["plugin", "remove", "upper@2.0.0"]).json();
    cli.run(&["plugin", "remove", "upper@1.0.0"]).json();
    let problem = cli.run(&["plugin", "install", &web.url()]).problem(3);
    assert_eq!(problem.code, "lock.older");
}
