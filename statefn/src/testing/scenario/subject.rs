//! The entity under test, with all that has happened to it.

use statefn_store::{PersistenceId, SequenceNumber, Timestamp};

use crate::context::Context;
use crate::entity::Kind;
use crate::event;
use crate::hash::stable_128;
use crate::metadata::Metadata;
use crate::runtime::resident::Resident;
use crate::testing::scenario::answer::Value;
use crate::testing::scenario::sent::Baggage;
use crate::testing::scenario::trial::{Command, Told, Trial};
use crate::testing::scenario::{Testable, checks};

/// More cuts than this are spread over the events.
const CUTS_MAX: usize = 256;

/// An entity and its events since it was last deleted; of a CRUD entity, its states.
pub(super) struct Subject<E: Testable> {
    id: PersistenceId,
    /// As it is in memory: every event was applied as it was emitted.
    live: Resident<E>,
    history: Vec<E::Event>,
    sequence: SequenceNumber,
    /// What the last command emitted.
    emitted: Vec<E::Event>,
    /// Whether the last command has deleted the entity.
    deleted: bool,
    /// What the last command sends on.
    baggage: Baggage,
}

impl<E: Testable> Subject<E> {
    pub(super) fn new(id: PersistenceId) -> Self {
        Self {
            id,
            live: Resident::new(E::default()),
            history: Vec::new(),
            sequence: SequenceNumber::ZERO,
            emitted: Vec::new(),
            deleted: false,
            baggage: Baggage::default(),
        }
    }

    pub(super) fn state(&self) -> &E {
        &self.live.state
    }

    /// Takes events that have happened.
    pub(super) fn happened(&mut self, events: Vec<E::Event>) -> Result<(), String> {
        for event in events {
            self.live.state.apply(&event);
            self.history.push(event);
            self.sequence = self.sequence.next();
        }
        self.live.is_stored(self.digest()?);
        self.check_recovery()
    }

    /// What the last command emitted; of a CRUD entity, its new state if it has changed.
    pub(super) fn emitted(&self) -> &[E::Event] {
        &self.emitted
    }

    /// Whether the last command has deleted the entity.
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted
    }

    /// What the last command sends on.
    pub(super) fn baggage(&self) -> &Baggage {
        &self.baggage
    }

    /// Runs a command several times, on states of different origin, and keeps what it did.
    pub(super) fn run<T: Value, R: Value>(
        &mut self,
        command: Command<'_, E, T, R>,
        now: Timestamp,
        metadata: &Metadata,
    ) -> Result<Told<T, R>, String> {
        let (id, sequence) = (&self.id, self.sequence);
        let context = || Context::new(id.clone(), sequence, now, metadata.clone());
        let attempt = |entity: &mut Resident<E>| Trial::attempt(command, entity, context());

        let mut replayed = self.resident(self.replayed())?;
        let first = attempt(&mut self.live)?;
        checks::untouched(&self.live.state, &replayed.state)?;
        let second = attempt(&mut replayed)?;
        let restored = self.restored(self.history.len())?;
        let third = match restored {
            Some(state) => {
                let mut entity = self.resident(state)?;
                Some((attempt(&mut entity)?, entity))
            }
            None => None,
        };

        let first = first.conclude(&mut self.live)?;
        let second = second.conclude(&mut replayed)?;
        first.must_equal(&second)?;
        checks::same(
            "applying the same events to the same state led to two states",
            &self.live.state,
            &replayed.state,
        )?;
        if let Some((third, mut restored)) = third {
            first.must_equal(&third.conclude(&mut restored)?)?;
        }
        let answer = first.answer;
        match &answer {
            Told::Reply(reply) => checks::comes_back::<E, T>("the reply", reply)?,
            Told::Rejection(no) => checks::comes_back::<E, R>("the rejection", no)?,
            Told::Forward(_) => {}
        }
        self.baggage = first.baggage;
        self.keep(first.emitted, first.deleted)?;
        self.check_recovery()?;
        Ok(answer)
    }

    /// Asks a query twice, on states of different origin.
    pub(super) fn ask<R: Value>(&self, query: &dyn Fn(&E) -> R) -> Result<R, String> {
        let replayed = self.replayed();
        let first = query(&self.live.state);
        checks::untouched(&self.live.state, &replayed)?;
        checks::same(checks::TWO_DECISIONS, &first, &query(&replayed))?;
        if let Some(restored) = self.restored(self.history.len())? {
            checks::same(checks::TWO_DECISIONS, &first, &query(&restored))?;
        }
        checks::comes_back::<E, R>("the reply", &first)?;
        Ok(first)
    }

    /// Writes down what a command came to.
    fn keep(&mut self, emitted: Vec<E::Event>, deleted: bool) -> Result<(), String> {
        let advanced = emitted.len() as u64 + u64::from(deleted);
        self.sequence = self.sequence.plus(advanced);
        self.deleted = deleted;
        self.emitted.clear();
        for event in &emitted {
            self.emitted.push(checks::stored_event::<E>(event)?);
        }
        self.history.extend(emitted);
        if deleted {
            self.history.clear();
        }
        Ok(())
    }

    /// A state as memory holds it.
    fn resident(&self, state: E) -> Result<Resident<E>, String> {
        let mut entity = Resident::new(state);
        entity.is_stored(self.digest()?);
        Ok(entity)
    }

    /// The hash of the bytes of a state that is stored whole.
    fn digest(&self) -> Result<Option<u128>, String> {
        let stored = self.history.last().filter(|_| <E::Kind as Kind>::IS_WHOLE);
        let Some(stored) = stored else {
            return Ok(None);
        };
        let mut payload = Vec::new();
        event::encode(stored, E::OPTIONS.codec, &mut payload)
            .map_err(|error| format!("the state cannot be stored: {error}"))?;
        Ok(Some(stable_128(&payload)))
    }

    fn replayed(&self) -> E {
        let mut state = E::default();
        apply(&mut state, &self.history);
        state
    }

    /// The state as a recovery makes it: a snapshot after `cut` events and the rest of them.
    /// `None` for an entity without snapshots.
    fn restored(&self, cut: usize) -> Result<Option<E>, String> {
        if E::OPTIONS.snapshot_every == 0 {
            return Ok(None);
        }
        let (before, after) = self.history.split_at(cut.min(self.history.len()));
        let mut state = E::default();
        apply(&mut state, before);
        let mut state = checks::through_codec::<E, E>("the state", &state)?;
        apply(&mut state, after);
        Ok(Some(state))
    }

    /// Every way in which the runtime may bring the entity back leads to the state in memory.
    fn check_recovery(&self) -> Result<(), String> {
        let mut stored = E::default();
        for event in &self.history {
            stored.apply(&checks::stored_event::<E>(event)?);
        }
        checks::same(
            "replaying the stored events does not give the state in memory",
            &self.live.state,
            &stored,
        )?;
        let cuts = self.history.len();
        let step = cuts / CUTS_MAX + 1;
        for cut in (0..=cuts).rev().step_by(step) {
            let Some(restored) = self.restored(cut)? else {
                return Ok(());
            };
            let complaint = format!(
                "a snapshot after event {cut} and the rest of the {cuts} events do not give the \
                 state in memory"
            );
            checks::same(&complaint, &self.live.state, &restored)?;
        }
        Ok(())
    }
}

fn apply<E: Testable>(state: &mut E, events: &[E::Event]) {
    for event in events {
        state.apply(event);
    }
}
