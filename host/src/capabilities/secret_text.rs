//! `${secret:NAME}` in a text, and the value in its place.

const OPEN: &str = "${secret:";

/// True where a text names a secret.
pub(crate) fn names_secret(text: &str) -> bool {
    text.contains(OPEN)
}

/// Replaces each `${secret:NAME}`; an unclosed one stays as it is.
///
/// # Errors
/// What `value` says of a name.
pub(crate) fn fill<E>(text: &str, value: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let name_on = &rest[start + OPEN.len()..];
        let Some(end) = name_on.find('}') else { break };
        filled.push_str(&rest[..start]);
        filled.push_str(&value(&name_on[..end])?);
        rest = &name_on[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_filled_in_and_a_refused_one_ends_it() {
        let value = |name: &str| if name == "A" { Ok("s3cret".to_owned()) } else { Err(()) };
        assert_eq!(fill("Bearer ${secret:A}!", value).unwrap(), "Bearer s3cret!");
        assert_eq!(fill("${secret:A}${secret:A}", value).unwrap(), "s3crets3cret");
        assert_eq!(fill("${secret:A", value).unwrap(), "${secret:A");
        assert!(fill("${secret:B}", value).is_err());
    }
}
