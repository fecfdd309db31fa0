//! What a request over TCP needs, by its route. A route that is not named here is not there: deny by default.

use axum::http::Method;

use crate::permissions::{Action, Duty};

/// What has to be allowed before a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A duty on the host.
    Duty(Duty),
    /// Reading the topic that the path names.
    ReadTopic,
    /// Writing to the topic that the path names.
    WriteTopic,
    /// Nothing here: what the request asks for is checked where it is done, by the same rows.
    CheckedInside,
}

impl Need {
    /// What a method on a route needs, by the route's pattern; none: nobody may have it over TCP.
    pub fn of(method: &Method, route: &str) -> Option<Self> {
        let duty = |duty| Some(Self::Duty(duty));
        match (method.as_str(), route) {
            ("GET", "/v1/topics/{topic}/records") => Some(Self::ReadTopic),
            ("POST", "/v1/topics/{topic}/records") => Some(Self::WriteTopic),
            ("POST", "/v1/tools/{tool}/calls" | "/v1/builds" | "/v1/agents/started") | ("GET", "/v1/openapi.json") => {
                Some(Self::CheckedInside)
            }
            ("GET", "/v1/conversations/{session}" | "/v1/conversations/{session}/events")
            | ("POST", "/v1/conversations/{session}/messages") => duty(Duty::Talk),
            // Reads all rows that there are.
            ("GET", "/v1/audit/verify") => duty(Duty::Operate),
            // Dead letters are records, of any topic.
            ("GET", "/v1/dlq" | "/v1/dlq/{topic}") => duty(Duty::Operate),
            (
                "GET",
                "/v1/advisories"
                | "/v1/agents"
                | "/v1/agents/started"
                | "/v1/approvals"
                | "/v1/approvals/{reference}"
                | "/v1/audit"
                | "/v1/builds"
                | "/v1/builds/{id}"
                | "/v1/events"
                | "/v1/events/socket"
                | "/v1/figures"
                | "/v1/hosts"
                | "/v1/model/usage"
                | "/v1/permissions"
                | "/v1/permissions/kafka"
                | "/v1/permissions/policy"
                | "/v1/plugins"
                | "/v1/plugins/{reference}"
                | "/v1/runs"
                | "/v1/rollbacks"
                | "/v1/secrets"
                | "/v1/settings"
                | "/v1/runs/{id}"
                | "/v1/status"
                | "/v1/tools"
                | "/v1/tools/{tool}"
                | "/v1/topics"
                | "/v1/topics/{topic}",
            )
            | ("POST", "/v1/permissions/explain" | "/v1/permissions/what-if" | "/v1/topic-plan") => duty(Duty::Read),
            (
                "POST",
                "/v1/dlq/{topic}/redrive"
                | "/v1/plugins/{reference}/shadow"
                | "/v1/runs/{id}/replay"
                | "/v1/runs/{id}/{order}"
                | "/v1/topics"
                | "/v1/topic-plan/apply",
            )
            | ("DELETE", "/v1/agents/started/{name}" | "/v1/rollbacks/{reference}") => duty(Duty::Operate),
            ("POST", "/v1/plugins") | ("DELETE", "/v1/plugins/{reference}") => duty(Duty::Install),
            ("PUT", "/v1/permissions/policy")
            | (
                "POST",
                "/v1/advisories" | "/v1/approvals" | "/v1/approvals/{reference}/deny" | "/v1/permissions/share",
            ) => duty(Duty::Approve),
            ("POST", "/v1/secrets") | ("DELETE", "/v1/secrets/{name}") => duty(Duty::Secrets),
            _ => None,
        }
    }

    /// What that is for a request whose path names this topic; none where its own handler checks.
    pub fn action(self, topic: &str) -> Option<Action<'_>> {
        match self {
            Self::Duty(duty) => Some(Action::Host(duty.word())),
            Self::ReadTopic => Some(Action::TopicRead(topic)),
            Self::WriteTopic => Some(Action::TopicWrite(topic)),
            Self::CheckedInside => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_there() {
        for (method, route) in [
            (Method::PUT, "/v1/plugins"),
            (Method::DELETE, "/v1/topics/{topic}"),
            (Method::GET, "/v1/mcp/{client}"),
            (Method::GET, "/v1/of-tomorrow"),
            (Method::HEAD, "/v1/status"),
        ] {
            assert_eq!(Need::of(&method, route), None, "{method} {route}");
        }
    }

    #[test]
    fn looking_is_not_working() {
        let duty = |method, route| match Need::of(&method, route) {
            Some(Need::Duty(duty)) => duty,
            other => panic!("{route}: {other:?}"),
        };
        assert_eq!(duty(Method::GET, "/v1/runs/{id}"), Duty::Read);
        assert_eq!(duty(Method::POST, "/v1/runs/{id}/{order}"), Duty::Operate);
        assert_eq!(duty(Method::POST, "/v1/plugins"), Duty::Install);
        assert_eq!(duty(Method::POST, "/v1/approvals"), Duty::Approve);
        assert_eq!(duty(Method::GET, "/v1/advisories"), Duty::Read);
        assert_eq!(duty(Method::POST, "/v1/advisories"), Duty::Approve);
        assert_eq!(duty(Method::POST, "/v1/secrets"), Duty::Secrets);
        assert_eq!(duty(Method::PUT, "/v1/permissions/policy"), Duty::Approve);
        assert_eq!(duty(Method::DELETE, "/v1/secrets/{name}"), Duty::Secrets);
        assert_eq!(duty(Method::GET, "/v1/conversations/{session}"), Duty::Talk);
        assert_eq!(duty(Method::POST, "/v1/conversations/{session}/messages"), Duty::Talk);
    }
}
