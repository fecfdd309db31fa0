//! Over random matrices, manifests and actions: layers only ever take away.

use proptest::prelude::*;
use wasmill_registry::{HttpRule, Limits, Permissions, Topics};

use super::*;

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[ab*.]{1,4}", 0..4)
}

fn http() -> impl Strategy<Value = Vec<HttpRule>> {
    let method = prop::sample::select(vec!["GET", "POST", "*"]);
    let rule = ("[ab*]{1,3}", prop::collection::vec(method, 1..3));
    let rule = rule.prop_map(|(host, m)| HttpRule { host, methods: m.into_iter().map(String::from).collect() });
    prop::collection::vec(rule, 0..3)
}

fn wanted() -> impl Strategy<Value = Permissions> {
    (names(), names(), names(), names(), http(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(read, write, create, tools, http, state, clock, timers)| Permissions {
            topics: Topics { read, write, create },
            tools,
            http,
            state,
            clock,
            timers,
            ..Permissions::default()
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (proptest::option::of(2_u32..1_024), proptest::option::of(10_u64..10_000))
        .prop_map(|(memory_mib, compute_ms)| Limits { memory_mib, compute_ms, ..Limits::default() })
}

/// Rows for agents, for tools and for everybody.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let principal = prop::sample::select(vec!["agent:maker", "agent:*", "tool:maker.*", "tool:maker.made", "*"]);
    let row = (principal, wanted(), limits()).prop_map(|(principal, permissions, limits)| Row {
        principal: PrincipalPattern::parse(principal).unwrap(),
        permissions,
        limits,
        line: 1,
    });
    prop::collection::vec(row, 0..5)
}

fn check_all<'a>(names: &'a [String], mut each: impl FnMut(Action<'a>)) {
    for name in names {
        [Action::TopicRead(name), Action::TopicWrite(name), Action::TopicCreate(name), Action::ToolCall(name)]
            .into_iter()
            .for_each(&mut each);
        ["GET", "POST"].into_iter().for_each(|method| each(Action::Http { host: name, method }));
    }
    each(Action::State);
    each(Action::Clock);
    each(Action::Timers);
}

proptest! {
    #[test]
    fn what_is_forged_never_holds_more_than_its_maker(
        rows in rows(),
        maker_wants in wanted(),
        made_wants in wanted(),
        (maker_limits, made_limits) in (limits(), limits()),
        names in prop::collection::vec("[ab.]{1,4}", 1..6),
    ) {
        let matrix = Matrix::of_rows(rows);
        let maker = matrix.grant(&Principal::agent("maker"), Some(&maker_wants), Some(&maker_limits), None);
        let made = matrix.grant(&Principal::tool("maker.made"), Some(&made_wants), Some(&made_limits), Some(&maker));
        let mut failed = None;
        check_all(&names, |action| {
            if made.check(action).is_allowed() && !maker.check(action).is_allowed() {
                failed = Some(format!("{action}"));
            }
        });
        prop_assert_eq!(failed, None);
        for limit in made.limits().iter() {
            prop_assert!(limit.value <= maker.limits().get(limit.name).value);
        }
    }

    #[test]
    fn an_action_is_allowed_exactly_where_every_layer_allows_it(
        rows in rows(),
        made_wants in wanted(),
        names in prop::collection::vec("[ab.]{1,4}", 1..6),
    ) {
        let matrix = Matrix::of_rows(rows);
        let tool = Principal::tool("maker.made");
        let by_rows = matrix.grant(&tool, None, None, None);
        let by_manifest = Matrix::of_rows(vec![Row {
            principal: PrincipalPattern::parse("*").unwrap(),
            permissions: made_wants.clone(),
            limits: Limits::default(),
            line: 1,
        }])
        .grant(&tool, None, None, None);
        let both = matrix.grant(&tool, Some(&made_wants), None, None);
        let mut failed = None;
        check_all(&names, |action| {
            let expected = by_rows.check(action).is_allowed() && by_manifest.check(action).is_allowed();
            if both.check(action).is_allowed() != expected {
                failed = Some(format!("{action}"));
            }
        });
        prop_assert_eq!(failed, None);
    }

    #[test]
    fn whatever_is_allowed_shows_in_the_effective_permissions(
        rows in rows(),
        made_wants in wanted(),
        names in prop::collection::vec("[ab.]{1,4}", 1..6),
    ) {
        let matrix = Matrix::of_rows(rows);
        let grant = matrix.grant(&Principal::tool("maker.made"), Some(&made_wants), None, None);
        let touched = Columns::touched_by(grant.effective());
        let mut failed = None;
        check_all(&names, |action| {
            if grant.check(action).is_allowed() && !touched.contains(action.column()) {
                failed = Some(format!("{action}"));
            }
        });
        prop_assert_eq!(failed, None);
    }
}
