//! A terminal that is none: a program in a pseudo-terminal, as a person at a screen meets it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use nix::pty::{Winsize, openpty};

use crate::scratch::PATIENCE;
use crate::server::until;

/// A program in a pseudo-terminal. Dropping it kills the program.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    program: Child,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts a program on a screen of so many columns and lines.
    ///
    /// # Panics
    /// When the system gives no pseudo-terminal or can't start the program.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test without its program has nothing to say")]
    pub fn start(mut command: Command, columns: u16, lines: u16) -> Self {
        let size = Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pair = openpty(&size, None).expect("a pseudo-terminal");
        let end = |slave: &OwnedFd| Stdio::from(slave.try_clone().expect("another end of the terminal"));
        command.stdin(end(&pair.slave)).stdout(end(&pair.slave)).stderr(end(&pair.slave)).env("TERM", "xterm-256color");
        // SAFETY: setsid is safe to call between fork and exec. It takes the test's own terminal away from the program.
        unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(Into::into)) };
        let program = command.spawn().expect("the program starts");
        // The program has the other end alone: when it ends, reading does.
        drop((command, pair.slave));
        let master = File::from(pair.master);
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, kept) = (master.try_clone().expect("another end of the terminal"), written.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
            }
        });
        Self { master, program, written }
    }

    /// Everything that the program has written, with the codes that steer a terminal.
    #[must_use]
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Waits until the program has written this.
    ///
    /// # Panics
    /// When it doesn't for too long.
    pub fn expect(&self, text: &str) {
        assert!(until(PATIENCE, || self.written().contains(text)), "no `{text}` in {:?}", self.written());
    }

    /// Forgets what was written so far.
    pub fn forget(&self) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Presses keys.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        let pressed = self.master.write_all(keys.as_bytes());
        assert!(pressed.is_ok(), "{pressed:?}");
    }

    /// Waits until the program has ended.
    ///
    /// # Panics
    /// When it doesn't for too long.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        until(PATIENCE, || {
            ended = self.program.try_wait().ok().flatten();
            ended.is_some()
        });
        ended.unwrap_or_else(|| panic!("it does not end; it wrote {:?}", self.written()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
