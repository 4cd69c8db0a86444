//! A folder of its own for each test, and the binary run in it.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_shopping-cart");

/// No run takes nearly as long: whoever waits longer has found something that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with at most one database in it, `carts.db`.
pub(crate) struct Shop {
    folder: TempDir,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary in this folder, on `carts.db`.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = self.bare(args);
        command.args(["--data", "carts.db"]);
        command
    }

    /// The binary in this folder, without any option.
    pub(crate) fn bare<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).args(args);
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Ran {
        run(self.command(args), b"")
    }

    pub(crate) fn run_on(&self, args: &[&str], input: &[u8]) -> Ran {
        run(self.command(args), input)
    }

    /// What `show --json` says of a user's cart.
    pub(crate) fn cart(&self, user: &str) -> Value {
        self.run(&["show", user, "--json"]).done().json()
    }

    /// `verify` says that nothing is wrong; answers how many entries the journal has.
    pub(crate) fn entries(&self) -> u64 {
        let report = self.run(&["verify", "--json"]).done().json();
        report["entries"].as_u64().unwrap()
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Exit code 0, and nothing on stderr.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self
    }

    /// Exit code 1, nothing on stdout; answers what stderr says.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{self:?}");
        assert!(self.stderr.ends_with('\n'), "{self:?}");
        self.stderr.trim_end().to_owned()
    }

    /// Exit code 2, nothing on stdout; answers what stderr says.
    #[track_caller]
    pub(crate) fn not_understood(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        self.stderr
    }

    /// Exit code 1 after a summary or a report on stdout, and nothing on stderr.
    #[track_caller]
    pub(crate) fn with_faults(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(1), ""), "{self:?}");
        self
    }

    /// The one line of stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Each line of stdout.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs a command to its end, with `input` on its stdin.
#[track_caller]
pub(crate) fn run(command: Command, input: &[u8]) -> Ran {
    let mut running = Running::start(command);
    running.write(input);
    running.end()
}

/// A process under way.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (line, lines) = mpsc::channel();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            loop {
                let mut text = String::new();
                if stdout.read_line(&mut text).unwrap() == 0 || line.send(text).is_err() {
                    break;
                }
            }
        });
        let (all, stderr) = mpsc::channel();
        let mut source = child.stderr.take().unwrap();
        thread::spawn(move || {
            let mut text = String::new();
            source.read_to_string(&mut text).unwrap();
            all.send(text)
        });
        Self {
            child,
            lines,
            stderr,
        }
    }

    /// Writes to its stdin, which stays open.
    pub(crate) fn write(&mut self, input: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        // Whoever does not read is judged by what it answers.
        let _ = stdin.write_all(input).and_then(|()| stdin.flush());
    }

    /// Its next line of output; `None` when it has ended.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.child.kill().unwrap();
                panic!("hangs");
            }
        }
    }

    /// Kills it, without a chance to tidy up; answers what it had printed in whole lines.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut lines: Vec<String> = self.lines.iter().collect();
        lines.retain(|line| line.ends_with('\n'));
        lines
    }

    /// Closes its stdin and waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        drop(self.child.stdin.take());
        let mut stdout = String::new();
        while let Some(line) = self.line() {
            stdout.push_str(&line);
        }
        let stderr = self.stderr.recv_timeout(PATIENCE).unwrap();
        Ran {
            code: self.child.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }
}

/// Lines of input for `replay`.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) text: String,
}

impl Lines {
    pub(crate) fn add(mut self, user: &str, product: &str, quantity: i64) -> Self {
        let name = format!("name of {product}");
        let line = serde_json::json!({
            "op": "add", "user": user, "product": product, "name": name, "quantity": quantity,
        });
        writeln!(self.text, "{line}").unwrap();
        self
    }

    pub(crate) fn remove(mut self, user: &str, product: &str) -> Self {
        let line = serde_json::json!({"op": "remove", "user": user, "product": product});
        writeln!(self.text, "{line}").unwrap();
        self
    }

    pub(crate) fn checkout(mut self, user: &str) -> Self {
        let line = serde_json::json!({"op": "checkout", "user": user});
        writeln!(self.text, "{line}").unwrap();
        self
    }
}
