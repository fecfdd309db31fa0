//! The command line as a person or a script meets it: exit codes and JSON.

#![allow(clippy::unwrap_used, reason = "what helpers of tests unwrap is what the test is about")]

mod approvals;
mod dlq;
mod doctor;
mod doctor_kafka;
mod doctor_machine;
mod first_plugin;
mod forge;
mod granted;
mod homes;
mod keys;
mod permissions;
mod plugins;
mod records;
mod registries;
mod running;
mod scripts;
mod top;
mod topic_plan;
mod topics;
mod trial;
mod unwalled;
