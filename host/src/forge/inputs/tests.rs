use serde_json::json;

use super::*;

fn seed(text: &str) -> Seed {
    Seed::of(&Digest::of(text.as_bytes()))
}

/// How many of a hundred inputs fit.
fn fitting(schema: &Value) -> usize {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let mut inputs = Inputs::new(schema.clone(), seed("a"), "f");
    (0..100).filter(|_| validator.is_valid(&inputs.draw())).count()
}

fn of(property: Value) -> Value {
    json!({ "type": "object", "properties": { "x": property }, "required": ["x"], "additionalProperties": false })
}

#[test]
fn what_usual_schemas_say_is_kept_to() {
    for schema in [
        json!({}),
        json!(true),
        json!({ "type": "object", "minProperties": 3 }),
        json!({ "type": "object", "additionalProperties": { "type": "integer", "minimum": 3 }, "maxProperties": 2 }),
        json!({ "type": "object", "patternProperties": { "^x-[a-z]+$": { "type": "boolean" } },
                "additionalProperties": false }),
        of(json!({ "type": "string", "minLength": 3, "maxLength": 5 })),
        of(json!({ "type": "string", "pattern": "^[A-Z]{2}\\d{1,4}(-[a-f]+)?$" })),
        of(json!({ "type": "string", "format": "date-time" })),
        of(json!({ "type": "integer", "minimum": -3, "exclusiveMaximum": 7 })),
        of(json!({ "type": "integer", "minimum": 5, "multipleOf": 5 })),
        of(json!({ "type": "number", "minimum": 0.5, "maximum": 0.75 })),
        of(json!({ "enum": ["a", 1, null] })),
        of(json!({ "const": { "a": [1] } })),
        of(json!({ "type": ["null", "boolean"] })),
        of(json!({ "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 3 })),
        of(json!({ "type": "array", "prefixItems": [{ "const": 1 }, { "type": "string" }], "items": false,
                   "minItems": 2, "maxItems": 2 })),
        of(json!({ "allOf": [{ "type": "string" }, { "maxLength": 2 }] })),
        of(json!({ "minimum": 3, "type": "integer", "anyOf": [{ "maximum": 9 }, { "maximum": 4 }] })),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": of(json!({ "$ref": "#/$defs/b" })), "b": { "type": "boolean" } } }),
        json!({ "type": "object", "$defs": { "tree": { "type": "object", "properties": {
                "left": { "$ref": "#/$defs/tree" }, "right": { "$ref": "#/$defs/tree" } } } },
                "properties": { "tree": { "$ref": "#/$defs/tree" } }, "required": ["tree"] }),
    ] {
        let fitting = fitting(&schema);
        assert!(fitting >= 95, "{fitting} of 100 fit {schema}");
    }
}

#[test]
fn the_same_seed_gives_the_same_and_another_function_others() {
    let draw = |seed, function| {
        let mut inputs = Inputs::new(of(json!({ "type": "string" })), seed, function);
        [inputs.draw(), inputs.draw(), inputs.draw()]
    };
    assert_eq!(draw(seed("a"), "f"), draw(seed("a"), "f"));
    assert_ne!(draw(seed("a"), "f"), draw(seed("a"), "g"));
    assert_ne!(draw(seed("a"), "f"), draw(seed("b"), "f"));
    let text = serde_json::to_string(&seed("a")).unwrap();
    assert_eq!((text.len(), serde_json::from_str::<Seed>(&text).unwrap()), (18, seed("a")));
}

#[test]
fn inputs_meet_the_edges() {
    let mut inputs = Inputs::new(of(json!({ "type": "string" })), seed("a"), "f");
    let texts: Vec<String> = (0..200).map(|_| inputs.draw()["x"].as_str().unwrap().to_owned()).collect();
    assert!(texts.iter().any(String::is_empty));
    assert!(texts.iter().any(|text| !text.is_ascii()));
    assert!(texts.iter().any(|text| text.len() > 200));
    let mut inputs = Inputs::new(of(json!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 })), seed("a"), "f");
    let numbers: Vec<i64> = (0..100).map(|_| inputs.draw()["x"].as_i64().unwrap()).collect();
    assert!(numbers.contains(&1) && numbers.contains(&1_000_000));
}

/// However bad a schema is: what comes of it is small, and comes soon.
#[test]
fn no_schema_makes_an_input_large_or_slow() {
    let mut nested = json!({ "type": "string" });
    for _ in 0..60 {
        nested = json!({ "type": "object", "properties": { "x": nested }, "required": ["x"] });
    }
    let mut doubled = serde_json::Map::new();
    for n in 0..60 {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        doubled.insert(
            format!("d{n}"),
            json!({ "allOf": [next, next], "properties": { "a": next, "b": next },
                                                 "required": ["a", "b"] }),
        );
    }
    let endless = "#/$defs/me";
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "$ref": endless, "$defs": { "me": { "allOf": [{ "$ref": endless }, { "$ref": endless }] } } }),
        json!({ "type": "object", "properties": { "x": { "$ref": "#" } }, "required": ["x"] }),
        json!({ "type": "object", "additionalProperties": { "$ref": "#" }, "minProperties": 4_000_000_000_u64 }),
        of(json!({ "type": "array", "minItems": u64::MAX })),
        of(json!({ "type": "array", "minItems": 1e300, "items": { "type": "array", "minItems": 1e300 } })),
        of(json!({ "type": "string", "minLength": u64::MAX })),
        of(json!({ "type": "string", "pattern": "((a{1000}){1000}){1000}" })),
        of(json!({ "type": "string", "pattern": "((|){1000}){1000}" })),
        of(json!({ "type": "string", "pattern": "^(a+)+$" })),
        of(json!({ "type": "string", "pattern": "(?=never)[z-a" })),
        of(json!({ "type": "string", "pattern": "[^\\s\\S]" })),
        of(json!({ "type": "integer", "minimum": 1e300, "maximum": -1e300, "multipleOf": 7 })),
        of(json!({ "type": "number", "minimum": 1.7e308, "maximum": -1.7e308 })),
        of(json!({ "type": [], "enum": [], "anyOf": [], "minLength": -1, "required": 3, "items": 7 })),
        json!({ "type": "object", "required": (0..5_000).map(|n| n.to_string()).collect::<Vec<_>>() }),
        nested,
        json!({ "$ref": "#/$defs/d0", "$defs": doubled }),
        json!([1, 2]),
    ] {
        let began = std::time::Instant::now();
        let mut inputs = Inputs::new(schema.clone(), seed("a"), "f");
        for _ in 0..20 {
            let bytes = inputs.draw().to_string().len();
            assert!(bytes < 128 * 1024, "{bytes} bytes of {schema}");
        }
        assert!(began.elapsed().as_secs() < 5, "{schema}");
    }
}

#[test]
fn what_is_smaller_comes_to_an_end() {
    let mut inputs = Inputs::new(json!({ "minProperties": 3 }), seed("a"), "f");
    for _ in 0..50 {
        let mut value = inputs.draw();
        for step in 0.. {
            assert!(step < 20_000, "{value}");
            let Some(less) = smaller(&value).into_iter().next_back() else { break };
            value = less;
        }
    }
    assert_eq!(smaller(&json!(7)), [json!(0), json!(3)]);
    assert_eq!(smaller(&json!({ "a": "" })), [json!({})]);
}
