//! Prints the parser that a log file's lines lead to: `cargo run --example source -- FILE`.

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: source FILE");
        std::process::exit(2);
    };
    let log = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = log.lines().take(2_000).collect();
    print!("{}", logsmith_core::codegen::source(&path, &logsmith_core::learn(&lines)).text);
}
