//! `tokens.toml`: which token is which client's.
//!
//! A token is 32 random bytes; the file holds its SHA-256 and nothing that a request could be made with. It lies beside
//! the matrix, not in the database: who may write there decides who comes in.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use wasmill_registry::{Digest, DocumentError, NameError, check_component_name, parse_document};

/// What every token begins with, so that one that leaks is known for what it is.
const PREFIX: &str = "wasmill_";
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;
const HEAD: &str = "# Tokens of clients. Made by `wasmill token new`; a token that is not here opens nothing.\n\n";

/// What is known of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Name of the client: it is `client:NAME` of the matrix.
    pub client: String,
    /// SHA-256 of the token, hexadecimal.
    pub sha256: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// From then on it opens nothing; none: it does until it is taken away.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::serde::rfc3339::option")]
    pub expires: Option<OffsetDateTime>,
}

/// A token that was just made: the only time that it is seen.
#[derive(Debug, Serialize)]
pub struct NewToken {
    /// Name of the client.
    pub client: String,
    /// The token.
    pub token: String,
}

/// All tokens of a home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    #[serde(default, rename = "token")]
    tokens: Vec<Token>,
}

impl Tokens {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// With the line that can't be read.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        parse_document(text)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Where a moment has no text in RFC 3339: one that [`Tokens::parse`] gave always has.
    pub(super) fn to_text(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEAD}{}", toml::to_string(self)?))
    }

    /// All of them, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }

    /// Makes a token for a client, beside those that it has: so that a new one can be brought in before the old one goes.
    ///
    /// # Errors
    /// Where the client's name is none: names are as those of components.
    pub fn add(
        &mut self,
        client: &str,
        now: OffsetDateTime,
        expires: Option<OffsetDateTime>,
    ) -> Result<NewToken, NameError> {
        check_component_name(client)?;
        let mut secret = [0; TOKEN_BYTES];
        rand::rng().fill(&mut secret);
        let token = format!("{PREFIX}{}", hex::encode(secret));
        let (client, sha256) = (client.to_owned(), digest(&token));
        let created = now.replace_nanosecond(0).unwrap_or(now);
        self.tokens.push(Token { client: client.clone(), sha256, created, expires });
        Ok(NewToken { client, token })
    }

    /// Takes all tokens of a client away, or the one whose digest begins so. Says how many those were.
    pub fn remove(&mut self, which: &str) -> usize {
        let before = self.tokens.len();
        let by_digest = which.len() >= 8;
        self.tokens.retain(|token| token.client != which && !(by_digest && token.sha256.starts_with(which)));
        before - self.tokens.len()
    }

    /// The client that a token is of, at this moment; none where it is nobody's or has expired.
    pub fn client(&self, token: &str, now: OffsetDateTime) -> Option<&str> {
        // Digests of 32 random bytes: how long a comparison takes tells nothing that helps to guess one.
        let sha256 = digest(token);
        let found = self.tokens.iter().find(|known| known.sha256 == sha256)?;
        found.expires.is_none_or(|expires| now < expires).then_some(&found.client)
    }
}

fn digest(token: &str) -> String {
    Digest::of(token.as_bytes()).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use time::Duration;

    use super::*;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn a_token_opens_for_its_client_until_it_expires_or_is_taken_away() {
        let mut tokens = Tokens::default();
        let first = tokens.add("desk", NOW, None).unwrap();
        let second = tokens.add("other", NOW, Some(NOW + Duration::HOUR)).unwrap();
        assert_eq!(tokens.client(&first.token, NOW), Some("desk"));
        assert_eq!(tokens.client(&second.token, NOW), Some("other"));
        assert_eq!(tokens.client(&second.token, NOW + Duration::HOUR), None);
        assert_eq!(tokens.client("wasmill_", NOW), None);
        assert_eq!(tokens.client("", NOW), None);
        assert_eq!((tokens.remove("desk"), tokens.remove("desk")), (1, 0));
        assert_eq!(tokens.client(&first.token, NOW), None);
    }

    #[test]
    fn the_file_says_the_same_and_never_a_token() {
        let mut tokens = Tokens::default();
        let made = tokens.add("desk", NOW, Some(NOW + Duration::DAY)).unwrap();
        let text = tokens.to_text().unwrap();
        assert_eq!(Tokens::parse(&text).unwrap(), tokens);
        assert!(!text.contains(&made.token) && !text.contains(made.token.trim_start_matches(PREFIX)));
        // What the file holds opens nothing.
        let sha256 = tokens.iter().next().unwrap().sha256.clone();
        assert_eq!(tokens.client(&sha256, NOW), None);
    }

    #[test]
    fn no_two_tokens_are_the_same_and_names_are_checked() {
        let mut tokens = Tokens::default();
        let (a, b) = (tokens.add("a", NOW, None).unwrap(), tokens.add("a", NOW, None).unwrap());
        assert_ne!(a.token, b.token);
        assert!(tokens.add("a\"\n[[token]]", NOW, None).is_err());
    }
}
