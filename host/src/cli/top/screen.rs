//! The terminal: drawn on and listened to, and given back as it was.

use std::io::{self, Write};
use std::time::Duration;

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::{cursor, queue, style, terminal};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::problem::{Problem, ProblemKind};

/// How long the listener waits before it looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// Size where the terminal doesn't tell: columns and lines.
const SIZE: (u16, u16) = (100, 30);

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Sort,
    Reverse,
    Pause,
    Up,
    Down,
    Resized,
}

/// The whole terminal, until this is dropped.
pub(super) struct Screen {
    keys: mpsc::Receiver<Key>,
    terminate: Signal,
    hang_up: Signal,
    _raw: Raw,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// `terminal.failed` where it can't be had.
    pub fn open() -> Result<Self, Problem> {
        let terminate = signal(SignalKind::terminate()).map_err(|error| failed(&error))?;
        let hang_up = signal(SignalKind::hangup()).map_err(|error| failed(&error))?;
        let raw = Raw::take().map_err(|error| failed(&error))?;
        let (pressed, keys) = mpsc::channel(16);
        std::thread::Builder::new()
            .name("keys".into())
            .spawn(move || listen(&pressed))
            .map_err(|error| failed(&error))?;
        Ok(Self { keys, terminate, hang_up, _raw: raw })
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        let (columns, lines) = terminal::size().unwrap_or(SIZE);
        (usize::from(columns), usize::from(lines))
    }

    /// Draws lines from the top, at once.
    ///
    /// # Errors
    /// `terminal.failed` where it is gone.
    pub fn draw(&mut self, lines: &[String]) -> Result<(), Problem> {
        write(lines).map_err(|error| failed(&error))
    }

    /// The next key that means something; none where nothing more comes.
    pub async fn key(&mut self) -> Option<Key> {
        tokio::select! {
            key = self.keys.recv() => key,
            _ = self.terminate.recv() => Some(Key::Quit),
            _ = self.hang_up.recv() => Some(Key::Quit),
        }
    }
}

fn write(lines: &[String]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    queue!(out, terminal::BeginSynchronizedUpdate)?;
    for (row, line) in (0u16..).zip(lines) {
        let rest = terminal::Clear(terminal::ClearType::UntilNewLine);
        queue!(out, cursor::MoveTo(0, row), style::Print(line), rest)?;
    }
    if let Ok(below) = u16::try_from(lines.len()) {
        queue!(out, cursor::MoveTo(0, below), terminal::Clear(terminal::ClearType::FromCursorDown))?;
    }
    queue!(out, terminal::EndSynchronizedUpdate)?;
    out.flush()
}

/// Reads keys until nobody wants them any more.
fn listen(pressed: &mpsc::Sender<Key>) {
    while !pressed.is_closed() {
        let key = match event::poll(LOOK) {
            Ok(true) => event::read().map(|event| meaning(&event)),
            Ok(false) => continue,
            Err(error) => Err(error),
        };
        match key {
            Ok(None) => {}
            Ok(Some(key)) if pressed.blocking_send(key).is_ok() => {}
            // The terminal is gone, or nobody listens: the channel's end says so.
            Ok(Some(_)) | Err(_) => return,
        }
    }
}

fn meaning(event: &Event) -> Option<Key> {
    let pressed = match event {
        Event::Resize(..) => return Some(Key::Resized),
        Event::Key(KeyEvent { kind: KeyEventKind::Release, .. }) => return None,
        Event::Key(pressed) => pressed,
        _ => return None,
    };
    match pressed.code {
        KeyCode::Char('c' | 'd') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::Quit),
        KeyCode::Char('s') => Some(Key::Sort),
        KeyCode::Char('r') => Some(Key::Reverse),
        KeyCode::Char('p' | ' ') => Some(Key::Pause),
        KeyCode::Up | KeyCode::Char('k') => Some(Key::Up),
        KeyCode::Down | KeyCode::Char('j') => Some(Key::Down),
        _ => None,
    }
}

/// Raw mode on the other screen.
struct Raw;

impl Raw {
    fn take() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        // From here on dropping it gives everything back.
        let raw = Self;
        crossterm::execute!(io::stdout(), terminal::EnterAlternateScreen, cursor::Hide)?;
        Ok(raw)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = crossterm::execute!(io::stdout(), cursor::Show, terminal::LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

fn failed(error: &io::Error) -> Problem {
    let next = "Print one reading with `wasmill top --once`.";
    Problem::new(ProblemKind::Failed, "terminal.failed", format!("the terminal can't be used: {error}"), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        let key = |code| meaning(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        assert_eq!(key(KeyCode::Char('q')), Some(Key::Quit));
        assert_eq!(key(KeyCode::Char('s')), Some(Key::Sort));
        assert_eq!(key(KeyCode::Char('r')), Some(Key::Reverse));
        assert_eq!(key(KeyCode::Char('p')), Some(Key::Pause));
        assert_eq!((key(KeyCode::Up), key(KeyCode::Down)), (Some(Key::Up), Some(Key::Down)));
        assert_eq!(key(KeyCode::Char('c')), None);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(meaning(&Event::Key(interrupt)), Some(Key::Quit));
    }
}
