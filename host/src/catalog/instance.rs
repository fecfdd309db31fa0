//! Fresh stores, with every limit of the grant in force.

use std::time::Instant;

use wasmtime::Store;

use crate::capabilities::Guest;
use crate::runtime::{Engine, Interrupted};

/// What a call may lift beyond its result: names, and the small records of host calls. Bytes.
const HOSTCALL_ROOM: usize = 1024 * 1024;

/// A store for one instance.
pub fn new_store(engine: &Engine, guest: Guest) -> Store<Guest> {
    let output_bytes = guest.identity().grant.limits().output_bytes();
    let mut store = Store::new(engine.inner(), guest);
    store.limiter(|guest| guest.limiter());
    store.epoch_deadline_callback(|mut store| {
        let guest = store.data_mut();
        guest.budget().charge(Instant::now()).map_err(|limit| Interrupted(limit).into())
    });
    store.set_epoch_deadline(1);
    // Bounds what one lift copies out of a guest: lists of many entries that all point to the same large text.
    store.set_hostcall_fuel(output_bytes.saturating_add(HOSTCALL_ROOM));
    store
}
