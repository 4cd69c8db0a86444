//! What the callers of one run did and heard.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use statefn_store::{Offset, PersistenceId, Timestamp};

use super::errand::{Errand, Heard, Sending};
use super::world::World;
use crate::metadata::Metadata;

/// One attempt, as it is written down while it runs.
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) command: u64,
    pub(super) caller: u64,
    pub(super) errand: Arc<dyn Errand>,
    pub(super) called: u64,
    /// What the wall clock said when it was sent.
    pub(super) wall: Timestamp,
    /// Headers that it has of its own.
    pub(super) metadata: Metadata,
    since: Duration,
    pub(super) end: End,
}

/// How an attempt ended.
pub(super) enum End {
    /// Not yet.
    Open,
    /// With an answer, at this instant.
    Heard(u64, Heard),
    /// The caller went away, or lost its process.
    Gone,
}

/// An entity whose purge was acknowledged.
pub(super) struct Purged {
    pub(super) id: PersistenceId,
    /// The deletion before which nothing may be read any more.
    pub(super) until: Offset,
}

/// All attempts of one run. Clones share it.
#[derive(Clone)]
pub(super) struct History {
    world: World,
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    sent: Vec<Sent>,
    /// Commands by entity and key.
    keys: BTreeMap<(PersistenceId, String), u64>,
    /// Attempts that were answered later than promised.
    late: Vec<String>,
    purged: Vec<Purged>,
}

impl History {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            log: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt, numbers it, and answers the number.
    pub(super) fn open(&self, caller: u64, errand: &Arc<dyn Errand>, sending: &mut Sending) {
        let mut log = self.lock();
        let number = log.sent.len() as u64 + 1;
        sending.attempt = number;
        let command = match sending.key.clone().filter(|_| errand.writes()) {
            Some(key) => *log
                .keys
                .entry((errand.entity().clone(), key))
                .or_insert(number),
            None => number,
        };
        let sent = Sent {
            number,
            command,
            caller,
            errand: Arc::clone(errand),
            called: self.world.instant(),
            wall: self.world.wall(),
            metadata: sending.metadata.clone(),
            since: self.world.now(),
            end: End::Open,
        };
        log.sent.push(sent);
        drop(log);
        self.world.trace(number);
        self.world.note(|| {
            let entity = errand.entity();
            let name = errand.name();
            format!("#{number} {name} of {entity} by {caller}, command {command}, {sending:?}")
        });
    }

    /// Ends an attempt with what its caller heard.
    pub(super) fn heard(&self, number: u64, heard: Heard, patience: Duration) {
        let instant = self.world.instant();
        let now = self.world.now();
        self.world.trace(digest(&heard));
        self.world.note(|| format!("#{number} heard {heard:?}"));
        let mut log = self.lock();
        let Some(sent) = log.at(number) else { return };
        let waited = now.saturating_sub(sent.since);
        sent.end = End::Heard(instant, heard);
        if waited > patience {
            let line = format!("attempt {number} waited {waited:?}, longer than {patience:?}");
            log.late.push(line);
        }
    }

    /// Ends an attempt whose caller is gone.
    pub(super) fn gone(&self, number: u64) {
        let mut log = self.lock();
        if let Some(sent) = log.at(number).filter(|sent| matches!(sent.end, End::Open)) {
            sent.end = End::Gone;
        }
    }

    /// A purge was acknowledged.
    pub(super) fn purged(&self, id: PersistenceId, until: Offset) {
        self.world.trace(until.get());
        self.world
            .note(|| format!("{id} was purged, up to offset {until}"));
        self.lock().purged.push(Purged { id, until });
    }

    /// The purges that were acknowledged.
    pub(super) fn take_purged(&self) -> Vec<Purged> {
        std::mem::take(&mut self.lock().purged)
    }

    /// The last call to each entity.
    pub(super) fn last_errands(&self) -> Vec<Arc<dyn Errand>> {
        let log = self.lock();
        let mut last: BTreeMap<&PersistenceId, &Arc<dyn Errand>> = BTreeMap::new();
        for sent in &log.sent {
            last.insert(sent.errand.entity(), &sent.errand);
        }
        last.into_values().cloned().collect()
    }

    /// Everything, and what was late.
    pub(super) fn take(&self) -> (Vec<Sent>, Vec<String>) {
        let log = std::mem::take(&mut *self.lock());
        (log.sent, log.late)
    }
}

impl Log {
    fn at(&mut self, number: u64) -> Option<&mut Sent> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.sent.get_mut(index)
    }
}

/// Tells one answer from another.
pub(super) fn digest(heard: &Heard) -> u64 {
    let (tag, bytes) = match heard {
        Heard::Answer { bytes, .. } => (1, bytes.as_slice()),
        Heard::NotApplied { text, .. } => (2, text.as_bytes()),
        Heard::Unknown(text) => (3, text.as_bytes()),
        Heard::Panicked => (4, &[][..]),
    };
    bytes.iter().fold(tag, |digest: u64, byte| {
        (digest ^ u64::from(*byte))
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(7)
    })
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("History")
    }
}
