//! The `wasmill` binary.

fn main() -> std::process::ExitCode {
    wasmill::cli::main()
}
