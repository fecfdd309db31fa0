//! What a try-out came to, for a person.

use super::Findings;

impl Findings {
    /// One line for each thing that there is to say.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} examples answered as expected, {} of them with a named answer",
            self.examples, self.compared
        )];
        if let Some(random) = &self.random {
            lines.push(format!(
                "{} random inputs borne, {} of them with an error of its own (seed {})",
                random.calls, random.errors, random.seed
            ));
            if !random.untried.is_empty() {
                lines.push(format!("without a random input: {}", random.untried.join(", ")));
            }
        }
        if let Some(measured) = &self.measured {
            lines.push(format!(
                "most of one of {} calls: {:.1} ms of CPU time, {:.1} ms in all, {:.1} MiB of memory",
                measured.calls,
                measured.cpu_micros as f64 / 1e3,
                measured.micros as f64 / 1e3,
                measured.memory_bytes as f64 / f64::from(1 << 20)
            ));
        }
        if let Some(proposed) = &self.proposed {
            lines.push(format!(
                "these would do: limits = {{ compute_ms = {}, memory_mib = {} }}",
                proposed.compute_ms, proposed.memory_mib
            ));
        }
        lines
    }

    /// Out of what was written down; none for what is no such thing.
    pub fn read(value: &serde_json::Value) -> Option<Self> {
        serde::Deserialize::deserialize(value).ok()
    }
}
