//! Who is denied what, and what a denial says.

use super::*;

const MATRIX: &str = r#"privileged = ["http", "topics.create"]

[[row]]
principal = "agent:counter"
topics.read = ["orders"]
topics.write = ["counts.*"]

[[row]]
principal = "tool:counter.*"
topics.write = ["counts.day", "payments"]
http = [{ host = "api.example.com", methods = ["GET"] }]

[[row]]
principal = "*"
clock = true
"#;

fn denial(decision: Decision) -> String {
    match decision {
        Decision::Denied(denial) => denial.to_string(),
        Decision::Allowed { line } => panic!("allowed by line {line}"),
    }
}

#[test]
fn a_denial_names_who_what_and_the_row_that_would_have_to_change() {
    let grant = matrix(MATRIX).grant(&Principal::agent("counter"), None, None, None);
    assert_eq!(grant.check(Action::TopicWrite("counts.day")), Decision::Allowed { line: 3 });
    assert_eq!(grant.check(Action::Clock), Decision::Allowed { line: 13 });
    assert_eq!(
        denial(grant.check(Action::TopicWrite("payments"))),
        "agent:counter may not write topic payments: \
         add topics.write = [\"payments\"] to the row for \"agent:counter\" in permissions.toml (line 3)"
    );
    assert_eq!(
        denial(grant.check(Action::Http { host: "a.com", method: "PUT" })),
        "agent:counter may not send PUT requests to a.com: \
         add http = [{ host = \"a.com\", methods = [\"PUT\"] }] to the row for \"agent:counter\" in permissions.toml (line 3)"
    );
}

#[test]
fn who_has_no_row_is_told_to_get_one_and_never_to_widen_the_row_for_all() {
    let grant = matrix(MATRIX).grant(&Principal::agent("other"), None, None, None);
    assert_eq!(
        denial(grant.check(Action::State)),
        "agent:other may not keep state: add a [[row]] with principal = \"agent:other\" and state = true to permissions.toml"
    );
}

#[test]
fn what_the_manifest_does_not_ask_for_is_denied_even_where_the_row_allows_it() {
    let wanted = permissions("topics.read = [\"orders\"]");
    let grant = matrix(MATRIX).grant(&Principal::agent("counter"), Some(&wanted), None, None);
    assert!(grant.check(Action::TopicRead("orders")).is_allowed());
    let text = denial(grant.check(Action::TopicWrite("counts.day")));
    assert!(
        text.contains("its manifest does not ask for it: add topics.write = [\"counts.day\"] to [permissions]"),
        "{text}"
    );
}

#[test]
fn what_the_maker_may_not_do_its_tool_may_not_do() {
    let matrix = matrix(MATRIX);
    let maker = matrix.grant(&Principal::agent("counter"), None, None, None);
    let wanted = permissions("topics.write = [\"*\"]");
    let grant = matrix.grant(&Principal::tool("counter.day"), Some(&wanted), None, Some(&maker));
    assert!(grant.check(Action::TopicWrite("counts.day")).is_allowed());
    assert_eq!(grant.effective().topics.write, ["counts.day"]);
    let text = denial(grant.check(Action::TopicWrite("payments")));
    assert_eq!(
        text,
        "tool:counter.day may not write topic payments, because it was made for agent:counter and agent:counter may not \
         write topic payments: add topics.write = [\"payments\"] to the row for \"agent:counter\" in permissions.toml (line 3)"
    );
}

#[test]
fn a_privileged_column_stays_closed_until_it_is_approved() {
    let matrix = matrix(MATRIX);
    let wanted = permissions("http = [{ host = \"*\", methods = [\"*\"] }]\ntopics.write = [\"payments\"]");
    let grant = matrix.grant(&Principal::tool("counter.web"), Some(&wanted), None, None);
    let get = Action::Http { host: "api.example.com", method: "GET" };
    assert!(grant.awaits_approval());
    assert_eq!(grant.privileged().iter().collect::<Vec<_>>(), [Column::Http]);
    assert!(grant.check(Action::TopicWrite("payments")).is_allowed(), "only the privileged column is closed");
    assert_eq!(
        denial(grant.check(get)),
        "tool:counter.web may not send GET requests to api.example.com before an admin approves it: \
         see `wasmill approval show counter.web`, then `wasmill approval grant counter.web`"
    );
    let approved = grant.approved();
    assert!(approved.check(get).is_allowed() && !approved.awaits_approval());
    assert!(!approved.check(Action::Http { host: "api.example.com", method: "POST" }).is_allowed());
    assert_eq!(approved.effective().http[0].host, "api.example.com", "what is signed is what all layers allow");
}

#[test]
fn what_no_row_allows_needs_no_approval() {
    let wanted = permissions("topics.create = [\"x\"]\ntopics.write = [\"payments\"]");
    let grant = matrix(MATRIX).grant(&Principal::tool("counter.x"), Some(&wanted), None, None);
    assert!(!grant.awaits_approval());
}

#[test]
fn http_hosts_know_no_case_and_nothing_but_a_host_passes_for_one() {
    let matrix = matrix("[[row]]\nprincipal = \"*\"\nhttp = [{ host = \"*.Example.com\", methods = [\"GET\"] }]\n");
    let grant = matrix.grant(&Principal::client("cli"), None, None, None);
    let get = |host| grant.check(Action::Http { host, method: "GET" }).is_allowed();
    assert!(get("API.example.COM"));
    for host in
        ["example.com", "api.example.com.attacker.net", "attacker.net/.example.com", "attacker.net#.example.com", ""]
    {
        assert!(!get(host), "{host}");
    }
}

#[test]
fn a_client_needs_no_approval_for_what_its_row_says() {
    let matrix =
        matrix("privileged = [\"topics.create\"]\n[[row]]\nprincipal = \"client:cli\"\ntopics.create = [\"*\"]\n");
    let grant = matrix.grant(&Principal::client("cli"), None, None, None);
    assert!(grant.check(Action::TopicCreate("new")).is_allowed() && !grant.awaits_approval());
}

#[test]
fn an_explanation_says_what_each_layer_says() {
    let matrix = matrix(MATRIX);
    let wanted = permissions("topics.read = [\"*\"]\nclock = true\nstate = true");
    let grant = matrix.grant(&Principal::agent("counter"), Some(&wanted), None, None);
    let explanation = matrix.explain(&grant, Some(&wanted));
    let read = &explanation.columns[0];
    assert_eq!(
        (read.allowed.as_slice(), read.rows.as_slice()),
        (["orders".to_string()].as_slice(), ["orders (line 3)".to_string()].as_slice())
    );
    let state = explanation.columns.iter().find(|c| c.column == Column::State).unwrap();
    assert!(state.allowed.is_empty() && state.rows.is_empty(), "asked for, not given");
    let text = explanation.render(100);
    assert!(text.contains("rows for it: \"agent:counter\" (line 3), \"*\" (line 13)"), "{text}");
    assert!(text.contains("memory_mib = 128 (the default"), "{text}");
}
