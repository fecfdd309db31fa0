use semver::Version;

use crate::{Digest, Leave, LockFile, Pin};

fn pin(version: &str, content: &str) -> Pin {
    let source = Some(format!("oci://localhost:5000/upper:{version}"));
    Pin { name: "upper".into(), version: version.parse().unwrap(), digest: Digest::of(content.as_bytes()), source }
}

fn file(pins: &[Pin]) -> LockFile {
    let mut file = LockFile::default();
    pins.iter().cloned().for_each(|pin| assert!(file.note(pin)));
    file
}

fn admit(file: &LockFile, pin: &Pin, here: &[Pin], leave: Leave) -> Result<(), &'static str> {
    let here: Vec<(Version, Digest)> = here.iter().map(|pin| (pin.version.clone(), pin.digest)).collect();
    file.admit(&pin.name, &pin.version, pin.digest, &here, &leave).map_err(|error| error.code())
}

#[test]
fn a_version_comes_in_with_its_digest_only() {
    let file = file(&[pin("1.0.0", "a")]);
    assert_eq!(admit(&file, &pin("1.0.0", "a"), &[], Leave::default()), Ok(()));
    let changed = pin("1.0.0", "b");
    assert_eq!(admit(&file, &changed, &[], Leave::default()), Err("lock.changed"));
    // Leave for another digest, or to go back, is no leave for this one.
    let other = Leave { older: true, digest: Some(Digest::of(b"c")) };
    assert_eq!(admit(&file, &changed, &[], other), Err("lock.changed"));
    let this = Leave { older: false, digest: Some(changed.digest) };
    assert_eq!(admit(&file, &changed, &[], this), Ok(()));
    let error = file.admit("upper", &changed.version, changed.digest, &[], &Leave::default()).unwrap_err();
    assert!(error.to_string().contains("oci://localhost:5000/upper:1.0.0"), "{error}");
    assert!(error.next().contains(&format!("--accept-digest {}", changed.digest.to_oci())), "{}", error.next());
}

#[test]
fn nothing_older_than_the_newest_that_ever_was_comes_in_by_itself() {
    let file = file(&[pin("2.0.0", "b")]);
    let older = pin("1.9.9", "a");
    assert_eq!(admit(&file, &older, &[], Leave::default()), Err("lock.older"));
    assert_eq!(admit(&file, &older, &[], Leave { older: true, digest: None }), Ok(()));
    // A digest is no leave to go back, and a release candidate is older than its release.
    assert_eq!(admit(&file, &older, &[], Leave { older: false, digest: Some(older.digest) }), Err("lock.older"));
    assert_eq!(admit(&file, &pin("2.0.0-rc.1", "a"), &[], Leave::default()), Err("lock.older"));
    assert_eq!(admit(&file, &pin("2.0.1", "c"), &[], Leave::default()), Ok(()));
    // Another name is another matter.
    assert_eq!(admit(&file, &Pin { name: "lower".into(), ..older }, &[], Leave::default()), Ok(()));
}

#[test]
fn what_is_installed_counts_where_the_file_is_gone_or_new() {
    let none = LockFile::default();
    let here = [pin("1.0.0", "a"), pin("2.0.0", "b")];
    assert_eq!(admit(&none, &pin("1.5.0", "c"), &here, Leave::default()), Err("lock.older"));
    // What is at work already may be installed again.
    assert_eq!(admit(&none, &here[0], &here, Leave::default()), Ok(()));
    assert_eq!(admit(&none, &pin("1.0.0", "other"), &here, Leave::default()), Err("lock.older"));
}

#[test]
fn the_file_says_the_same_and_is_sorted() {
    let file = file(&[pin("1.10.0", "c"), pin("1.9.0", "b"), Pin { source: None, ..pin("0.1.0", "a") }]);
    let text = file.to_text().unwrap();
    assert_eq!(LockFile::parse(&text).unwrap(), file);
    let versions: Vec<String> = file.pins().iter().map(|pin| pin.version.to_string()).collect();
    assert_eq!(versions, ["0.1.0", "1.9.0", "1.10.0"]);
    assert!(text.starts_with('#') && text.contains("digest = \"sha256:"), "{text}");
    assert_eq!(LockFile::parse(&LockFile::default().to_text().unwrap()).unwrap(), LockFile::default());
}

#[test]
fn a_row_changes_with_what_was_accepted_and_keeps_its_source() {
    let mut file = file(&[pin("1.0.0", "a")]);
    assert!(!file.note(pin("1.0.0", "a")));
    assert!(!file.note(Pin { source: None, ..pin("1.0.0", "a") }));
    assert!(file.note(Pin { source: None, ..pin("1.0.0", "b") }));
    assert_eq!(file.pins(), [Pin { source: None, ..pin("1.0.0", "b") }]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let row = "[[plugin]]\nname = \"upper\"\nversion = \"1.0.0\"\n";
    let digest = format!("digest = \"{}\"\n", Digest::of(b"a").to_oci());
    for (text, line, word) in [
        (format!("{row}digest = \"sha256:../x\"\n"), 4, "digest"),
        (format!("{row}{digest}sourc = \"\"\n"), 5, "sourc"),
        (format!("{row}{digest}{row}{digest}"), 6, "twice"),
        (format!("{row}{digest}").replace("upper", "../upper"), 2, "not a name"),
        (format!("{row}{digest}").replace("1.0.0", "new"), 3, ""),
        (format!("{row}{digest}source = \"{}\"", "x".repeat(1025)), 5, "1024"),
    ] {
        let error = LockFile::parse(&text).unwrap_err();
        assert!(error.line == line && error.message.contains(word), "{text}: {error}");
    }
}
