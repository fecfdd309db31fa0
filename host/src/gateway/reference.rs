//! `/v1/openapi.json`: what there is, for programs.

use std::sync::LazyLock;

use axum::Json;
use serde_json::Value;

use super::openapi::{Routes, document};
use crate::problem::Problem;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&super::routes().into_parts().1));

/// The OpenAPI 3.1 document of all routes.
pub fn openapi_document() -> &'static Value {
    &DOCUMENT
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/openapi.json", "This document", show)
}

async fn show() -> Result<Json<&'static Value>, Problem> {
    Ok(Json(openapi_document()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use axum::Router;
    use axum::body::Body;
    use axum::http::{Method, Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;
    use crate::gateway::Gateway;
    use crate::gateway::access::Need;
    use crate::gateway::http::guarded;
    use crate::gateway::rate::Rate;
    use crate::home::{Home, RateConfig};

    fn described() -> BTreeSet<(String, String)> {
        let paths = openapi_document()["paths"].as_object().unwrap();
        let of = |(path, methods): (&String, &Value)| -> Vec<(String, String)> {
            methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect()
        };
        paths.iter().flat_map(of).collect()
    }

    /// Patterns of all routes, as the router itself shows them.
    fn served(router: &Router) -> BTreeSet<String> {
        let shown = format!("{router:?}");
        shown.split('"').filter(|text| text.starts_with("/v1/") && !text.contains(' ')).map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn what_is_served_is_described_and_the_other_way() {
        let folder = tempfile::tempdir().unwrap();
        let gateway = Arc::new(Gateway::new(Home::create(&folder.path().join("home")).unwrap()).unwrap());
        let rate = RateConfig { per_second: 1_000_000, burst: 1_000_000 };
        let router = guarded(gateway, Rate::new(&rate));
        let described = described();
        let paths: BTreeSet<String> = described.iter().map(|(_, path)| path.clone()).collect();
        assert_eq!(served(&router), paths);
        assert!(paths.len() > 25, "{paths:?}");
        for path in &paths {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                let request = Request::builder().method(&method).uri(path.replace(['{', '}'], ""));
                let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                // Whoever comes without a token learns only whether there is something.
                let is_described = described.contains(&(method.to_string(), path.clone()));
                let expected = if is_described { StatusCode::UNAUTHORIZED } else { StatusCode::METHOD_NOT_ALLOWED };
                assert_eq!(answer.status(), expected, "{method} {path}");
            }
        }
    }

    #[test]
    fn whoever_is_told_of_a_route_is_told_who_may_have_it() {
        for (method, path) in described() {
            assert!(Need::of(&method.parse().unwrap(), &path).is_some(), "{method} {path} is for nobody");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_its_path_names() {
        let mut names = BTreeSet::new();
        for (path, methods) in openapi_document()["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
                let in_path = operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "path").count();
                assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
                let answers = &operation["responses"];
                assert!(answers["200"]["content"].is_object() || answers["101"].is_object(), "{method} {path}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn check(document: &Value, value: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(to)) = object.get("$ref") {
                        let found = document.pointer(to.strip_prefix('#').unwrap());
                        assert!(found.is_some(), "{to} leads nowhere");
                    }
                    object.values().for_each(|value| check(document, value));
                }
                Value::Array(all) => all.iter().for_each(|value| check(document, value)),
                _ => {}
            }
        }
        check(openapi_document(), openapi_document());
    }
}
