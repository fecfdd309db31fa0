//! docs/permissions.md says what is so.

use super::*;

const MANUAL: &str = include_str!("../../../../docs/permissions.md");

fn example() -> Matrix {
    let file = MANUAL.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    matrix(file)
}

/// The denial of an action, which must stand in the manual word for word.
fn denied(grant: &Grant, action: Action<'_>) {
    let Decision::Denied(denial) = grant.check(action) else { panic!("{action} is allowed") };
    assert!(MANUAL.lines().any(|line| line.trim() == denial.to_string()), "{denial}");
}

#[test]
fn the_worked_example_works_as_it_says() {
    let matrix = example();
    let wants = permissions(
        "topics = { read = ['words'], write = ['*'] }\nforge = ['rust']\nhttp = [{ host = '*', methods = ['*'] }]",
    );
    let counter = matrix.grant(&Principal::agent("counter"), Some(&wants), None, None).approved();
    assert!(counter.check(Action::TopicRead("words")).is_allowed());
    assert!(counter.check(Action::TopicWrite("counts.day")).is_allowed());
    denied(&counter, Action::TopicWrite("payments"));
    denied(&counter, Action::State);

    let wants = permissions("http = [{ host = '*', methods = ['*'] }]");
    let fetch = matrix.grant(&Principal::tool("counter.fetch"), Some(&wants), None, Some(&counter));
    let get = Action::Http { host: "api.example.com", method: "GET" };
    denied(&fetch, get);
    assert!(fetch.approved().check(get).is_allowed());
    assert_eq!(Column::Http.cell(fetch.effective()), ["GET api.example.com"]);

    denied(&matrix.grant(&Principal::agent("reporter"), None, None, None), Action::TopicRead("words"));
}

#[test]
fn every_limit_and_every_column_stands_in_the_manual() {
    let numbers = |number: u64| {
        let digits = number.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
        groups.join(",")
    };
    for name in LimitName::ALL {
        let shown = |value: u64| {
            let text = name.shown(value);
            text.parse().map_or(text, numbers)
        };
        let (default, range) = (shown(name.default_value()), name.range());
        let row = format!("| `{name}` | {default} | {} | {} |", shown(*range.start()), shown(*range.end()));
        assert!(MANUAL.contains(&row), "{row}");
    }
    for column in Column::ALL {
        assert!(MANUAL.contains(&format!("| `{column}` |")), "{column}");
    }
}
