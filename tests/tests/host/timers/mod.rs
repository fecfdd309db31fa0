//! Timers: each once and not before its time, whatever happens to hosts meanwhile.

mod cron;
mod desk;
mod hosts;
mod killed;
mod once;

/// The row that `reminder` needs.
const REMINDER_MAY: &str = "[[row]]\nprincipal = \"agent:reminder\"\ntopics.read = [\"reminders\"]\n\
    topics.write = [\"reminders.due\"]\ntimers = true\n";

/// A manifest of `reminder` whose schedule comes each second.
fn each_second(manifest: String) -> String {
    let quick = manifest.replace("\"0 0 * * *\"", "\"* * * * * *\"");
    assert_ne!(quick, manifest);
    quick
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
