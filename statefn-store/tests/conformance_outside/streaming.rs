//! How the notebook streams one entity into a replay.

use statefn_store::{
    Entry, EntryBody, EventRef, Head, LoadError, NewEvent, Offset, PersistenceId, RecordRef,
    Replay, SequenceNumber, SnapshotRef, StateBytes, StateRef,
};

use crate::bug::Bug;
use crate::paper::{Line, Paper, Picture, same};

/// One entity at one point in time.
pub(crate) struct Story {
    bug: Bug,
    head: Head,
    lines: Vec<Line>,
    pictures: Vec<Picture>,
    skips: Vec<SequenceNumber>,
}

pub(crate) fn damage(line: &Line) -> LoadError {
    LoadError::Corrupt {
        offset: line.entry.offset,
        sequence: line.entry.sequence,
        what: "the sum is wrong".to_owned(),
    }
}

impl Story {
    pub(crate) fn of(paper: &Paper, id: &PersistenceId, bug: Bug) -> Self {
        let own = |of: &PersistenceId| same(of, id, bug);
        let skipping = |line: &Line| match &line.entry.body {
            EntryBody::Skip { sequence, .. } => Some(*sequence),
            _ => None,
        };
        let skips = paper.lines.iter();
        let skips = skips.filter(|l| own(&l.entry.id) || bug == Bug::SkipsForEverybody);
        let lines = paper.lines.iter().filter(|l| own(&l.entry.id));
        let pictures = paper.pictures.iter().filter(|p| own(&p.id));
        Self {
            bug,
            head: paper.head(id, bug),
            skips: skips.filter_map(skipping).collect(),
            lines: lines.cloned().collect(),
            pictures: pictures.cloned().collect(),
        }
    }

    pub(crate) fn tell(&self, replay: &mut dyn Replay) -> Result<Head, LoadError> {
        if self.bug != Bug::StreamsRecordsLast {
            self.tell_records(replay);
        }
        let after = self.tell_snapshot(replay);
        if let Some(after) = self.tell_state(after, replay)? {
            self.tell_events(after, replay)?;
        }
        if self.bug == Bug::StreamsRecordsLast {
            self.tell_records(replay);
        }
        Ok(self.head)
    }

    fn tell_records(&self, replay: &mut dyn Replay) {
        let readable = self.lines.iter().filter(|line| !line.is_damaged());
        let records = readable.filter_map(|line| line.entry.body.record());
        let mut records: Vec<_> = records.collect();
        if self.bug != Bug::StreamsRecordsOldestFirst {
            records.reverse();
        }
        for record in records {
            let flow = replay.record(RecordRef {
                key: &record.key,
                fingerprint: record.fingerprint,
                time: record.time,
                offset: record.offset,
            });
            if flow.is_break() && self.bug != Bug::IgnoresRecordBreaks {
                return;
            }
        }
    }

    /// Offers the snapshot and answers after which event the replay goes on.
    fn tell_snapshot(&self, replay: &mut dyn Replay) -> SequenceNumber {
        let newest = match self.bug {
            Bug::KeepsTheFirstSnapshot => self.pictures.first(),
            _ => self.pictures.last(),
        };
        let readable = |p: &&Picture| !p.is_damaged() || self.bug == Bug::OffersDamagedSnapshots;
        let Some(picture) = newest.filter(readable) else {
            return SequenceNumber::ZERO;
        };
        let accepted = replay.snapshot(SnapshotRef {
            sequence: picture.sequence,
            shape: picture.snapshot.shape,
            codec: picture.snapshot.codec,
            payload: &picture.snapshot.payload,
        });
        if accepted || self.bug == Bug::ReplaysAfterARefusedSnapshot {
            picture.sequence
        } else {
            SequenceNumber::ZERO
        }
    }

    /// Hands over the newest state or deletion, if it is not covered. Answers after what the replay
    /// goes on, if it does.
    fn tell_state(
        &self,
        after: SequenceNumber,
        replay: &mut dyn Replay,
    ) -> Result<Option<SequenceNumber>, LoadError> {
        let is_skipped = |line: &&Line| {
            self.skips.contains(&line.entry.sequence) && self.bug != Bug::DeliversSkippedStates
        };
        let newest = self.lines.iter().rev().find(|line| {
            let is_whole = match line.entry.body {
                EntryBody::State { .. } => true,
                EntryBody::Deleted { .. } => self.bug != Bug::ForgetsDeletions,
                _ => false,
            };
            is_whole && line.entry.sequence > after && !is_skipped(line)
        });
        let Some(line) = newest else {
            return Ok(Some(after));
        };
        if line.is_damaged() {
            return Err(damage(line));
        }
        let entry = &line.entry;
        let state = match &entry.body {
            EntryBody::State { state, .. } => Some(StateBytes {
                shape: state.shape,
                version: state.version,
                codec: state.codec,
                payload: &state.payload,
            }),
            _ => None,
        };
        let flow = replay.state(StateRef {
            offset: entry.offset,
            sequence: entry.sequence,
            time: entry.time,
            metadata: &entry.metadata,
            state,
        });
        if flow.is_break() && self.bug != Bug::IgnoresStateBreaks {
            return Ok(None);
        }
        Ok(Some(match self.bug {
            Bug::ReplaysBehindStates => after,
            _ => entry.sequence,
        }))
    }

    fn tell_events(&self, after: SequenceNumber, replay: &mut dyn Replay) -> Result<(), LoadError> {
        if self.bug == Bug::NamesCoveredSkips {
            let covered = self.skips.iter().filter(|skip| **skip <= after);
            covered.for_each(|skip| replay.skipped(*skip));
        }
        for line in self.lines.iter().filter(|l| l.entry.sequence > after) {
            let event = match &line.entry.body {
                EntryBody::Event { event, .. } => Some(event),
                EntryBody::State { .. } | EntryBody::Deleted { .. } => None,
                _ => continue,
            };
            if line.is_damaged() && self.bug == Bug::StopsAtSkippedDamage {
                return Err(damage(line));
            }
            let sequence = line.entry.sequence;
            if self.skips.contains(&sequence) && self.bug != Bug::DeliversSkippedEvents {
                if self.bug != Bug::HidesSkippedEvents {
                    replay.skipped(sequence);
                }
                continue;
            }
            if line.is_damaged() {
                match self.bug {
                    Bug::HandsOutDamage => {}
                    Bug::PassesOverDamage => continue,
                    _ => return Err(damage(line)),
                }
            }
            let Some(event) = event else {
                continue;
            };
            let flow = replay.event(event_ref(&line.entry, event, line.entry.offset));
            if flow.is_break() && self.bug != Bug::IgnoresEventBreaks {
                break;
            }
        }
        Ok(())
    }
}

fn event_ref<'a>(entry: &'a Entry, event: &'a NewEvent, offset: Offset) -> EventRef<'a> {
    EventRef {
        offset,
        sequence: entry.sequence,
        time: entry.time,
        name: &event.name,
        version: event.version,
        codec: event.codec,
        metadata: &entry.metadata,
        payload: &event.payload,
    }
}
