//! Lists in pages: so many items, and where the rest begins.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// Most items of a page, where the request says nothing.
const LIMIT_DEFAULT: u32 = 100;

/// Most items that a request wants, at least one and at most `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Limit<const MAX: u32>(u32);

impl<const MAX: u32> Limit<MAX> {
    /// The figure.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The figure, for what is in memory.
    pub fn items(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const MAX: u32> Default for Limit<MAX> {
    fn default() -> Self {
        Self(LIMIT_DEFAULT.min(MAX))
    }
}

impl<const MAX: u32> TryFrom<u32> for Limit<MAX> {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        if (1..=MAX).contains(&limit) { Ok(Self(limit)) } else { Err(format!("{limit} is not between 1 and {MAX}")) }
    }
}

impl<const MAX: u32> schemars::JsonSchema for Limit<MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Limit{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let default = Self::default().0;
        schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": MAX, "default": default })
    }
}

/// What is answered to a cursor that no page gave.
pub(super) fn bad_cursor() -> Problem {
    let next = "Take it as it is out of the header `Link` of the page before, or leave it out.";
    Problem::invalid("request.cursor", "the cursor is none that a page gave", next)
}

/// One page: an array, and in the header `Link` where the next page is.
pub(super) struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of some items, of which one more was looked for. `cursor` says of an item where those after it
    /// begin.
    pub fn of(mut items: Vec<T>, limit: usize, here: &Uri, cursor: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|last| target(here, &cursor(last)));
        Self { items, next }
    }
}

/// The same request from a cursor on.
fn target(here: &Uri, cursor: &str) -> String {
    let query = here.query().unwrap_or_default();
    let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "cursor");
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).append_pair("cursor", cursor).finish();
    format!("{}?{query}", here.path())
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let link = self.next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
        let mut answer = Json(self.items).into_response();
        if let Some(link) = link {
            answer.headers_mut().insert(header::LINK, link);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_begins_and_the_last_one_does_not() {
        let here: Uri = "/v1/things?kind=a%20b&cursor=1&limit=2".parse().unwrap();
        let page = |items: Vec<u32>| Page::of(items, 2, &here, ToString::to_string);
        assert_eq!(page(vec![4, 5, 6]).next.as_deref(), Some("/v1/things?kind=a+b&limit=2&cursor=5"));
        assert_eq!(page(vec![4, 5, 6]).items, [4, 5]);
        assert_eq!(page(vec![4, 5]).next, None);
        assert_eq!(page(vec![]).next, None);
    }

    #[test]
    fn a_limit_is_neither_nothing_nor_everything() {
        assert_eq!(Limit::<10>::default().get(), 10);
        assert!(Limit::<10>::try_from(0).is_err() && Limit::<10>::try_from(11).is_err());
        assert_eq!(Limit::<10>::try_from(10).map(Limit::get), Ok(10));
    }
}
