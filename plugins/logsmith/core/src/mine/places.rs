//! Writes a group of rows down as a template.

use super::Found;
use super::split::{Leaf, Row};
use super::words::{VALUE, Words};
use crate::model::Place;
use crate::runtime::token::HIDDEN;

/// The template of a leaf.
pub fn found(headed: bool, rows: &[Row], leaf: &Leaf, words: &Words) -> Found {
    let count = leaf.members.iter().map(|row| rows[*row].count).sum();
    let places = leaf
        .any
        .iter()
        .enumerate()
        .map(|(at, any)| {
            let mut here = leaf.members.iter().map(|row| rows[*row].words[at]);
            match here.next() {
                Some(VALUE) if !any => punctuated(leaf.members.iter().map(|row| words.text(rows[*row].frames[at]))),
                Some(word) if !any => Place::Word(words.text(word).to_owned()),
                _ => common(leaf.members.iter().map(|row| words.text(rows[*row].words[at]))),
            }
        })
        .collect();
    Found { headed, places, count }
}

/// A value with the punctuation that all members have around it.
fn punctuated<'a>(mut frames: impl Iterator<Item = &'a str>) -> Place {
    let first = frames.next().unwrap_or_default();
    let (prefix, suffix) = first.split_once(HIDDEN).unwrap_or_default();
    let same = frames.all(|frame| frame == first);
    if same { Place::Value(prefix.to_owned(), suffix.to_owned()) } else { Place::Value(String::new(), String::new()) }
}

/// The punctuation around a value, with `HIDDEN` in its place.
pub fn frame(text: &str) -> String {
    let rest = text.trim_start_matches(['(', '[', '{', '<', '"', '\'']);
    let body = rest.trim_end_matches([')', ']', '}', '>', '"', '\'', ',', ';', ':', '.']);
    format!("{}{HIDDEN}{}", &text[..text.len() - rest.len()], &rest[body.len()..])
}

/// What all texts begin and end with, up to a separator, so that `user=a` and `user=b` are `user=<*>`.
fn common<'a>(mut texts: impl Iterator<Item = &'a str>) -> Place {
    let first = texts.next().unwrap_or_default();
    let (mut prefix, mut suffix) = (opening(first), closing(first));
    for text in texts {
        while !text.starts_with(prefix) {
            prefix = opening(&prefix[..prefix.len() - 1]);
        }
        while !text.ends_with(suffix) {
            suffix = closing(&suffix[1..]);
        }
    }
    Place::Any(prefix.to_owned(), suffix.to_owned())
}

/// Everything up to the last separator that something can follow; only ASCII separators are cut at.
fn opening(text: &str) -> &str {
    let plain = text.find("<*>").map_or(text, |hidden| &text[..hidden]);
    &plain[..plain.rfind(['=', ':', '(', '[', '{', '"', '\'', '@', '#']).map_or(0, |at| at + 1)]
}

/// Everything from the first closing separator on.
fn closing(text: &str) -> &str {
    let plain = text.rfind("<*>").map_or(text, |hidden| &text[hidden + 3..]);
    let kept = plain.trim_end_matches([')', ']', '}', '"', '\'', ',', ';', ':', '.']);
    &plain[kept.len()..]
}
