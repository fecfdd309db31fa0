//! Grouping accuracy over a folder of Loghub samples: `cargo run --release --example loghub -- DIR [-v]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: loghub DIR [-v]");
        std::process::exit(2);
    };
    let verbose = arguments.next().is_some();
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    names.sort();
    for path in names {
        measure(&path, verbose);
    }
}

fn measure(path: &Path, verbose: bool) {
    let log = String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
    let table = std::fs::read_to_string(path.with_extension("log_structured.csv")).unwrap_or_default();
    let rows = records(&table);
    let Some(column) = rows.first().and_then(|names| names.iter().position(|name| name == "EventId")) else { return };
    let truth: Vec<&str> = rows[1..].iter().map(|row| row[column].as_str()).collect();
    let lines: Vec<&str> = log.lines().collect();
    let begin = Instant::now();
    let learned = logsmith_core::learn(&lines);
    let learning = begin.elapsed();
    let begin = Instant::now();
    let got: Vec<Option<u32>> = learned.with_parser(|parser| {
        lines.iter().map(|line| parser.parse(line, |_, template, _| template.map(|t| t.id))).collect()
    });
    let speed = lines.len() as f64 / begin.elapsed().as_secs_f64();
    let (mut ours, mut theirs) = (BTreeMap::<_, Vec<usize>>::new(), BTreeMap::<_, Vec<usize>>::new());
    for (line, (got, truth)) in got.iter().zip(&truth).enumerate() {
        ours.entry(got.unwrap_or(u32::MAX)).or_default().push(line);
        theirs.entry(*truth).or_default().push(line);
    }
    let right: usize = theirs.values().filter(|group| ours.values().any(|mine| mine == *group)).map(Vec::len).sum();
    println!(
        "{:<12} {:.4}  templates {:>3} of {:>3}  unmatched {:>3}  learn {:>4} ms  {:>7.0} lines/s",
        path.file_stem().unwrap_or_default().to_string_lossy(),
        right as f64 / truth.len() as f64,
        learned.templates.len(),
        theirs.len(),
        got.iter().filter(|g| g.is_none()).count(),
        learning.as_millis(),
        speed
    );
    if verbose {
        println!("  {:?}", learned.layout);
        for (event, group) in &theirs {
            if ours.values().any(|mine| mine == group) {
                continue;
            }
            println!("  {event}: {} lines", group.len());
            let mut into = BTreeMap::<_, usize>::new();
            for line in group {
                *into.entry(got[*line]).or_default() += 1;
            }
            for (id, count) in into.into_iter().take(6) {
                let text = id.and_then(|id| learned.templates.iter().find(|t| t.id == id)).map(|t| t.text());
                println!("    {count} of {} in {}", ours[&id.unwrap_or(u32::MAX)].len(), text.unwrap_or_default());
            }
        }
    }
}

/// Records of a CSV file with quoted fields.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    rows
}
