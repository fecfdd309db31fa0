//! Names that are safe as parts of tool names and state keys.

/// Longest readable part, in characters.
const READABLE_MAX: usize = 32;

/// A short name of `a-z`, `0-9` and `-` for any text; different texts get different names, and texts that already are such
/// names and short enough stay as they are.
pub fn slug(text: &str) -> String {
    let mut readable = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            readable.push(c);
        } else if !readable.ends_with('-') && !readable.is_empty() {
            readable.push('-');
        }
        if readable.len() == READABLE_MAX {
            break;
        }
    }
    let readable = readable.trim_end_matches('-');
    if readable == text && !readable.is_empty() {
        return readable.to_owned();
    }
    let name = if readable.is_empty() { "source" } else { readable };
    format!("{name}-{:016x}", fingerprint(text))
}

/// FNV-1a, 64 bits.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_stays_as_it_is() {
        assert_eq!(slug("dpkg"), "dpkg");
        assert_eq!(slug("web-01"), "web-01");
    }

    #[test]
    fn any_text_becomes_a_tool_name() {
        for text in ["", "---", "/var/log/dpkg.log", "ÄÖÜ", "a\u{202e}b\n\"", &"x".repeat(5_000)] {
            let name = slug(text);
            assert!(!name.is_empty() && name.len() <= 52, "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
        }
    }

    #[test]
    fn texts_that_read_alike_are_told_apart() {
        assert_ne!(slug("a.b"), slug("a/b"));
        assert_ne!(slug("A"), slug("a"));
    }
}
