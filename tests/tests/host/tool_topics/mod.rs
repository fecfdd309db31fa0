//! Tools called by topic: whoever has only a client of the log is answered.

mod answers;
mod killed;
mod refused;
mod strangers;

use serde_json::{Value, json};

/// What the client of the topics may, and how far the hostile tool may go.
const DESK_MAY: &str = "[[row]]\nprincipal = \"client:desk\"\ntools = [\"evil\", \"text-metrics\", \"no-such-tool\"]\n\
    [[row]]\nprincipal = \"tool:evil\"\nlimits = { compute_ms = 300, deadline_ms = 20000, output_kib = 4096 }\n";

/// A request, with its id as `request_id` too.
fn request(id: &str, session: &str, tool: &str, args: &Value) -> Value {
    json!({ "event_id": id, "session_id": session, "tool_name": tool, "args": args, "metadata": { "request_id": id } })
}
