//! `/v1/permissions/kafka`: the matrix as Kafka's access rules.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Params, blocking};
use super::openapi::Routes;
use super::permissions::in_force;
use super::state::{Gateway, SharedGateway};
use crate::acls::{Export, Wanted, commands, export};
use crate::home::StreamsConfig;
use crate::problem::Problem;
use crate::topics;

#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExportParams {
    /// Also what clients may do.
    #[serde(default)]
    clients: bool,
    /// The host's Kafka user; none: as its settings say.
    #[serde(default)]
    principal: Option<String>,
}

/// The rules, and how to make them.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ExportReply {
    /// The rules.
    #[serde(flatten)]
    pub export: Export,
    /// The same as command lines of Kafka's own tool.
    pub commands: Vec<String>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/permissions/kafka", "The matrix as Kafka's access rules", rules)
}

async fn rules(
    State(gateway): State<SharedGateway>,
    Params(params): Params<ExportParams>,
) -> Result<Json<ExportReply>, Problem> {
    let matrix = in_force(&gateway).await?;
    let reply = blocking(move || {
        let (principal, brokers) = user(&gateway, params.principal)?;
        let declared = topics::of_home(gateway.home())?.unwrap_or_default();
        let declared: Vec<String> = declared.into_iter().map(|topic| topic.name).collect();
        let wanted = Wanted {
            matrix: &matrix,
            principal: &principal,
            with_clients: params.clients,
            declared: &declared,
            tool_topics: &gateway.config().tool_topics,
            conversations: gateway.config().conversations.as_ref(),
        };
        let export = export(wanted);
        Ok(ExportReply { commands: commands(&export, &brokers), export })
    });
    Ok(Json(reply.await?))
}

/// The host's Kafka user, and the brokers that know it.
fn user(gateway: &Gateway, named: Option<String>) -> Result<(String, String), Problem> {
    let kafka = match &gateway.config().streams {
        StreamsConfig::Kafka(kafka) => Some(kafka),
        StreamsConfig::Embedded(_) => None,
    };
    let brokers = kafka.map_or_else(|| "localhost:9092".to_owned(), |kafka| kafka.brokers.join(","));
    let known = named.or_else(|| kafka.and_then(|kafka| kafka.acl_principal()));
    let principal = known.ok_or_else(|| {
        let message = "it isn't known by which name Kafka knows this host";
        let next = "Say `--principal User:NAME`, or write `principal` under [streams] in host.toml.";
        Problem::invalid("permission.kafka-user", message, next)
    })?;
    match principal.split_once(':') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok((principal, brokers)),
        _ => {
            let message = format!("`{principal}` is no Kafka principal");
            Err(Problem::invalid("permission.kafka-user", message, "Write it like `User:NAME`."))
        }
    }
}
