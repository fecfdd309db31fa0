//! Texts: of a pattern, of a format, or such as people and machines send.

use rand::RngExt;
use serde_json::Value;

use super::layers::Layers;
use super::pattern;
use super::value::Maker;

/// Longest text, characters.
const CHARS_MAX: usize = 2_000;
/// What breaks programs that take text for bytes, for numbers, for markup, or for something that is there.
const ODD: [&str; 22] = [
    "",
    " ",
    "\n",
    "a\tb\r\nc",
    "\0",
    "\u{1b}[2J",
    "ä",
    "é́́",
    "日本語",
    "👩‍👩‍👧‍👦",
    "مرحبا",
    "\u{202e}abc",
    "\u{feff}x",
    "İ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "null",
    "{\"a\":",
    "../../etc/passwd",
    "<a href=\"x\">&amp;'",
];
/// Letters of words.
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

/// A text that fits.
pub(super) fn text(maker: &mut Maker<'_, '_>, layers: &Layers<'_>) -> String {
    let (least, most) = layers.counts("minLength", "maxLength");
    let text = match (layers.first("pattern"), layers.first("format")) {
        (Some(Value::String(pattern)), _) => return of_pattern(maker, pattern),
        (_, Some(Value::String(format))) if !maker.once_in(8) => formatted(maker, format),
        _ => None,
    };
    let text = text.unwrap_or_else(|| usual(maker));
    let text = fitted(maker, text, least, most.unwrap_or(CHARS_MAX));
    maker.bytes_left = maker.bytes_left.saturating_sub(text.len());
    text
}

/// A text that a pattern is about. Where nothing can be made of it, any: it is left out then.
pub(super) fn of_pattern(maker: &mut Maker<'_, '_>, pattern: &str) -> String {
    let most = maker.bytes_left.min(CHARS_MAX);
    let text = pattern::text(pattern, maker.random, most).unwrap_or_else(|| usual(maker));
    maker.bytes_left = maker.bytes_left.saturating_sub(text.len());
    text
}

/// A short word.
pub(super) fn word(maker: &mut Maker<'_, '_>) -> String {
    let count = maker.random.random_range(1..=10);
    maker.bytes_left = maker.bytes_left.saturating_sub(count);
    letters(maker, count)
}

fn letters(maker: &mut Maker<'_, '_>, count: usize) -> String {
    (0..count).map(|_| char::from(LETTERS[maker.random.random_range(0..LETTERS.len())])).collect()
}

/// Something odd, alone or with words; or words alone.
fn usual(maker: &mut Maker<'_, '_>) -> String {
    let odd = ODD[maker.random.random_range(0..ODD.len())];
    match maker.random.random_range(0..6) {
        0 | 1 => odd.to_owned(),
        2 => format!("{odd}{}", word(maker)),
        3 => word(maker),
        4 => (0..maker.random.random_range(2..=8)).map(|_| word(maker)).collect::<Vec<_>>().join(" "),
        _ => odd.repeat(maker.random.random_range(1..=200)),
    }
}

/// Cut or filled up to a number of characters.
fn fitted(maker: &mut Maker<'_, '_>, text: String, least: usize, most: usize) -> String {
    let most = most.min(CHARS_MAX).min(maker.bytes_left);
    let mut text: String = text.chars().take(most).collect();
    let missing = least.min(most).saturating_sub(text.chars().count());
    if missing > 0 {
        text.push_str(&letters(maker, missing));
    }
    text
}

/// A text of a format that is known.
fn formatted(maker: &mut Maker<'_, '_>, format: &str) -> Option<String> {
    let random = &mut *maker.random;
    let mut to = |most: u32| random.random_range(0..=most);
    let date = format!("{:04}-{:02}-{:02}", to(9999), 1 + to(11), 1 + to(27));
    let time = format!("{:02}:{:02}:{:02}", to(23), to(59), to(59));
    let hex = |n: u32| format!("{n:08x}");
    Some(match format {
        "date" => date,
        "time" => format!("{time}Z"),
        "date-time" => format!("{date}T{time}.{}+02:00", to(999)),
        "duration" => format!("P{}DT{}H", to(99), to(99)),
        "ipv4" => format!("{}.{}.{}.{}", to(255), to(255), to(255), to(255)),
        "ipv6" => format!("2001:db8::{:x}", to(0xffff)),
        "uuid" => {
            let all = [to(u32::MAX), to(u32::MAX), to(u32::MAX), to(u32::MAX)].map(hex).concat();
            [&all[..8], &all[8..12], &all[12..16], &all[16..20], &all[20..]].join("-")
        }
        "email" | "idn-email" => format!("{}@example.com", word(maker)),
        "hostname" | "idn-hostname" => format!("h{}.example.com", to(999)),
        "uri" | "iri" | "uri-reference" | "iri-reference" => format!("https://example.com/{}?q=%20#x", word(maker)),
        "json-pointer" => format!("/{}", word(maker)),
        _ => return None,
    })
}
