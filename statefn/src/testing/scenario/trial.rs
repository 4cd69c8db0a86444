//! One run of a command's handler.

use statefn_store::StateChange;

use crate::call_error::Failure;
use crate::codec::Codec;
use crate::context::{Context, Wishes};
use crate::entity::{Entity, Kind, Model};
use crate::event::{self, Event};
use crate::infallible::Infallible;
use crate::limits::Limits;
use crate::reply::{Handled, Said};
use crate::runtime::decision::{Form, conclude};
use crate::runtime::forwarding;
use crate::runtime::resident::Resident;
use crate::testing::scenario::answer::Value;
use crate::testing::scenario::sent::{Baggage, Sent};
use crate::testing::scenario::{Testable, checks};

/// What a command gets of the state: `&E` if it is event-sourced, `&mut E` if it is a CRUD one.
pub(crate) type Handle<'a, E> = <<E as Entity>::Kind as Model<E>>::Handle<'a>;

/// The handler of a command.
pub(super) type Command<'a, E, T, R> =
    &'a dyn Fn(Handle<'_, E>, &mut Context<E>) -> Result<Handled<E, T, R>, String>;

/// What a handler said, before any of it happened.
pub(super) struct Trial<E: Testable, T, R> {
    handled: Handled<E, T, R>,
    wishes: Wishes<E>,
    /// What the handler worked on, if not on the state itself.
    copy: Option<E>,
}

/// What the caller is told.
#[derive(Debug, PartialEq)]
pub(super) enum Told<T, R> {
    Reply(T),
    Rejection(R),
    /// This call's answer.
    Forward(Sent),
}

/// What a command came to.
pub(super) struct Concluded<E: Testable, T, R> {
    pub(super) answer: Told<T, R>,
    /// Empty after a rejection. Of a CRUD entity: its new state, if it has changed.
    pub(super) emitted: Vec<E::Event>,
    /// Whether the entity is deleted.
    pub(super) deleted: bool,
    /// Empty after a rejection.
    pub(super) baggage: Baggage,
}

impl<E: Testable, T: Value, R: Value> Trial<E, T, R> {
    pub(super) fn attempt(
        command: Command<'_, E, T, R>,
        entity: &mut Resident<E>,
        mut context: Context<E>,
    ) -> Result<Self, String> {
        let mut copy = entity.copy();
        let state = copy.as_mut().unwrap_or(&mut entity.state);
        let handled = command(<E::Kind as Model<E>>::handle(state), &mut context)?;
        Ok(Self {
            handled,
            wishes: context.into_wishes(),
            copy,
        })
    }

    /// Applies it as the runtime does, under its default limits.
    pub(super) fn conclude(self, entity: &mut Resident<E>) -> Result<Concluded<E, T, R>, String> {
        let Self {
            handled,
            mut wishes,
            mut copy,
        } = self;
        let form = Form {
            codec: E::OPTIONS.codec,
            shape: 0,
            limits: &Limits::default(),
        };
        let outgoing = match &handled {
            Handled::Rejected(_) => None,
            _ => wishes.outgoing.take(),
        };
        let baggage = Baggage::pack(outgoing).map_err(failed)?;
        if let Some(destination) = handled.destination() {
            forwarding::check(destination, form.limits).map_err(failed)?;
        }
        let decision = conclude(handled, &wishes, copy.as_mut(), entity, form).map_err(failed)?;
        let answer = match decision.answer {
            Said::Reply(reply) => Told::Reply(reply),
            Said::Rejected(rejection) => {
                wishes.events.clear();
                Told::Rejection(rejection)
            }
            Said::Forward(destination) => {
                Told::Forward(Sent::new(destination.call.map_err(failed)?))
            }
        };
        if <E::Kind as Kind>::IS_CRDT {
            for delta in &decision.written.events {
                wishes
                    .events
                    .push(written::<E>(delta.version, &delta.payload)?);
            }
        }
        let deleted = match decision.written.state.as_deref() {
            Some(StateChange::Put(state)) => {
                wishes
                    .events
                    .push(written::<E>(state.version, &state.payload)?);
                false
            }
            change => change.is_some(),
        };
        Ok(Concluded {
            answer,
            emitted: wishes.events,
            deleted,
            baggage,
        })
    }
}

fn failed(failure: Failure) -> String {
    format!("the command fails: {}", failure.widen::<Infallible>())
}

/// A state as it is read back.
fn written<E: Testable>(version: u32, payload: &[u8]) -> Result<E::Event, String> {
    let codec: Codec = E::OPTIONS.codec;
    let declared = E::Event::EVENTS.first();
    let declared = declared.ok_or("the entity declares no form in which its state is stored")?;
    event::decode(declared.name, version, codec, payload)
        .map_err(|error| format!("the state can be stored but not read back: {error}"))
}

impl<E: Testable, T: Value, R: Value> Concluded<E, T, R> {
    /// Two runs on equal states came to the same.
    pub(super) fn must_equal(&self, other: &Self) -> Result<(), String> {
        checks::same(checks::TWO_DECISIONS, &self.emitted, &other.emitted)?;
        checks::same(checks::TWO_DECISIONS, &self.deleted, &other.deleted)?;
        checks::same(checks::TWO_DECISIONS, &self.baggage, &other.baggage)?;
        checks::same(checks::TWO_DECISIONS, &self.answer, &other.answer)
    }
}
