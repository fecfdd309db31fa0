//! Task mode: work that lasts.

mod failing;
mod hall;
mod killed;
mod letters;
mod order;
mod orders;
mod service;
mod shadow;
