//! Smaller inputs than one that fails, so that what fails is seen at a glance.

use serde_json::{Map, Value};

/// Most proposals for one value.
const PROPOSALS_MAX: usize = 64;

/// Values that are a little smaller, the smallest first.
pub fn smaller(value: &Value) -> Vec<Value> {
    let mut proposals = match value {
        Value::Object(object) => of_object(object),
        Value::Array(array) => of_array(array),
        Value::String(text) => of_text(text),
        Value::Number(number) => of_number(number.as_f64().unwrap_or_default()),
        Value::Bool(true) => vec![Value::Bool(false)],
        Value::Bool(false) | Value::Null => Vec::new(),
    };
    proposals.truncate(PROPOSALS_MAX);
    proposals
}

fn of_object(object: &Map<String, Value>) -> Vec<Value> {
    let mut proposals: Vec<Value> = object.keys().map(|name| without(object, name)).collect();
    for (name, value) in object {
        for less in smaller(value) {
            let mut changed = object.clone();
            changed.insert(name.clone(), less);
            proposals.push(Value::Object(changed));
            if proposals.len() >= PROPOSALS_MAX {
                return proposals;
            }
        }
    }
    proposals
}

fn without(object: &Map<String, Value>, name: &str) -> Value {
    let others = object.iter().filter(|(other, _)| *other != name);
    Value::Object(others.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn of_array(array: &[Value]) -> Vec<Value> {
    let half = array.len() / 2;
    let mut proposals: Vec<Value> = Vec::new();
    if !array.is_empty() {
        proposals.push(Value::Array(Vec::new()));
    }
    if half > 0 {
        proposals.extend([&array[..half], &array[half..]].map(|part| Value::Array(part.to_vec())));
    }
    for place in 0..array.len().min(PROPOSALS_MAX) {
        for less in smaller(&array[place]) {
            let mut changed = array.to_vec();
            changed[place] = less;
            proposals.push(Value::Array(changed));
            if proposals.len() >= PROPOSALS_MAX {
                return proposals;
            }
        }
    }
    proposals
}

fn of_text(text: &str) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    let half = chars.len() / 2;
    let mut proposals = Vec::new();
    if !chars.is_empty() {
        proposals.push(String::new());
    }
    if half > 0 {
        let parts = [&chars[..half], &chars[half..], &chars[1..], &chars[..chars.len() - 1]];
        proposals.extend(parts.map(|part| part.iter().collect::<String>()));
    }
    proposals.into_iter().map(Value::String).collect()
}

fn of_number(number: f64) -> Vec<Value> {
    let whole = number.trunc();
    // Where it is too large to be counted, half of it is as good.
    let numbers = [0.0, whole / 2.0, whole].map(f64::trunc).into_iter();
    let numbers = numbers.filter(|less| *less != number && less.abs() < (1_u64 << 53) as f64);
    let mut proposals: Vec<Value> = numbers.map(|less| Value::from(less as i64)).collect();
    proposals.dedup();
    proposals
}
