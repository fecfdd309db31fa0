//! The one engine of a host: how guests are compiled, where their memory comes from, and the clock that stops them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::deadline::TICK;
use super::error::RuntimeError;

/// Stack of one guest, bytes. Recursion that goes deeper traps.
pub const STACK_SIZE: usize = 512 * 1024;
/// Host stack that an asynchronous call runs on, bytes: the guest's stack and room for host functions.
const ASYNC_STACK_SIZE: usize = 1024 * 1024;
/// Resident memory that a pool slot keeps between two guests, bytes. A fresh instance then costs no page fault for it
/// (measured: 5.9 to 10 µs with one call, 21 without).
const MEMORY_KEEP_RESIDENT: usize = 128 * 1024;
/// The same for tables, bytes.
const TABLE_KEEP_RESIDENT: usize = 16 * 1024;
/// Most linear memories of one component: cargo-component's adapter adds none of its own.
const MEMORIES_PER_COMPONENT: u32 = 2;
/// Most core instances of one component: the module, the adapter and the shims between them.
const CORE_INSTANCES_PER_COMPONENT: u32 = 16;

/// How large the pool of instances is.
#[derive(Debug, Clone, Copy)]
pub struct EngineConfig {
    /// Most instances alive at once. Each takes four memory mappings and one stack two, and Linux allows 65,530
    /// mappings (`vm.max_map_count`), so this must stay well below 10,000.
    pub instances_max: u32,
    /// Largest linear memory that any grant can give, bytes.
    pub memory_size_max: usize,
    /// Largest table, elements.
    pub table_elements_max: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { instances_max: 4_096, memory_size_max: 1 << 30, table_elements_max: 100_000 }
    }
}

/// The engine, and the thread that advances its epoch. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    _ticker: Arc<Ticker>,
}

impl Engine {
    /// Starts an engine.
    ///
    /// # Errors
    /// [`RuntimeError::Engine`] where the machine can't give the address space that the pool asks for.
    pub fn new(config: EngineConfig) -> Result<Self, RuntimeError> {
        let inner = wasmtime::Engine::new(&wasmtime_config(config)).map_err(RuntimeError::engine)?;
        let ticker = Ticker::start(inner.clone()).map_err(|e| RuntimeError::Engine(e.to_string()))?;
        Ok(Self { inner, _ticker: Arc::new(ticker) })
    }

    /// Wasmtime's engine.
    pub fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

fn wasmtime_config(config: EngineConfig) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(config.instances_max)
        .total_core_instances(config.instances_max.saturating_mul(4))
        .total_memories(config.instances_max)
        .total_tables(config.instances_max.saturating_mul(2))
        .total_stacks(config.instances_max)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memory_size(config.memory_size_max)
        .table_elements(config.table_elements_max)
        .linear_memory_keep_resident(MEMORY_KEEP_RESIDENT)
        .table_keep_resident(TABLE_KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);

    let mut wasmtime = Config::new();
    wasmtime
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        // Synchronous WIT needs none of it, and calls cost 261 ns instead of 420 to 989 without (measured).
        .concurrency_support(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_SIZE)
        .async_stack_size(ASYNC_STACK_SIZE)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    wasmtime
}

/// Advances the epoch every [`TICK`] until the last clone of its engine is gone.
struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: wasmtime::Engine) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("wasm-epoch".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread only sleeps and counts: it can't panic, and there is nothing to do if it did.
            let _ = thread.join();
        }
    }
}
