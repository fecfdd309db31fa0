//! What one instance may hold: memory, tables, instances.

use wasmtime::ResourceLimiter;

use super::error::LimitKind;

/// Most core instances, memories and tables of one component; a component from cargo-component has a handful.
const PARTS_MAX: usize = 32;

/// Counts and bounds what an instance holds. Remembers which limit said no, so that the trap that usually follows can
/// be told from others.
#[derive(Debug)]
pub struct Limiter {
    memory_max: usize,
    table_entries_max: usize,
    memory: usize,
    table_entries: usize,
    refused: Option<LimitKind>,
}

impl Limiter {
    /// Bounds all memories together to `memory_max` bytes and all tables together to `table_entries_max` entries.
    pub fn new(memory_max: usize, table_entries_max: usize) -> Self {
        Self { memory_max, table_entries_max, memory: 0, table_entries: 0, refused: None }
    }

    /// A call begins: what an earlier one was refused is no reason for how this one ends.
    pub fn begin_call(&mut self) {
        self.refused = None;
    }

    /// The limit that refused something last during this call, if any did.
    pub fn refused(&self) -> Option<LimitKind> {
        self.refused
    }

    /// Linear memory in use, bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_sub(current).saturating_add(desired);
        if total > self.memory_max {
            self.refused = Some(LimitKind::Memory);
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_entries.saturating_sub(current).saturating_add(desired);
        if total > self.table_entries_max {
            self.refused = Some(LimitKind::Table);
            return Ok(false);
        }
        self.table_entries = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        PARTS_MAX
    }

    fn tables(&self) -> usize {
        PARTS_MAX
    }

    fn memories(&self) -> usize {
        PARTS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_together_stay_under_the_limit() {
        let mut limiter = Limiter::new(100, 10);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap(), "a second memory fits exactly");
        assert!(!limiter.memory_growing(60, 61, None).unwrap());
        assert_eq!(limiter.refused(), Some(LimitKind::Memory));
        assert_eq!(limiter.memory(), 100);
    }

    #[test]
    fn tables_have_a_limit_of_their_own() {
        let mut limiter = Limiter::new(100, 10);
        assert!(!limiter.table_growing(0, 11, None).unwrap());
        assert_eq!(limiter.refused(), Some(LimitKind::Table));
    }
}
