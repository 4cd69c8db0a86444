//! Opens a store again and holds its journal against the book: every acknowledged command is there
//! once, at the place that its reply named, and nothing is there that was refused.

use std::path::Path;

use statefn::prelude::*;
use statefn::store::{Entry, EntryBody, Offset, Store};

use super::book::{Book, Fate};
use super::meter::{Meter, Ticked};
use super::verdict::Verdict;
use super::world::Failure;

/// Entries read at once.
const PAGE: usize = 4_096;

/// How many breaches of which kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Audit {
    pub(super) entries: u64,
    pub(super) acknowledged: u64,
    /// Bytes of all columns, with eight for each number.
    pub(super) content: u64,
    lost: u64,
    doubled: u64,
    /// Not where the reply said.
    misplaced: u64,
    /// Said to be not applied, and applied.
    untrue: u64,
    foreign: u64,
    silent: u64,
    faults: u64,
}

/// Reads everything and judges it.
pub(super) async fn audit(
    file: &Path,
    book: &Book,
    verdict: &mut Verdict,
) -> Result<Audit, Failure> {
    let store = Sqlite::open(file)?;
    let builder = Runtime::builder().store(store.clone()).only::<(Meter,)>();
    let runtime = builder.build().await?;
    let mut audit = Audit::default();
    let mut seen = Seen::of(book.len());
    let mut next = Offset::new(1);
    loop {
        let page = store.read(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = last.offset.next();
        for entry in &page {
            audit.entries += 1;
            audit.content += size(entry);
            if let EntryBody::Event { event, .. } = &entry.body {
                let ticked: Ticked = serde_json::from_slice(&event.payload)?;
                audit.take(book, &mut seen, ticked.number, entry.sequence.get());
            }
        }
    }
    audit.look_for_lost(book, &seen);
    let verified = runtime.admin().verify().await?;
    audit.faults = verified.faults.len() as u64;
    runtime.shutdown(std::time::Duration::from_secs(60)).await?;
    audit.judge(verdict);
    Ok(audit)
}

impl Audit {
    fn take(&mut self, book: &Book, seen: &mut Seen, number: u64, sequence: u64) {
        let again = seen.mark(number);
        let fate = book.fate(number);
        self.doubled += u64::from(again && fate != Fate::Twice);
        match fate {
            Fate::Acknowledged(told) => self.misplaced += u64::from(u64::from(told) != sequence),
            Fate::Refused => self.untrue += 1,
            Fate::Unsent => self.foreign += 1,
            Fate::Unknown | Fate::Waits | Fate::Twice => {}
        }
    }

    fn look_for_lost(&mut self, book: &Book, seen: &Seen) {
        for number in 0..book.len() {
            match book.fate(number) {
                Fate::Acknowledged(_) | Fate::Twice => {
                    self.acknowledged += 1;
                    self.lost += u64::from(!seen.is_marked(number));
                }
                Fate::Waits => self.silent += 1,
                Fate::Unsent | Fate::Refused | Fate::Unknown => {}
            }
        }
    }

    fn judge(&self, verdict: &mut Verdict) {
        let breaches = [
            ("acknowledged and lost", self.lost),
            ("in the journal twice", self.doubled),
            ("not where the reply said", self.misplaced),
            ("refused and applied", self.untrue),
            ("sent by nobody", self.foreign),
            ("never answered", self.silent),
            ("faults that `verify` found", self.faults),
        ];
        for (what, count) in breaches {
            let what = format!("{what}, of {} acknowledged", self.acknowledged);
            verdict.judge(what, count, "0", count == 0);
        }
    }
}

/// What an entry holds: eight numbers, its texts, its payload, and its record if it has one.
fn size(entry: &Entry) -> u64 {
    let id = &entry.id;
    let event = match &entry.body {
        EntryBody::Event { event, .. } => event.name.len() + event.payload.len(),
        _ => 0,
    };
    let record = entry
        .body
        .record()
        .map_or(0, |record| 16 + record.key.len() + record.outcome.len());
    let id = id.entity_type().as_str().len() + id.id().len();
    (8 * 8 + id + entry.metadata.len() + event + record) as u64
}

/// Numbers that have been met, a bit each.
struct Seen(Vec<u64>);

impl Seen {
    fn of(count: u64) -> Self {
        let words = usize::try_from(count / 64 + 1).unwrap_or(0);
        Self(vec![0; words])
    }

    /// Marks a number. Whether it was marked already.
    fn mark(&mut self, number: u64) -> bool {
        let was = self.is_marked(number);
        let index = usize::try_from(number / 64).unwrap_or(usize::MAX);
        if let Some(word) = self.0.get_mut(index) {
            *word |= 1 << (number % 64);
        }
        was
    }

    fn is_marked(&self, number: u64) -> bool {
        let index = usize::try_from(number / 64).unwrap_or(usize::MAX);
        self.0
            .get(index)
            .is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}
