//! What every command was answered, in four bytes each.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const CHUNK: usize = 1 << 16;
const CHUNKS: usize = 1 << 12;

const UNSENT: u32 = 0;
const REFUSED: u32 = u32::MAX;
const UNKNOWN: u32 = u32::MAX - 1;
const WAITS: u32 = u32::MAX - 2;
const TWICE: u32 = u32::MAX - 3;

/// What a caller knows of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Unsent,
    /// Sent and not answered.
    Waits,
    /// A reply: the command's event has this sequence number.
    Acknowledged(u32),
    /// An error that says that it was not applied.
    Refused,
    Unknown,
    /// Acknowledged twice: it was sent again when its key had expired.
    Twice,
}

/// The fate of each command, by number. A number is given out once.
#[derive(Debug)]
pub(super) struct Book {
    chunks: Vec<OnceLock<Box<[AtomicU32]>>>,
    next: AtomicU64,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
            next: AtomicU64::new(0),
        }
    }
}

impl Book {
    /// A new command. After a quarter of a billion of them their fates are no longer noted.
    pub(super) fn send(&self) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.note(number, Fate::Waits);
        number
    }

    pub(super) fn note(&self, number: u64, fate: Fate) {
        let code = match fate {
            Fate::Unsent => UNSENT,
            Fate::Waits => WAITS,
            Fate::Acknowledged(sequence) => sequence,
            Fate::Refused => REFUSED,
            Fate::Unknown => UNKNOWN,
            Fate::Twice => TWICE,
        };
        if let Some(place) = self.place(number) {
            place.store(code, Ordering::Relaxed);
        }
    }

    pub(super) fn fate(&self, number: u64) -> Fate {
        let place = self.place(number);
        match place.map_or(UNKNOWN, |place| place.load(Ordering::Relaxed)) {
            UNSENT => Fate::Unsent,
            WAITS => Fate::Waits,
            REFUSED => Fate::Refused,
            UNKNOWN => Fate::Unknown,
            TWICE => Fate::Twice,
            sequence => Fate::Acknowledged(sequence),
        }
    }

    /// How many numbers have been given out.
    pub(super) fn len(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Memory that it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.len() * 4 + (CHUNK * 4) as u64
    }

    fn place(&self, number: u64) -> Option<&AtomicU32> {
        let number = usize::try_from(number).ok()?;
        let chunk = self.chunks.get(number / CHUNK)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| AtomicU32::new(UNSENT)).collect());
        chunk.get(number % CHUNK)
    }
}
