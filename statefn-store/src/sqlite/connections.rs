//! The reading connections: each is lent to one reader at a time, a thread or a caller.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::connection;
use super::failure::ReadError;
use super::limits::IDLE_CONNECTIONS;
use super::shared::Shared;

/// Open connections that nobody uses right now, and the number of those in use.
pub(super) struct Connections {
    shared: Arc<Shared>,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    lent: usize,
    stopped: bool,
}

/// A connection in use. Dropped without [`settle`](Self::settle), it is closed.
pub(super) struct Lent {
    // In this order: closed before anybody who waits for it hears so.
    pub(super) conn: Connection,
    loan: Loan,
}

/// Counts as in use until it is dropped.
struct Loan(Arc<Connections>);

impl Connections {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// A connection that is open and idle.
    pub(super) fn idle(self: &Arc<Self>) -> Option<Lent> {
        let mut state = self.lock();
        let conn = state.idle.pop()?;
        let loan = self.loan(state);
        Some(Lent { conn, loan })
    }

    /// An idle connection, or a new one.
    pub(super) fn idle_or_new(self: &Arc<Self>) -> Result<Lent, ReadError> {
        if let Some(lent) = self.idle() {
            return Ok(lent);
        }
        let loan = self.loan(self.lock());
        let conn = connection::reader(&self.shared.path)?;
        Ok(Lent { conn, loan })
    }

    fn loan(self: &Arc<Self>, mut state: MutexGuard<'_, State>) -> Loan {
        state.lent += 1;
        Loan(Arc::clone(self))
    }

    /// Closes all connections; those in use when they come back, for which this waits.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        state.idle.clear();
        while state.lent > 0 {
            state = self
                .returned
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    /// Gives the connection back after a read, unless the read shows that it had better be closed.
    pub(super) fn settle<T>(self, result: &Result<T, ReadError>) {
        // In this order: closed before anybody who waits for it hears so.
        let Self { loan, conn } = self;
        let failed = matches!(result, Err(ReadError::Sqlite(error)) if !error.is_busy());
        if failed || !(conn.is_autocommit() || conn.execute_batch("ROLLBACK").is_ok()) {
            return;
        }
        let mut state = loan.0.lock();
        if !state.stopped && state.idle.len() < IDLE_CONNECTIONS {
            state.idle.push(conn);
        }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.0.lock().lent -= 1;
        self.0.returned.notify_all();
    }
}
