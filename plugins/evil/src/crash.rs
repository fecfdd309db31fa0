//! Ends that are not a return.

use std::hint::black_box;

use evil_kit::{Attack, number};
use wasmill_sdk::Error;
use wasmill_sdk::serde_json::Value;

pub const ATTACKS: &[Attack] = &[
    Attack { name: "panic", must: "A panic is an error; the next call works.", run: panic },
    Attack { name: "abort", must: "An abort is an error; the next call works.", run: abort },
    Attack {
        name: "exit",
        must: "Leaving with the exit code `code` ends the call with an error and not the host.",
        run: exit,
    },
    Attack { name: "stray-pointer", must: "Reading beyond the memory traps; the next call works.", run: stray_pointer },
];

#[allow(clippy::panic)]
fn panic(_: &Value) -> Result<String, Error> {
    panic!("evil panics")
}

fn abort(_: &Value) -> Result<String, Error> {
    std::process::abort()
}

fn exit(arguments: &Value) -> Result<String, Error> {
    std::process::exit(number(arguments, "code", 0) as i32)
}

fn stray_pointer(_: &Value) -> Result<String, Error> {
    let address = black_box(usize::MAX - 8);
    // SAFETY: there is none: no memory is that large, and the trap is what is asked for.
    let byte = unsafe { std::ptr::read_volatile(address as *const u8) };
    Ok(byte.to_string())
}
