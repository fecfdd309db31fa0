//! The secrets that a server was given, taken out of what it says.
//!
//! A help against servers that repeat what they were given in errors and answers, not a wall: whoever has a secret can
//! say it in other letters.

use rmcp::model::ServerJsonRpcMessage;

/// What stands in the place of a secret.
const MASKED: &str = "[secret]";
/// Shortest secret that is looked for, bytes: a shorter one would be found in words that have nothing to do with it.
const SIZE_MIN: usize = 8;

/// Secrets of one server.
#[derive(Clone, Default)]
pub(super) struct Mask {
    secrets: Vec<String>,
}

impl Mask {
    /// One more secret.
    pub fn add(&mut self, secret: &str) {
        if secret.len() >= SIZE_MIN {
            let in_json = serde_json::Value::from(secret).to_string();
            let in_json = in_json.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
            self.secrets.extend([secret, in_json].map(str::to_owned));
            // The longest first, or what is left of it would stay.
            self.secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
            self.secrets.dedup();
        }
    }

    /// A text without them.
    pub fn text(&self, mut text: String) -> String {
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, MASKED);
            }
        }
        text
    }

    /// A message without them; none where there is no such message.
    pub fn message(&self, message: ServerJsonRpcMessage) -> Option<ServerJsonRpcMessage> {
        if self.secrets.is_empty() {
            return Some(message);
        }
        let said = serde_json::to_string(&message).ok()?;
        let masked = self.text(said.clone());
        if masked == said { Some(message) } else { serde_json::from_str(&masked).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[&str]) -> Mask {
        let mut mask = Mask::default();
        secrets.iter().for_each(|secret| mask.add(secret));
        mask
    }

    #[test]
    fn secrets_are_taken_out_as_they_are_and_as_json_has_them() {
        let mask = mask(&["long-enough", "with \"quotes\"", "long-enough-too", "short"]);
        assert_eq!(mask.text("a long-enough-too b long-enough".into()), "a [secret] b [secret]");
        assert_eq!(mask.text(r#"{"x":"with \"quotes\""}"#.into()), r#"{"x":"[secret]"}"#);
        assert_eq!(mask.text("short".into()), "short");
    }

    #[test]
    fn an_answer_keeps_its_shape() {
        let said =
            r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"my key is s3cret-s3cret"}]}}"#;
        let message = mask(&["s3cret-s3cret"]).message(serde_json::from_str(said).unwrap()).unwrap();
        let masked = serde_json::to_value(&message).unwrap();
        assert_eq!((&masked["id"], &masked["result"]["content"][0]["text"]), (&7.into(), &"my key is [secret]".into()));
    }
}
