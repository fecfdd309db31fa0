//! Whose a session is.

use super::error::ConversationError;

/// Longest name of a session, bytes.
const NAME_BYTES_MAX: usize = 128;

/// A session of a client, as it is on the wire: `CLIENT/NAME`. No name of a client has a `/`, so none can name another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session(Box<str>);

impl Session {
    /// The session that a client calls so.
    ///
    /// # Errors
    /// `conversation.session` for other names than 1 to 128 of `a-z`, `A-Z`, `0-9`, `.`, `_` and `-`.
    pub fn of(client: &str, name: &str) -> Result<Self, ConversationError> {
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !is_plain || !(1..=NAME_BYTES_MAX).contains(&name.len()) {
            return Err(ConversationError::Session);
        }
        Ok(Self(format!("{client}/{name}").into()))
    }

    /// Its id on the wire.
    pub fn id(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_says_whose_it_is_and_no_name_leads_to_anothers() {
        assert_eq!(Session::of("desk", "Trip-1.b_c").unwrap().id(), "desk/Trip-1.b_c");
        for name in ["", "../other/a", "other/a", "a b", "a\n", "ä", &"x".repeat(129)] {
            assert_eq!(Session::of("desk", name).unwrap_err(), ConversationError::Session, "{name}");
        }
    }
}
