//! A host with real components on the embedded log: tools called, agents at work.

mod agents;
mod logsmith;
mod tools;
