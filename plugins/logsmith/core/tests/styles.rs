//! Logs in many styles, none of which the program is told about: it must group their lines as they were made.

#![allow(clippy::expect_used, reason = "a test may stop where it stands")]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Share of lines, in percent, whose group is exactly the right one.
fn accuracy(got: &[Option<u32>], truth: &[usize]) -> usize {
    let (mut ours, mut theirs) = (BTreeMap::<_, Vec<usize>>::new(), BTreeMap::<_, Vec<usize>>::new());
    for (line, (got, truth)) in got.iter().zip(truth).enumerate() {
        ours.entry(*got).or_default().push(line);
        theirs.entry(*truth).or_default().push(line);
    }
    theirs.values().filter(|group| ours.values().any(|mine| mine == *group)).map(Vec::len).sum::<usize>() * 100
        / truth.len()
}

#[test]
fn lines_of_every_style_are_grouped_as_they_were_made() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir("tests/styles").expect("styles").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut low = Vec::new();
    for file in files {
        let log = support::log(&file, 2_000);
        let lines: Vec<&str> = log.lines.iter().map(String::as_str).collect();
        let learned = logsmith_core::learn(&lines);
        let got: Vec<_> = learned
            .with_parser(|parser| lines.iter().map(|line| parser.parse(line, |_, t, _| t.map(|t| t.id))).collect());
        let accuracy = accuracy(&got, &log.truth);
        println!("{:<30} {accuracy} %  {:?}", file.display(), learned.layout);
        if std::env::var_os("TEMPLATES").is_some() {
            for template in &learned.templates {
                println!("    {} {}", template.headed, template.text());
            }
        }
        if accuracy < 90 {
            low.push(format!("{}: {accuracy} %", file.display()));
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
