//! Traces that a real host sends over OTLP: one through all hops, which ones, and what becomes of them where the receiver
//! is slow or away.

mod away;
mod mill;
mod one_trace;
mod sampled;
