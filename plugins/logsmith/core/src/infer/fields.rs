//! Layout of lines that are JSON objects: which field holds what.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::{Kind, kind};
use super::share;
use crate::model::Shape;
use crate::runtime::atom::{atom, is_level};

/// What the values of one field look like, over all lines.
#[derive(Default)]
struct Field {
    seen: usize,
    times: usize,
    levels: usize,
    words: usize,
}

/// The layout, where nearly all lines are objects.
pub fn json(lines: &[&str]) -> Option<Shape> {
    let filled: Vec<&&str> = lines.iter().filter(|line| !line.trim().is_empty()).collect();
    let mut fields: BTreeMap<String, Field> = BTreeMap::new();
    let mut objects = 0;
    for line in &filled {
        let Ok(Value::Object(object)) = serde_json::from_str(line) else { continue };
        objects += 1;
        for (key, value) in object {
            let field = fields.entry(key).or_default();
            field.seen += 1;
            match value {
                Value::String(text) => look(field, &text),
                Value::Number(number) => look(field, &number.to_string()),
                _ => {}
            }
        }
    }
    if !share(objects, filled.len(), 90) {
        return None;
    }
    let time = pick(&fields, |field| share(field.times, objects, 90).then_some(field.times));
    let level = pick(&fields, |field| share(field.levels, objects, 90).then_some(field.levels));
    // The message is the field with the most words, as long as those are sentences.
    let message =
        pick(&fields, |field| (share(field.seen, objects, 50) && field.words >= field.seen * 2).then_some(field.words));
    Some(Shape::Json { time, level, message })
}

fn look(field: &mut Field, text: &str) {
    field.words += text.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count();
    field.levels += usize::from(is_level(text));
    if let Some(first) = atom(text) {
        let alone = first.rest.trim().is_empty() || text.len() < 40;
        field.times += usize::from(alone && matches!(kind(&first), Kind::Time | Kind::Stamp));
    }
}

fn pick(fields: &BTreeMap<String, Field>, score: impl Fn(&Field) -> Option<usize>) -> String {
    let mut best: Option<(usize, &String)> = None;
    for (name, field) in fields {
        if let Some(points) = score(field)
            && best.is_none_or(|(most, _)| points > most)
        {
            best = Some((points, name));
        }
    }
    best.map(|(_, name)| name.clone()).unwrap_or_default()
}
