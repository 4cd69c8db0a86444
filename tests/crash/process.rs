//! A running program, from its parent's side.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::breach::{Breach, BreachKind};
use super::report::{Assignment, Report, STOP};

/// A program that says nothing for this long hangs.
const DEADLINE: Duration = Duration::from_secs(30);

pub(super) struct Process {
    child: Child,
    orders: ChildStdin,
    lines: Receiver<Report>,
    reader: Option<JoinHandle<()>>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By our signal.
    Killed,
    /// By its own panic.
    Aborted,
    /// In order.
    Finished,
}

impl Process {
    pub(super) fn start(program: &Path, assignment: &Assignment) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let (Some(mut orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("no pipes"));
        };
        let mut line = serde_json::to_vec(assignment)?;
        line.push(b'\n');
        orders.write_all(&line)?;
        // Unbounded, so that the program never waits for its reader.
        let (sender, lines) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                // A line is one write, so a line without an end is the only broken one.
                let Ok(report) = serde_json::from_slice(&line) else {
                    return;
                };
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            child,
            orders,
            lines,
            reader: Some(reader),
        })
    }

    /// The next line; `None` when there will be no more.
    pub(super) fn next(&self) -> Result<Option<Report>, Breach> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(report) => Ok(Some(report)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                let what = format!("nothing was reported for {DEADLINE:?}");
                Err(BreachKind::Silent.found(what))
            }
        }
    }

    /// Asks for a shutdown in order.
    pub(super) fn stop(&mut self) {
        // A process that has died reads no orders; how it died is seen later.
        let _ = writeln!(self.orders, "{STOP}");
    }

    /// SIGKILL. What was reported until then can still be read.
    pub(super) fn kill(&mut self) {
        // Fails only for a process that has been waited for.
        let _ = self.child.kill();
    }

    /// How it ended; all its lines have been read.
    pub(super) fn end(mut self) -> Result<End, Breach> {
        let status = self.child.wait();
        if let Some(reader) = self.reader.take() {
            // The reader does not panic.
            let _ = reader.join();
        }
        let status = status.map_err(|error| BreachKind::Odd.found(error.to_string()))?;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(End::Finished),
            (_, Some(9)) => Ok(End::Killed),
            (_, Some(6)) => Ok(End::Aborted),
            _ => Err(BreachKind::Odd.found(format!("the program ended with {status}"))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reader.is_some() {
            // After a breach: nothing is left running.
            self.kill();
            let _ = self.child.wait();
        }
    }
}
