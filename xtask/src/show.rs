//! What a person sees: titles, steps with their times, records. Colours and spinners at a terminal only.

use std::time::{Duration, Instant};

use console::{Term, measure_text_width, style, truncate_str};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::rig::Line;

/// Columns where there is no terminal, and most of one that are used.
const WIDTH_MAX: usize = 100;
/// Fewest columns that anything is laid out for.
const WIDTH_MIN: usize = 50;

/// Columns of this terminal.
fn width() -> usize {
    let columns = Term::stdout().size_checked().map_or(WIDTH_MAX, |(_, columns)| usize::from(columns));
    columns.clamp(WIDTH_MIN, WIDTH_MAX)
}

/// Begins a part.
pub fn title(text: &str) {
    println!("\n{}", style(text).bold().cyan());
}

/// A sentence or two, as wide as the terminal.
pub fn say(text: &str) {
    for line in wrapped(text, width() - 2) {
        println!("  {line}");
    }
}

/// A line out of a log, or an answer, as it is.
pub fn quote(text: &str) {
    println!("    {}", style(truncate_str(&plain(text), width() - 4, "…")).dim());
}

/// Logs come from anywhere: what could steer a terminal is not sent to it.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A command to paste. Never broken or cut.
pub fn command(text: &str) {
    println!("    {} {}", style("$").dim(), style(text).cyan());
}

/// Something that is done.
pub fn done(text: &str, took: Option<Duration>) {
    mark(&style("✓").green().to_string(), text, took);
}

/// Something that does not work, as it should.
pub fn refused(text: &str) {
    mark(&style("✗").yellow().to_string(), text, None);
}

fn mark(mark: &str, text: &str, took: Option<Duration>) {
    let time = took.map(seconds).unwrap_or_default();
    let room = width() - 4 - if time.is_empty() { 0 } else { 10 };
    for (number, line) in wrapped(text, room).iter().enumerate() {
        let first = number == 0;
        let mark = if first { mark } else { " " };
        let gap = " ".repeat((room - measure_text_width(line).min(room)) + 2);
        let time = if first && !time.is_empty() { format!("{gap}{}", style(&time).dim()) } else { String::new() };
        println!("  {mark} {line}{time}");
    }
}

/// A parsed line: its time, its template, and what stood in the gaps.
pub fn record(line: &Line) {
    let template = line.template.as_deref().unwrap_or("(no template)");
    let number = line.template_id.map_or_else(|| "–".to_owned(), |id| format!("#{id}"));
    let head = if line.time.is_empty() { String::new() } else { format!("{}  ", style(plain(&line.time)).dim()) };
    let text = format!("{head}{} {}", style(format!("{number:<4}")).dim(), plain(template));
    println!("    {}", truncate_str(&text, width() - 4, "…"));
    let variables: Vec<&str> = line.variables.iter().filter_map(serde_json::Value::as_str).collect();
    if !variables.is_empty() {
        let text = format!("      <*> {}", plain(&variables.join("  ·  ")));
        println!("{}", style(truncate_str(&text, width(), "…")).green());
    }
}

/// A speed as a bar against the highest of all.
pub fn speed(what: &str, lines_per_second: f64, highest: f64) {
    let share = (lines_per_second / highest).clamp(0.0, 1.0);
    // At most the width of a terminal.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let length = ((width() as f64 - 50.0).max(10.0) * share).round().max(1.0) as usize;
    println!("  {what:<28} {:>9} lines/s  {}", count(lines_per_second), style("█".repeat(length)).cyan());
}

/// A number with commas.
pub fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration as a person says it.
pub fn seconds(time: Duration) -> String {
    match time.as_millis() {
        0 => "< 1 ms".to_owned(),
        millis @ 1..1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// Something that takes a while.
#[derive(Debug)]
pub struct Step {
    bar: ProgressBar,
    began: Instant,
}

impl Step {
    /// Begins it.
    pub fn start(text: impl Into<String>) -> Self {
        // Draws nothing where standard error is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(
            ProgressStyle::with_template("  {spinner:.cyan} {wide_msg} {elapsed:.dim} ")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(text.into());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, began: Instant::now() }
    }

    /// Says what goes on now.
    pub fn say(&self, text: impl Into<String>) {
        self.bar.set_message(text.into());
    }

    /// How long it has taken.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Ends it with a line and its time.
    pub fn done(self, text: &str) {
        let took = self.began.elapsed();
        drop(self);
        done(text, Some(took));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Words in lines of so many columns; a longer word gets a line of its own.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_never_cut() {
        assert_eq!(wrapped("a bb ccccccc d", 4), ["a bb", "ccccccc", "d"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn a_log_can_not_steer_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\r\n"), "a [2Jb  ");
    }

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!([999.0, 1_000.4, 1_234_567.0].map(count), ["999", "1,000", "1,234,567"]);
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
    }
}
