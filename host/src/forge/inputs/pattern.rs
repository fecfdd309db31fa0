//! Texts that a regular expression matches.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// How often more than it must a part is repeated.
const MORE_MAX: u32 = 3;

/// A text that `pattern` matches, of so many bytes at most; none where the pattern is of a kind that is not read here, or
/// asks for more. Where parts of it look around, they are not followed.
pub(super) fn text(pattern: &str, random: &mut ChaCha8Rng, bytes_max: usize) -> Option<String> {
    let read = regex_syntax::parse(&as_read_here(pattern)).ok()?;
    let mut text = Text { bytes: Vec::new(), bytes_max, steps_left: bytes_max.saturating_mul(4) };
    text.add(&read, random)?;
    String::from_utf8(text.bytes).ok()
}

/// The same pattern with classes as JSON Schema means them: digits and letters of ASCII.
fn as_read_here(pattern: &str) -> String {
    let mut read = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            read.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => read.push_str("[0-9]"),
            Some('D') => read.push_str("[^0-9]"),
            Some('w') => read.push_str("[0-9A-Za-z_]"),
            Some('W') => read.push_str("[^0-9A-Za-z_]"),
            escaped => read.extend(['\\'].into_iter().chain(escaped)),
        }
    }
    read
}

struct Text {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// What repeats nothing a million times adds no byte.
    steps_left: usize,
}

impl Text {
    /// Adds a match of one part. None where there is no room, or the part matches nothing.
    fn add(&mut self, part: &Hir, random: &mut ChaCha8Rng) -> Option<()> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        match part.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(()),
            HirKind::Literal(literal) => self.push(&literal.0),
            HirKind::Class(Class::Unicode(class)) => {
                let picked = pick(class, random)?;
                self.push(picked.encode_utf8(&mut [0; 4]).as_bytes())
            }
            HirKind::Class(Class::Bytes(class)) => {
                let range = class.ranges().get(random.random_range(0..class.ranges().len().max(1)))?;
                self.push(&[random.random_range(range.start()..=range.end())])
            }
            HirKind::Repetition(repetition) => {
                let more = repetition.max.map_or(u32::MAX, |max| max - repetition.min).min(MORE_MAX);
                let times = repetition.min.saturating_add(random.random_range(0..=more));
                (0..times).try_for_each(|_| self.add(&repetition.sub, random))
            }
            HirKind::Capture(capture) => self.add(&capture.sub, random),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part, random)),
            HirKind::Alternation(parts) => self.add(parts.get(random.random_range(0..parts.len().max(1)))?, random),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        (self.bytes.len() + bytes.len() <= self.bytes_max).then(|| self.bytes.extend_from_slice(bytes))
    }
}

/// A character of a class, more often one that a keyboard has.
fn pick(class: &ClassUnicode, random: &mut ChaCha8Rng) -> Option<char> {
    let ranges = class.ranges();
    let plain = || ranges.iter().filter(|range| range.start() <= '~' && range.end() >= ' ');
    let range = match plain().count() {
        count if count > 0 && random.random_ratio(3, 4) => {
            let range = plain().nth(random.random_range(0..count))?;
            range.start().max(' ')..=range.end().min('~')
        }
        _ => {
            let range = ranges.get(random.random_range(0..ranges.len().max(1)))?;
            range.start()..=range.end()
        }
    };
    Some(random.random_range(range))
}
