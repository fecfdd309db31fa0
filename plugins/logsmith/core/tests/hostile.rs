//! Lines that nobody would write on purpose: they cost bounded time and memory and harm nothing.

#![allow(clippy::expect_used, reason = "a test may stop where it stands")]

mod support;

use logsmith_core::{TEMPLATES_MAX, learn, source::SAMPLE_LINES};
use support::Chance;

fn learn_and_parse(lines: &[String]) -> usize {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let learned = learn(&lines);
    assert!(learned.templates.len() <= TEMPLATES_MAX);
    learned.with_parser(|parser| {
        lines.iter().filter(|line| parser.parse(line, |_, template, _| template.is_some())).count()
    })
}

#[test]
fn no_line_at_all() {
    assert_eq!(learn_and_parse(&[]), 0);
}

#[test]
fn empty_and_blank_lines_are_lines() {
    let lines: Vec<String> = ["", " ", "\t", "\u{3000}", "\r"].iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(learn_and_parse(&lines), lines.len());
}

#[test]
fn a_line_of_a_megabyte() {
    for piece in ["x", "x ", "[", "1 ", "=", "a=1,", "é"] {
        let long = piece.repeat(1_000_000 / piece.len());
        assert_eq!(learn_and_parse(&[long.clone(), "short".to_owned(), long]), 3);
    }
}

#[test]
fn ten_thousand_different_words() {
    let mut word = 0;
    let lines: Vec<String> = (0..SAMPLE_LINES)
        .map(|_| {
            (0..5)
                .map(|_| {
                    word += 1;
                    let letters: String =
                        format!("{word}").bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
                    letters + " "
                })
                .collect()
        })
        .collect();
    learn_and_parse(&lines);
}

#[test]
fn binary_rubbish() {
    let mut chance = Chance(3);
    let lines: Vec<String> = (0..500)
        .map(|_| {
            let bytes: Vec<u8> = (0..chance.below(300)).map(|_| chance.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .collect();
    learn_and_parse(&lines);
}

#[test]
fn a_parser_takes_any_line_whatever_it_was_made_from() {
    let log = support::log("tests/styles/hadoop.txt".as_ref(), 300);
    let lines: Vec<&str> = log.lines.iter().map(String::as_str).collect();
    let learned = learn(&lines);
    let mut chance = Chance(5);
    learned.with_parser(|parser| {
        for line in &lines {
            // Every prefix, and every suffix, of real lines.
            for (at, _) in line.char_indices() {
                parser.parse(&line[..at], |_, _, _| ());
                parser.parse(&line[at..], |_, _, _| ());
            }
            let mut bytes = line.as_bytes().to_vec();
            let at = chance.below(bytes.len() as u64) as usize;
            bytes[at] = chance.below(256) as u8;
            parser.parse(&String::from_utf8_lossy(&bytes), |_, _, _| ());
        }
    });
}
