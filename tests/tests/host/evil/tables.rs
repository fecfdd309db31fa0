//! What no Rust guest does: tables that grow, and calls so deep that the host's stack for them ends. Written by hand.

use serde_json::json;

use super::ring::Ring;

/// A tool whose only function does `BODY`.
const TOOL: &str = r#"
(component
  (import "wasmill:plugin/errors@0.1.0" (instance $errors
    (type $problem' (record (field "code" string) (field "message" string) (field "next" string)
      (field "retry-after-ms" (option u64))))
    (export "problem" (type $problem (eq $problem')))
    (type $error' (variant (case "denied" $problem) (case "invalid" $problem) (case "not-found" $problem)
      (case "limit" $problem) (case "unavailable" $problem) (case "failed" $problem)))
    (export "error" (type (eq $error')))))
  (import "wasmill:plugin/tool-types@0.1.0" (instance $types
    (type $function' (record (field "name" string) (field "description" string)
      (field "input-schema" string) (field "output-schema" string)))
    (export "function" (type (eq $function')))))
  (alias export $errors "error" (type $error))
  (alias export $types "function" (type $function))
  (core module $m
    (memory (export "memory") 1)
    (table 1 funcref)
    ;; At 8 the list of functions, at 16 its one row: name `grow`, no description, two schemas `{}`; at 64 a result.
    (data (i32.const 8) "\10\00\00\00\01\00\00\00")
    (data (i32.const 16) "\30\00\00\00\04\00\00\00\30\00\00\00\00\00\00\00\34\00\00\00\02\00\00\00\34\00\00\00\02\00\00\00")
    (data (i32.const 48) "grow{}")
    (data (i32.const 64) "\00\00\00\00\00\00\00\00\34\00\00\00\02\00\00\00")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func $deeper (call $deeper))
    (func (export "describe") (result i32) (i32.const 8))
    (func (export "call") (param i32 i32 i32 i32) (result i32)
      BODY
      (i32.const 64)))
  (core instance $i (instantiate $m))
  (func $describe (result (list $function))
    (canon lift (core func $i "describe") (memory $i "memory")))
  (func $call (param "function" string) (param "arguments" string) (result (result string (error $error)))
    (canon lift (core func $i "call") (memory $i "memory") (realloc (func $i "realloc"))))
  (instance $tool (export "describe" (func $describe)) (export "call" (func $call)))
  (export "wasmill:plugin/tool@0.1.0" (instance $tool)))
"#;

const MANIFEST: &str = "name = \"tables\"\nversion = \"0.1.0\"\nkind = \"tool\"\n";

/// Makes the table so much larger, and traps where it may not.
async fn growing(entries: u32, rows: &str) -> Ring {
    let grow = "(if (i32.eq (table.grow (ref.null func) (i32.const ENTRIES)) (i32.const -1)) (then unreachable))";
    ring(&grow.replace("ENTRIES", &entries.to_string()), rows).await
}

async fn ring(body: &str, rows: &str) -> Ring {
    let ring = Ring::with("evil", MANIFEST_OF_EVIL, "tables", rows, &[]).await;
    let component = wat::parse_str(TOOL.replace("BODY", body)).unwrap();
    ring.scratch.install_bytes(&component, MANIFEST).unwrap();
    ring.host.catalog.refresh().await.unwrap();
    ring
}

const MANIFEST_OF_EVIL: &str = "name = \"evil\"\nversion = \"0.1.0\"\nkind = \"tool\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_grows_to_its_limit_and_no_further() {
    let rows = "[[row]]\nprincipal = \"tool:tables\"\nlimits = { table_entries = 1000 }\n";
    assert_eq!(growing(999, rows).await.attack("grow", json!({})).await.unwrap(), json!({}));
    let limit = "table_entries = 1000 (row for \"tool:tables\", permissions.toml line 5)";
    growing(1000, rows).await.limited("grow", json!({}), limit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_the_default_holds() {
    growing(50_000_000, "").await.limited("grow", json!({}), "table_entries = 20000 (the default").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_end_meet_the_end_of_the_stack_by_name() {
    ring("(call $deeper)", "").await.limited("grow", json!({}), "stack limit: 512 KiB, the same for all").await;
}
