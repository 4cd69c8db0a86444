//! What the notebook writes on: lines in order, each with a sum over its payload.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use statefn_store::{
    Deferred, Entry, EntryBody, Head, Member, NewSnapshot, Offset, OutboxNumber, Outcome,
    PersistenceId, Refusal, SequenceNumber, Settled, StateChange, StoredCalls, StoredRecord,
    StoredViews, Timestamp,
};

use crate::bug::Bug;

/// One entry and its sum.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) entry: Entry,
    sum: u64,
}

/// One snapshot and its sum.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) id: PersistenceId,
    pub(crate) sequence: SequenceNumber,
    pub(crate) snapshot: NewSnapshot,
    sum: u64,
}

/// Everything that survives a close.
#[derive(Clone, Default)]
pub(crate) struct Paper {
    pub(crate) epoch: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) pictures: Vec<Picture>,
    /// Where records were erased.
    pub(crate) had_record: Vec<Offset>,
    /// Entities that have lines; with one bug also others.
    pub(crate) listed: Vec<PersistenceId>,
    /// Offsets that were given out.
    pub(crate) numbered: u64,
    /// Whether the next commit fails, and is written all the same.
    pub(crate) next_fails: Option<bool>,
    pub(crate) calls: StoredCalls,
    pub(crate) views: StoredViews,
}

fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn payload(entry: &Entry) -> &[u8] {
    match &entry.body {
        EntryBody::Event { event, .. } => &event.payload,
        EntryBody::State { state, .. } => &state.payload,
        _ => &[],
    }
}

impl Line {
    pub(crate) fn new(entry: Entry) -> Self {
        let sum = sum(payload(&entry));
        Self { entry, sum }
    }

    pub(crate) fn is_damaged(&self) -> bool {
        sum(payload(&self.entry)) != self.sum
    }
}

impl Picture {
    pub(crate) fn is_damaged(&self) -> bool {
        sum(&self.snapshot.payload) != self.sum
    }
}

/// Whether two ids name one entity.
pub(crate) fn same(a: &PersistenceId, b: &PersistenceId, bug: Bug) -> bool {
    let cut = |id: &PersistenceId| id.id().split('\0').next().map(str::to_owned);
    match bug {
        Bug::CutsIdsAtZeroBytes => a.entity_type() == b.entity_type() && cut(a) == cut(b),
        Bug::FoldsCase => a.entity_type() == b.entity_type() && a.id().eq_ignore_ascii_case(b.id()),
        Bug::FoldsTypes => {
            let (a_type, b_type) = (a.entity_type().as_str(), b.entity_type().as_str());
            a_type.eq_ignore_ascii_case(b_type) && a.id() == b.id()
        }
        Bug::JoinsTypeAndId => {
            let join = |id: &PersistenceId| format!("{}{}", id.entity_type(), id.id());
            join(a) == join(b)
        }
        _ => a == b,
    }
}

impl Paper {
    pub(crate) fn head(&self, id: &PersistenceId, bug: Bug) -> Head {
        let mut head = Head::default();
        for line in self.lines.iter().filter(|l| same(&l.entry.id, id, bug)) {
            head.sequence = line.entry.sequence;
            let is_skip = matches!(line.entry.body, EntryBody::Skip { .. });
            if !is_skip || bug != Bug::ForgetsSkipsInTheHead {
                head.position = line.entry.offset;
            }
            let had_record = self.had_record.contains(&line.entry.offset);
            if line.entry.body.record().is_some() || had_record {
                head.record = line.entry.offset;
            }
        }
        head
    }

    /// Writes a batch's members and answers with their outcomes.
    pub(crate) fn write_all(&mut self, mut members: Vec<Member>, bug: Bug) -> Vec<Outcome> {
        let before = self.clone_heads(&members, bug);
        let mut outcomes = Vec::new();
        if bug == Bug::ReversesMembers {
            members.reverse();
        }
        let stale = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        let mut refused = Vec::new();
        let start = self.clone();
        for member in members {
            if bug == Bug::GivesUpAtTheFirstRefusal && outcomes.iter().any(stale) {
                let position = Offset::ZERO;
                outcomes.push(Outcome::Committed { position });
                continue;
            }
            if refused.contains(&member.id) && bug != Bug::JudgesWhatFollowsARefusal {
                outcomes.push(Outcome::Refused(Refusal::Overtaken));
                continue;
            }
            let id = member.id.clone();
            let actual = match before.get(&member.id) {
                Some(head) if bug == Bug::ChecksAgainstTheBatchStart => head.sequence,
                _ => self.head(&member.id, bug).sequence,
            };
            outcomes.push(self.write(member, actual, bug));
            if outcomes.last().is_some_and(stale) {
                refused.push(id);
            }
        }
        if bug == Bug::RefusesNeighbours && outcomes.iter().any(stale) {
            *self = start;
        }
        if matches!(bug, Bug::ReversesMembers | Bug::AnswersInAnotherOrder) {
            outcomes.reverse();
        }
        outcomes
    }

    fn clone_heads(&self, members: &[Member], bug: Bug) -> HashMap<PersistenceId, Head> {
        if bug != Bug::ChecksAgainstTheBatchStart {
            return HashMap::new();
        }
        let heads = members
            .iter()
            .map(|m| (m.id.clone(), self.head(&m.id, bug)));
        heads.collect()
    }

    fn write(&mut self, member: Member, actual: SequenceNumber, bug: Bug) -> Outcome {
        let accepts = match bug {
            Bug::IgnoresExpected | Bug::ChecksBeforeTheLock => true,
            Bug::IgnoresMembersAhead => member.expected >= actual,
            Bug::ChecksMembersWithEventsOnly => member.events.is_empty(),
            _ => false,
        };
        if member.expected != actual && !accepts {
            match member.snapshot {
                Some(snapshot) if bug == Bug::KeepsSnapshotsOfRefusedMembers => {
                    self.picture(&member.id, actual, snapshot);
                }
                _ => {}
            }
            self.numbered += u64::from(bug == Bug::NumbersRefusedMembers);
            if bug == Bug::SendsForRefusedMembers {
                self.send(&member.id, member.time, member.deferred, bug);
            }
            let expected = member.expected;
            return Outcome::Refused(Refusal::Stale { expected, actual });
        }
        if let Some(call) = member.deferred.as_ref().and_then(|d| d.settles)
            && !self.may_settle(call, bug)
        {
            return Outcome::Refused(Refusal::Settled);
        }
        let (id, is_empty) = (member.id.clone(), member.events.is_empty());
        self.write_accepted(member, bug);
        let head = self.head(&id, bug);
        let position = if bug == Bug::ReportsZeroForEmptyMembers && is_empty {
            Offset::ZERO
        } else {
            head.position
        };
        Outcome::Committed { position }
    }

    fn write_accepted(&mut self, member: Member, bug: Bug) {
        let Member {
            id,
            expected: mut sequence,
            time,
            metadata,
            events,
            state,
            snapshot,
            mut record,
            skip,
            deferred,
        } = member;
        let origin = Origin::new(&id, time, metadata);
        if bug == Bug::ListsEmptyMembers && !self.listed.contains(&id) {
            self.listed.push(id.clone());
        }
        let before = self.lines.len();
        let with_record = match bug {
            Bug::PutsRecordsOnTheFirstEvent => 1,
            _ if state.is_some() => 0,
            _ => events.len(),
        };
        for (number, event) in (1..).zip(events) {
            sequence = sequence.next();
            let record = record.take_if(|_| number == with_record);
            let record = record.filter(|_| bug != Bug::LosesRecordsOfEvents);
            let record = record.map(|record| stored(record, time));
            self.push(&origin, sequence, EntryBody::Event { event, record }, bug);
        }
        if let Some(change) = state {
            if bug != Bug::NumbersNoStates {
                sequence = sequence.next();
            }
            let record = record.take().map(|record| stored(record, time));
            self.push_state(&origin, sequence, *change, record, bug);
        }
        if let Some(record) = record {
            if bug == Bug::CountsRecordsAsEvents {
                sequence = sequence.next();
            }
            let body = EntryBody::Record(stored(record, time));
            self.push(&origin, sequence, body, bug);
        }
        if let Some(skip) = skip {
            let body = EntryBody::Skip {
                sequence: skip.sequence,
                reason: skip.reason,
            };
            self.push(&origin, sequence, body, bug);
        }
        if let Some(snapshot) = snapshot {
            self.picture(&id, sequence, snapshot);
        }
        let is_silent = self.lines.len() == before && bug != Bug::SendsWithoutAnEntry;
        if is_silent && deferred.as_ref().is_some_and(|d| d.sends()) {
            self.push(&origin, sequence, EntryBody::Sent, bug);
        }
        self.send(&id, time, deferred, bug);
    }

    fn may_settle(&self, call: Settled, bug: Bug) -> bool {
        let is_dead = || {
            let dead = self.calls.dead_letters(OutboxNumber::ZERO, usize::MAX);
            dead.iter().any(|d| d.effect.number == call.number())
        };
        let is_timer = matches!(call, Settled::Timer { .. });
        match bug {
            Bug::IgnoresWhatIsGone => true,
            Bug::IgnoresDueTimes if is_timer => true,
            Bug::SettlesDeadLetters if is_dead() => true,
            _ => self.calls.has(&call),
        }
    }

    fn send(
        &mut self,
        id: &PersistenceId,
        time: Timestamp,
        deferred: Option<Box<Deferred>>,
        bug: Bug,
    ) {
        let Some(mut deferred) = deferred else { return };
        if bug == Bug::KeepsSettledEffects {
            deferred.settles = None;
        }
        let position = self.head(id, bug).position;
        self.calls.append(*deferred, id, time, position);
    }

    fn push_state(
        &mut self,
        origin: &Origin<'_>,
        sequence: SequenceNumber,
        change: StateChange,
        record: Option<StoredRecord>,
        bug: Bug,
    ) {
        let body = match change {
            StateChange::Put(state) => EntryBody::State { state, record },
            StateChange::Delete => EntryBody::Deleted { record },
        };
        self.push(origin, sequence, body, bug);
        if bug != Bug::KeepsSnapshotsBehindStates {
            self.pictures.retain(|picture| picture.id != *origin.id);
        }
    }

    fn picture(&mut self, id: &PersistenceId, sequence: SequenceNumber, snapshot: NewSnapshot) {
        self.pictures.push(Picture {
            id: id.clone(),
            sequence,
            sum: sum(&snapshot.payload),
            snapshot,
        });
    }

    fn push(
        &mut self,
        origin: &Origin<'_>,
        sequence: SequenceNumber,
        mut body: EntryBody,
        bug: Bug,
    ) {
        self.numbered += 1;
        let offset = Offset::new(self.numbered - u64::from(bug == Bug::StartsAtZero));
        match &mut body {
            EntryBody::Event { record, .. }
            | EntryBody::State { record, .. }
            | EntryBody::Deleted { record } => record.iter_mut().for_each(|r| r.offset = offset),
            EntryBody::Record(record) => record.offset = offset,
            _ => {}
        }
        if !self.listed.contains(origin.id) {
            self.listed.push(origin.id.clone());
        }
        let entry = Entry {
            offset,
            id: origin.id.clone(),
            sequence,
            time: origin.time,
            metadata: origin.metadata.clone(),
            body,
        };
        self.lines.push(Line::new(entry));
        if bug == Bug::OrdersByTime {
            self.lines.sort_by_key(|line| line.entry.time.as_millis());
        }
    }
}

/// What all entries of one member have in common.
struct Origin<'a> {
    id: &'a PersistenceId,
    time: Timestamp,
    metadata: Vec<u8>,
}

impl<'a> Origin<'a> {
    fn new(id: &'a PersistenceId, time: Timestamp, metadata: Vec<u8>) -> Self {
        Self { id, time, metadata }
    }
}

fn stored(record: statefn_store::NewRecord, time: Timestamp) -> StoredRecord {
    StoredRecord {
        key: record.key,
        fingerprint: record.fingerprint,
        outcome: record.outcome,
        time,
        offset: Offset::ZERO,
    }
}

/// A member as a careless format would keep it.
pub(crate) fn cut(mut member: Member, bug: Bug) -> Member {
    const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
    let low = |number: u128| number & u128::from(u64::MAX);
    match bug {
        Bug::CutsPayloads => {
            let events = member.events.iter_mut();
            events.for_each(|event| event.payload.truncate(PAYLOAD_BYTES_MAX));
        }
        Bug::CutsTimes => {
            let millis = member.time.as_millis().clamp(0, i64::from(i32::MAX));
            member.time = Timestamp::from_millis(millis);
        }
        Bug::CutsFingerprints => {
            let record = member.record.iter_mut();
            record.for_each(|record| record.fingerprint = low(record.fingerprint));
        }
        Bug::CutsShapes => {
            let snapshot = member.snapshot.iter_mut();
            snapshot.for_each(|snapshot| snapshot.shape = low(snapshot.shape));
        }
        Bug::LosesMetadata => member.metadata.clear(),
        Bug::CutsMembers => member.events.truncate(256),
        Bug::CutsTextsAtZeroBytes => {
            let keys = member.record.iter_mut().map(|record| &mut record.key);
            let reasons = member.skip.iter_mut().map(|skip| &mut skip.reason);
            for text in keys.chain(reasons) {
                text.truncate(text.find('\0').unwrap_or(text.len()));
            }
        }
        Bug::DropsEmptySnapshots => {
            let snapshot = member.snapshot.take();
            member.snapshot = snapshot.filter(|snapshot| !snapshot.payload.is_empty());
        }
        _ => {}
    }
    member
}
