//! `/v1/topics`: making and listing topics.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::extract::{Body, Path};
use super::openapi::Routes;
use super::state::SharedGateway;
use crate::problem::Problem;
use crate::streams::{StreamError, TopicSpec, Watermarks};

/// A topic and how far its partitions have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TopicReply {
    /// Name and shape.
    #[serde(flatten)]
    pub spec: TopicSpec,
    /// First and next offset of each partition.
    pub watermarks: Vec<Watermarks>,
}

pub(super) fn routes() -> Routes {
    Routes::new().get("/v1/topics", "Topics", list).post("/v1/topics", "Create a topic", create).get(
        "/v1/topics/{topic}",
        "A topic, and how far its partitions have come",
        show,
    )
}

async fn list(State(gateway): State<SharedGateway>) -> Result<Json<Vec<TopicSpec>>, Problem> {
    Ok(Json(gateway.streams().await?.topics().await?))
}

async fn create(
    State(gateway): State<SharedGateway>,
    Body(topic): Body<TopicSpec>,
) -> Result<Json<TopicSpec>, Problem> {
    gateway.streams().await?.create_topic(&topic).await?;
    Ok(Json(topic))
}

async fn show(State(gateway): State<SharedGateway>, Path(name): Path<String>) -> Result<Json<TopicReply>, Problem> {
    let streams = gateway.streams().await?;
    let found = streams.topics().await?.into_iter().find(|topic| topic.name == name);
    let spec = found.ok_or(StreamError::UnknownTopic(name))?;
    let partitions = (0..spec.partitions).map(|partition| streams.watermarks(&spec.name, partition));
    let watermarks = futures::future::try_join_all(partitions).await?;
    Ok(Json(TopicReply { spec, watermarks }))
}
