//! SQLite by hand: a writer thread that callers hand their rows to.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anyhow::Result;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use super::{envelope, fill};
use crate::harness::Plan;

/// Rows of one transaction at most, as ours.
const BATCH: usize = 1_024;

/// Columns beside the padded payload: a header of 5 bytes, an entity of 3, a sequence of 1.
const OTHER_BYTES: usize = 9;

/// What is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The journal is a table by rowid, nothing else.
    Bare,
    /// And a unique index on entity and sequence.
    Indexed,
}

/// How rows become transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Grouping {
    /// Everything that waits, up to [`BATCH`].
    Group,
    /// One row each.
    Strict,
}

/// A row on its way to the writer.
pub(crate) struct Request {
    pub(crate) entity: usize,
    pub(crate) payload: Vec<u8>,
    pub(crate) reply: oneshot::Sender<()>,
}

/// The writer thread.
pub(crate) struct Writer {
    requests: Option<mpsc::UnboundedSender<Request>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Writer {
    /// Starts it on a file that [`file`] has made.
    pub(crate) fn start(file: &Path, entities: usize, grouping: Grouping) -> Result<Self> {
        let conn = open(file)?;
        let (requests, waiting) = mpsc::unbounded_channel();
        let sequences = sequences(&conn, entities)?;
        let write = move || write(&conn, sequences, waiting, grouping);
        let thread = Some(std::thread::spawn(write));
        Ok(Self {
            requests: Some(requests),
            thread,
        })
    }

    /// Somewhere to hand rows to.
    pub(crate) fn requests(&self) -> mpsc::UnboundedSender<Request> {
        self.requests
            .clone()
            .expect("it is there until the writer ends")
    }

    /// Waits for the last transaction.
    pub(crate) fn end(mut self) -> Result<()> {
        self.requests = None;
        let thread = self.thread.take().expect("it is taken here only");
        thread.join().expect("the writer does not panic")
    }
}

/// The payload of a row that has as many bytes as a row of ours.
pub(crate) fn payload(plan: &Plan) -> Result<Vec<u8>> {
    let bytes = envelope::row_bytes(plan)?.round() as usize;
    Ok(vec![0x5a; bytes.saturating_sub(OTHER_BYTES)])
}

/// The same settings as ours.
pub(crate) fn open(file: &Path) -> Result<Connection> {
    let conn = Connection::open(file)?;
    conn.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA wal_autocheckpoint = 16384; PRAGMA cache_size = -65536; PRAGMA mmap_size = 0; \
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(conn)
}

/// A file with `events` rows for each entity, in turns.
pub(crate) fn file(
    plan: &Plan,
    name: &str,
    layout: Layout,
    (entities, events): (usize, usize),
    payloads: &mut dyn FnMut(usize) -> Vec<u8>,
) -> Result<PathBuf> {
    let path = plan.folder.join(name);
    let mut conn = open(&path)?;
    conn.execute_batch(
        "CREATE TABLE journal (offset INTEGER PRIMARY KEY, entity INTEGER NOT NULL, \
         sequence INTEGER NOT NULL, payload BLOB NOT NULL) STRICT",
    )?;
    let tx = conn.transaction()?;
    for turn in 0..events {
        for number in fill::shuffled(turn, entities) {
            insert(&tx, number, turn as i64 + 1, &payloads(turn + number))?;
        }
    }
    tx.commit()?;
    if layout == Layout::Indexed {
        conn.execute_batch("CREATE UNIQUE INDEX by_entity ON journal (entity, sequence)")?;
    }
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(path)
}

fn sequences(conn: &Connection, entities: usize) -> Result<Vec<i64>> {
    let mut sequences = vec![0; entities];
    let mut statement =
        conn.prepare("SELECT entity, max(sequence) FROM journal GROUP BY entity")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (entity, sequence): (i64, i64) = (row.get(0)?, row.get(1)?);
        sequences[usize::try_from(entity)?] = sequence;
    }
    Ok(sequences)
}

fn insert(conn: &Connection, entity: usize, sequence: i64, payload: &[u8]) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO journal (entity, sequence, payload) VALUES (?1, ?2, ?3)")?
        .execute(params![entity as i64, sequence, payload])?;
    Ok(())
}

fn write(
    conn: &Connection,
    mut sequences: Vec<i64>,
    mut waiting: mpsc::UnboundedReceiver<Request>,
    grouping: Grouping,
) -> Result<()> {
    let most = match grouping {
        Grouping::Group => BATCH,
        Grouping::Strict => 1,
    };
    let mut batch = Vec::with_capacity(most);
    while waiting.blocking_recv_many(&mut batch, most) > 0 {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for request in &batch {
            let sequence = &mut sequences[request.entity];
            *sequence += 1;
            insert(conn, request.entity, *sequence, &request.payload)?;
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        for request in batch.drain(..) {
            // A caller that has gone does not mind.
            let _ = request.reply.send(());
        }
    }
    Ok(())
}
