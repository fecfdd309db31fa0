//! A host with real components: tools called, agents at work, on the embedded log and on Kafka.

#![allow(clippy::unwrap_used, reason = "what helpers of tests unwrap is what the test is about")]

mod agents;
mod approved;
mod audit;
mod audited;
mod broker_away;
mod console;
mod contract;
mod conversations;
mod evil;
mod failures;
mod feed;
mod gateway;
mod grpc;
mod guarded;
mod hosts;
mod killed;
mod logsmith;
mod logsmith_model;
mod mcp;
mod mcp_servers;
mod metrics;
mod model;
mod on_postgres;
mod policy;
mod problems;
mod records;
mod redrive_killed;
mod refused;
mod refused_work;
mod repeats;
mod runs;
mod sharing;
mod slow_clients;
mod stale_plan;
mod started;
mod started_hosts;
mod starting;
mod strangers;
mod telemetry;
mod timers;
mod tls;
mod tool_topics;
mod tools;
mod versions;
