//! Bodies of requests, as the routes read them.

use axum::body::Body as Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use futures::executor::block_on;
use serde::de::DeserializeOwned;

use super::extract::{Body, Quiet};
use crate::conversations::Said;
use crate::streams::TopicSpec;

/// Reads what follows the first byte, which says what it is.
pub fn body(bytes: &[u8]) {
    let Some((which, json)) = bytes.split_first() else { return };
    match which % 12 {
        0 => read::<super::GrantRequest>(json),
        1 => read::<super::DenyRequest>(json),
        2 => read::<crate::forge::Request>(json),
        3 => read::<Said>(json),
        4 => read::<super::RedriveRequest>(json),
        5 => read::<super::ExplainRequest>(json),
        6 => read::<super::InstallRequest>(json),
        7 => read::<super::ShareRequest>(json),
        8 => read::<super::AppendRequest>(json),
        9 => read::<super::CallRequest>(json),
        10 => read::<super::ApplyRequest>(json),
        _ => read::<TopicSpec>(json),
    }
    let _ = block_on(Quiet::<super::SecretRequest>::from_request(request(json), &()));
}

fn read<T: DeserializeOwned>(json: &[u8]) {
    let _ = block_on(Body::<T>::from_request(request(json), &()));
}

fn request(json: &[u8]) -> Request {
    let mut request = Request::new(Bytes::from(json.to_vec()));
    request.headers_mut().insert(CONTENT_TYPE, "application/json".parse().expect("a header's value"));
    request
}
