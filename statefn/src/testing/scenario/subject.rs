//! The entity under test, with all that has happened to it.

use statefn_store::{PersistenceId, SequenceNumber, Timestamp};

use crate::context::Context;
use crate::metadata::Metadata;
use crate::testing::scenario::answer::Value;
use crate::testing::scenario::trial::{Command, Trial};
use crate::testing::scenario::{Testable, checks};

/// More cuts than this are spread over the events.
const CUTS_MAX: usize = 256;

/// An entity and its events.
pub(super) struct Subject<E: Testable> {
    id: PersistenceId,
    /// As it is in memory: every event was applied as it was emitted.
    live: E,
    history: Vec<E::Event>,
}

impl<E: Testable> Subject<E> {
    pub(super) fn new(id: PersistenceId) -> Self {
        Self {
            id,
            live: E::default(),
            history: Vec::new(),
        }
    }

    pub(super) fn state(&self) -> &E {
        &self.live
    }

    /// Takes events that have happened.
    pub(super) fn happened(&mut self, events: Vec<E::Event>) -> Result<(), String> {
        for event in events {
            self.live.apply(&event);
            self.history.push(event);
        }
        self.check_recovery()
    }

    /// The events after the first `count`.
    pub(super) fn events_after(&self, count: usize) -> &[E::Event] {
        self.history.get(count..).unwrap_or_default()
    }

    pub(super) fn events(&self) -> usize {
        self.history.len()
    }

    /// Runs a command several times, on states of different origin, and keeps what it did.
    pub(super) fn run<T: Value, R: Value>(
        &mut self,
        command: Command<'_, E, T, R>,
        now: Timestamp,
        metadata: &Metadata,
    ) -> Result<Result<T, R>, String> {
        let sequence = SequenceNumber::new(self.history.len() as u64);
        let id = &self.id;
        let context = || Context::new(id.clone(), sequence, now, metadata.clone());
        let attempt = |state: &E| Trial::attempt(command, state, context());

        let mut replayed = self.replayed();
        let first = attempt(&self.live);
        checks::untouched(&self.live, &replayed)?;
        let second = attempt(&replayed);
        let restored = self.restored(self.history.len())?;
        let third = restored.map(|state| (attempt(&state), state));

        let first = first.conclude(&mut self.live)?;
        let second = second.conclude(&mut replayed)?;
        first.must_equal(&second)?;
        checks::same(
            "applying the same events to the same state led to two states",
            &self.live,
            &replayed,
        )?;
        if let Some((third, mut restored)) = third {
            first.must_equal(&third.conclude(&mut restored)?)?;
        }
        let answer = first.answer;
        match &answer {
            Ok(reply) => checks::comes_back::<E, T>("the reply", reply)?,
            Err(rejection) => checks::comes_back::<E, R>("the rejection", rejection)?,
        }
        self.history.extend(first.emitted);
        self.check_recovery()?;
        Ok(answer)
    }

    /// Asks a query twice, on states of different origin.
    pub(super) fn ask<R: Value>(&self, query: &dyn Fn(&E) -> R) -> Result<R, String> {
        let replayed = self.replayed();
        let first = query(&self.live);
        checks::untouched(&self.live, &replayed)?;
        checks::same(checks::TWO_DECISIONS, &first, &query(&replayed))?;
        if let Some(restored) = self.restored(self.history.len())? {
            checks::same(checks::TWO_DECISIONS, &first, &query(&restored))?;
        }
        checks::comes_back::<E, R>("the reply", &first)?;
        Ok(first)
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
            &self.live,
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
            checks::same(&complaint, &self.live, &restored)?;
        }
        Ok(())
    }
}

fn apply<E: Testable>(state: &mut E, events: &[E::Event]) {
    for event in events {
        state.apply(event);
    }
}
