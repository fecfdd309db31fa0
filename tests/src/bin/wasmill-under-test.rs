//! The binary, once more: cargo tells tests only of binaries in their own package, and always has those up to date.

fn main() -> std::process::ExitCode {
    wasmill::cli::main()
}
