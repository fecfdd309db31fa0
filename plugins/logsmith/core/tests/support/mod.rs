//! Makes logs out of the style files in `tests/styles`: a head, then weighted templates, both with `{…}` for what varies.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;

/// Lines with the template that each was made from.
pub struct Log {
    /// Its lines.
    pub lines: Vec<String>,
    /// For each line, which template of the style it was made from.
    pub truth: Vec<usize>,
}

/// Numbers that look random and are the same in every run.
pub struct Chance(pub u64);

impl Chance {
    /// A number from 0 up to but not including `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A log of `size` lines in the style of a file.
pub fn log(style: &Path, size: usize) -> Log {
    let text = std::fs::read_to_string(style).expect("a style");
    let (head, body) = text.split_once('\n').expect("a head");
    let head = head.strip_prefix("head: ").expect("a head");
    let templates: Vec<(u64, &str)> = body
        .lines()
        .map(|line| line.split_once(' ').expect("a weight"))
        .map(|(n, t)| (n.parse().expect("a number"), t))
        .collect();
    let total: u64 = templates.iter().map(|(weight, _)| weight).sum();
    let mut chance = Chance(7);
    let mut log = Log { lines: Vec::new(), truth: Vec::new() };
    for second in 0..size as u64 {
        let mut at = chance.below(total);
        let index = templates
            .iter()
            .position(|(weight, _)| {
                if at < *weight {
                    true
                } else {
                    at -= weight;
                    false
                }
            })
            .expect("one");
        log.lines.push(format!(
            "{}{}",
            expand(head, &mut chance, second),
            expand(templates[index].1, &mut chance, second)
        ));
        log.truth.push(index);
    }
    log
}

fn expand(text: &str, chance: &mut Chance, second: u64) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let close = closing(rest);
        match close.and_then(|close| value(&rest[1..close], chance, second).map(|value| (close, value))) {
            Some((close, value)) => {
                out.push_str(&value);
                rest = &rest[close + 1..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        (depth == 0).then_some(at)
    })
}

fn value(name: &str, chance: &mut Chance, second: u64) -> Option<String> {
    let names = ["alpha", "bravo", "gamma", "delta", "kappa", "sigma", "omega", "theta", "zulu", "tango"];
    let (hour, minute, sec) = (second / 3600 % 24, second / 60 % 60, second % 60);
    if let Some(options) = name.strip_prefix("pick:") {
        let options: Vec<&str> = options.split('|').collect();
        return Some(expand(options[chance.below(options.len() as u64) as usize], chance, second));
    }
    Some(match name {
        "d" => chance.below(10).to_string(),
        "n" => {
            let limit = 10u64.pow(1 + chance.below(5) as u32);
            chance.below(limit).to_string()
        }
        "n2" => format!("{:02}", chance.below(60)),
        "n3" => format!("{:03}", chance.below(1000)),
        "n4" => (1000 + chance.below(9000)).to_string(),
        "six" => format!("{:06}", chance.below(1_000_000)),
        "long" => (1_000_000_000_000 + chance.below(1_000_000_000)).to_string(),
        "port" => (1024 + chance.below(60_000)).to_string(),
        "day" => format!("{:02}", 1 + second / 86_400),
        "epoch" => (1_117_838_570 + second).to_string(),
        "hms" => format!("{hour:02}:{minute:02}:{sec:02}"),
        "hms." => format!("{hour:02}.{minute:02}.{sec:02}"),
        "datetime," => format!("2015-10-18 {hour:02}:{minute:02}:{sec:02},{:03}", chance.below(1000)),
        "pad" => " ".repeat(chance.below(4) as usize),
        "hex" => format!("{:x}7f{:x}", chance.below(1 << 30), chance.below(1 << 16)),
        "ip" => format!("10.{}.{}.{}", chance.below(256), chance.below(256), chance.below(256)),
        "uuid" => format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            chance.below(1 << 31),
            chance.below(1 << 16),
            chance.below(4096),
            chance.below(1 << 16),
            chance.below(1 << 31)
        ),
        "user" => format!(
            "{}{}",
            names[chance.below(10) as usize],
            if chance.below(3) == 0 { names[chance.below(10) as usize] } else { "" }
        ),
        "host" => format!(
            "{}.{}.com",
            ["www", "cdn", "api", "mail", "s3"][chance.below(5) as usize],
            names[chance.below(10) as usize]
        ),
        _ => return None,
    })
}
