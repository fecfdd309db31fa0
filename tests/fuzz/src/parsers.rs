//! The parsers, and what must hold of whatever they take.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use time::OffsetDateTime;
use wasmill::capabilities::Outbox;
use wasmill::fuzzing;
use wasmill::home::{HostConfig, Tokens};
use wasmill::permissions::{Action, Matrix, Principal};
use wasmill::runtime::bindings::records::{Column, HeaderColumns, Outgoing};
use wasmill_registry::{
    AgentryIndex, Bundle, Checkpoint, Envelope, LockFile, Manifest, Parts, Permissions, Role, SecretKey, TrustRoots,
    VerifiedApproval, VerifiedPolicy, entries_of, trust_entry,
};

type Parser = fn(&[u8]);

/// By name. The list in xtask/src/fuzz.rs is the same.
const ALL: [(&str, Parser); 14] = [
    ("agents", agents),
    ("columns", columns),
    ("component", fuzzing::component),
    ("conversation", conversation),
    ("envelope", envelope),
    ("http", fuzzing::http_body),
    ("layout", layout),
    ("manifest", manifest),
    ("mcp", fuzzing::mcp_message),
    ("permissions", permissions),
    ("schema", schema),
    ("settings", settings),
    ("source", source),
    ("tool-request", fuzzing::tool_request),
];

/// The one that `WASMILL_PARSER` names.
pub static CHOSEN: LazyLock<Parser> = LazyLock::new(|| {
    let name = std::env::var("WASMILL_PARSER").unwrap_or_default();
    let found = ALL.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("WASMILL_PARSER is one of {:?}", ALL.map(|(known, _)| known))).1
});

fn text(bytes: &[u8], read: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
}

fn made<'b, T: Arbitrary<'b>>(bytes: &'b [u8], read: impl FnOnce(T)) {
    if let Ok(value) = T::arbitrary_take_rest(Unstructured::new(bytes)) {
        read(value);
    }
}

/// The topic of agents that somebody has started.
fn agents(bytes: &[u8]) {
    made(bytes, |records: Vec<(Option<&[u8]>, Option<&[u8]>)>| fuzzing::started_agents(&records));
}

/// Columns of records as a guest hands them back: what is taken can be walked through from end to end.
fn columns(bytes: &[u8]) {
    /// Bytes and where each row ends in them.
    type Rows = (Vec<u8>, Vec<u32>);
    /// Keys, which of them are there, values, likewise, and headers: where each record's end, names, values.
    type Given = (Rows, Vec<u8>, Rows, Vec<u8>, Option<(Vec<u32>, Rows, Rows)>);
    const SIZE_MAX: usize = 64 * 1024;
    let column = |(bytes, ends): Rows| Column { bytes, ends };
    made(bytes, |(keys, key_present, values, value_present, headers): Given| {
        let headers =
            headers.map(|(ends, names, values)| HeaderColumns { ends, names: column(names), values: column(values) });
        let (keys, values) = (column(keys), column(values));
        let outgoing = Outgoing { topic: "out".into(), keys, key_present, values, value_present, headers };
        let mut outbox = Outbox::new(SIZE_MAX, "the fuzzer's".into());
        if outbox.push(outgoing).is_err() {
            return;
        }
        let mut size = 0;
        for output in outbox.take() {
            for row in 0..output.keys.len() {
                size += output.keys.row(row).len() + output.values.row(row).len();
                size += output.headers.iter().flat_map(|h| h.of(row)).map(|(n, v)| n.len() + v.len()).sum::<usize>();
            }
        }
        assert!(size <= SIZE_MAX, "{size} bytes were taken");
    });
}

/// What a client says in a conversation, and what an agent answers.
fn conversation(bytes: &[u8]) {
    made(bytes, |(key, value): (Option<&[u8]>, &[u8])| fuzzing::conversation(key, value));
}

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::generate().unwrap_or_else(|error| panic!("{error}")));

static TRUST: LazyLock<TrustRoots> = LazyLock::new(|| {
    let roles = [Role::Publisher, Role::Forge, Role::Admin];
    let entry = trust_entry("fuzz", &KEY.public(), &roles, None);
    TrustRoots::parse(&entry).unwrap_or_else(|error| panic!("{error}"))
});

/// Envelopes: as bytes, which nobody signed, and as a payload that a trusted key signed.
fn envelope(bytes: &[u8]) {
    const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
    assert!(!is_anything(bytes, now), "what nobody signed was taken");
    if let Ok(envelope) = Envelope::from_json(bytes) {
        let written = envelope.to_json();
        assert_eq!(Envelope::from_json(&written).map(|again| again.to_json()), Ok(written));
    }
    is_anything(&Envelope::sign(PAYLOAD_TYPE, bytes, &KEY).to_json(), now);
}

fn is_anything(envelope: &[u8], now: OffsetDateTime) -> bool {
    let _ = Checkpoint::peek(envelope);
    let bundle = Bundle { component: Vec::new(), manifest: Vec::new(), envelope: envelope.into(), source: None };
    VerifiedApproval::verify(envelope, &TRUST, now).is_ok()
        || VerifiedPolicy::verify(envelope, &TRUST, now).is_ok()
        || Checkpoint::verify(envelope, &TRUST).is_ok()
        || bundle.verify(&TRUST, now).is_ok()
}

/// What a registry answers: an index, an image's manifest, another product's index; and a lock file.
fn layout(bytes: &[u8]) {
    let _ = entries_of(bytes);
    let _ = Parts::parse(bytes);
    let _ = AgentryIndex::parse(bytes);
    text(bytes, |text| {
        if let Ok(lock) = LockFile::parse(text) {
            let written = lock.to_text().unwrap_or_else(|error| panic!("read, and not written: {error}"));
            assert_eq!(LockFile::parse(&written).as_ref().map(LockFile::pins), Ok(lock.pins()));
        }
    });
}

/// A component's manifest, and permissions alone.
fn manifest(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::parse(bytes) {
        assert!(!manifest.name.is_empty(), "a manifest without a name was taken");
    }
    text(bytes, |text| {
        if let Ok(permissions) = Permissions::parse(text) {
            let once = permissions.normalized();
            assert_eq!(once.clone().normalized(), once);
        }
    });
}

/// permissions.toml: a matrix that is taken answers everybody, and allows nothing without a row.
fn permissions(bytes: &[u8]) {
    text(bytes, |text| {
        let Ok(matrix) = Matrix::parse(text) else { return };
        assert_eq!(Matrix::parse(text).ok().map(|again| again.revision().clone()), Some(matrix.revision().clone()));
        for name in ["a", "logsmith", "maker.tool"] {
            let grant = matrix.grant(&Principal::agent(name), None, None, None);
            for action in [Action::ToolCall("t"), Action::TopicWrite("out"), Action::Forge("rust"), Action::State] {
                if grant.check(action).is_allowed() {
                    assert!(!matrix.rows().is_empty(), "no row allowed this");
                }
            }
            let _ = (grant.risk(), grant.limits());
        }
    });
}

/// A function as its tool describes it, and arguments for it.
fn schema(bytes: &[u8]) {
    made(bytes, |(schema, arguments): (&str, &str)| fuzzing::schema(schema, arguments));
}

/// The home's other files: host.toml, trust.toml, tokens.toml.
fn settings(bytes: &[u8]) {
    text(bytes, |text| {
        let _ = HostConfig::parse(text);
        let _ = TrustRoots::parse(text);
        let _ = Tokens::parse(text);
    });
}

/// The source of a tool as an agent hands it over: its tokens, and the request around it.
fn source(bytes: &[u8]) {
    text(bytes, fuzzing::source);
}
