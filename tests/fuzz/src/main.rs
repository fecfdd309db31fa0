//! One program for all parsers of bytes that nobody vouches for, so that the host is linked once. `WASMILL_PARSER` says
//! which one gets what libFuzzer makes up.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod parsers;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (parsers::CHOSEN)(bytes));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("this is built to be watched: run `cargo xtask fuzz`");
}
