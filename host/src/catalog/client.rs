//! Whoever comes from outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::Catalog;
use crate::capabilities::{CallContext, Caller, Identity};
use crate::permissions::Principal;

impl Catalog {
    /// Somebody outside who calls tools: what the rows for `client:NAME` allow at this moment. The work belongs to the
    /// trace `traceparent`.
    pub fn client(&self, name: &str, traceparent: Arc<str>) -> Caller {
        let principal = Principal::client(name);
        let grant = self.matrix().current().grant(&principal, None, None, None);
        let identity = Arc::new(Identity {
            component: principal.as_str().into(),
            principal,
            digest: String::new(),
            policy_revision: grant.revision().to_string(),
            settings: BTreeMap::new(),
            source: None,
            is_heard: true,
            grant,
        });
        let context = CallContext::begin(&identity, traceparent);
        Caller { identity, context }
    }
}
