//! The test kit's scenarios: what they say, and that each built-in check fires.

#![expect(missing_docs, reason = "test entities")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::testing::Scenario;
use statefn::{Metadata, SequenceNumber, Timestamp};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum CartEvent {
    Added { product: String, quantity: u32 },
    Emptied,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum CartError {
    Quantity,
}

#[entity(event_sourced, name = "cart", snapshot_every = 3)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cart {
    items: Vec<(String, u32)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    user: String,
    millis: i64,
    trace: Option<String>,
    sequence: u64,
}

#[entity]
impl Cart {
    #[command]
    fn add(
        &self,
        ctx: &mut Context<Self>,
        product: String,
        quantity: u32,
    ) -> Result<Then<Self, usize>, CartError> {
        ctx.emit(CartEvent::Added { product, quantity });
        if quantity == 0 {
            return Err(CartError::Quantity);
        }
        Ok(ctx.then(|cart| cart.items.len()))
    }

    #[command]
    fn empty(&self, ctx: &mut Context<Self>) {
        ctx.emit(CartEvent::Emptied);
    }

    #[command]
    fn total(&self) -> u32 {
        self.items.iter().map(|(_, quantity)| quantity).sum()
    }

    #[command]
    fn receipt(&self, ctx: &mut Context<Self>) -> Receipt {
        Receipt {
            user: ctx.id().to_owned(),
            millis: ctx.now().as_millis(),
            trace: ctx.metadata().get("trace").map(str::to_owned),
            sequence: ctx.sequence().get(),
        }
    }

    #[query]
    fn first(&self) -> Result<(String, u32), CartError> {
        self.items.first().cloned().ok_or(CartError::Quantity)
    }

    #[event_handler]
    fn apply(&mut self, event: &CartEvent) {
        match event {
            CartEvent::Added { product, quantity } => self.items.push((product.clone(), *quantity)),
            CartEvent::Emptied => self.items.clear(),
        }
    }
}

fn added(product: &str) -> CartEvent {
    CartEvent::Added {
        product: product.to_owned(),
        quantity: 1,
    }
}

#[test]
fn commands_follow_one_another_on_the_state_that_they_made() {
    let scenario = Scenario::<Cart>::new("alice")
        .given([added("p1"), added("p2")])
        .given(vec![added("p3")])
        .when(|cart, ctx| cart.add(ctx, "p4".into(), 2))
        .then_events([CartEvent::Added {
            product: "p4".into(),
            quantity: 2,
        }])
        .then_reply(4)
        .when(|cart, ctx| cart.add(ctx, "p5".into(), 0))
        .then_no_events()
        .then_rejection(CartError::Quantity)
        .when(|cart, _| cart.total())
        .then_reply(5)
        .query(Cart::first)
        .then_reply(Ok(("p1".to_owned(), 1)))
        .when(Cart::empty)
        .then_events((CartEvent::Emptied,))
        .then_reply(())
        .then_state(Cart::default())
        .query(Cart::first)
        .then_reply(Err(CartError::Quantity));
    assert_eq!(scenario.state(), &Cart::default());
}

#[test]
fn handlers_know_where_they_are() {
    let mut metadata = Metadata::new();
    metadata.insert("trace", "7f3a");
    let receipt = |millis, trace: Option<&str>, sequence| Receipt {
        user: "alice".to_owned(),
        millis,
        trace: trace.map(str::to_owned),
        sequence,
    };
    assert_eq!(SequenceNumber::ZERO.get(), 0);
    Scenario::<Cart>::new("alice")
        .when_infallible(Cart::receipt)
        .then_reply(receipt(1_767_225_600_000, None, 0))
        .given([added("p1")])
        .at(Timestamp::from_millis(5))
        .metadata(metadata)
        .when_infallible(Cart::receipt)
        .then_reply(receipt(5, Some("7f3a"), 1));
}

#[test]
fn the_answer_is_there_for_other_comparisons() {
    let after = Scenario::<Cart>::new("alice").when(|cart, ctx| cart.add(ctx, "p".into(), 9));
    assert!(after.answer().is_ok_and(|count| *count < 2));
    assert_eq!(after.state().items.len(), 1);
}

fn a_cart() -> Scenario<Cart> {
    Scenario::new("alice").given([added("p1")])
}

#[test]
#[should_panic(expected = "the command emitted other events")]
fn other_events_are_found() {
    a_cart()
        .when(|cart, ctx| cart.add(ctx, "p2".into(), 1))
        .then_events([added("p1")]);
}

#[test]
#[should_panic(expected = "the command emitted events")]
fn unexpected_events_are_found() {
    a_cart().when(Cart::empty).then_no_events();
}

#[test]
#[should_panic(expected = "the command replied something else\n  left: 2\n right: 3")]
fn another_reply_is_found() {
    a_cart()
        .when(|cart, ctx| cart.add(ctx, "p2".into(), 1))
        .then_reply(3);
}

#[test]
#[should_panic(expected = "the command was rejected, a reply was expected")]
fn a_rejection_is_no_reply() {
    a_cart()
        .when(|cart, ctx| cart.add(ctx, "p2".into(), 0))
        .then_reply(2);
}

#[test]
#[should_panic(expected = "the command was accepted, a rejection was expected")]
fn a_reply_is_no_rejection() {
    a_cart()
        .when(|cart, ctx| cart.add(ctx, "p2".into(), 1))
        .then_rejection(CartError::Quantity);
}

#[test]
#[should_panic(expected = "the state is another one")]
fn another_state_is_found() {
    drop(a_cart().then_state(Cart::default()));
}

#[test]
#[should_panic(expected = "the query replied something else")]
fn another_query_result_is_found() {
    drop(a_cart().query(|cart| cart.items.len()).then_reply(2));
}

#[test]
#[should_panic(expected = "the command fails: the list of events")]
fn the_limits_of_the_runtime_hold() {
    a_cart().when(|_, ctx| {
        for _ in 0..2_000 {
            ctx.emit(CartEvent::Emptied);
        }
    });
}

#[test]
#[should_panic(expected = "the handler is not deterministic")]
fn a_handler_that_counts_its_calls_is_found() {
    let calls = Cell::new(0);
    a_cart().when(|cart, ctx| {
        calls.set(calls.get() + 1);
        cart.add(ctx, "p2".into(), calls.get())
    });
}

#[test]
#[should_panic(expected = "the handler is not deterministic")]
fn a_query_that_counts_its_calls_is_found() {
    let calls = Cell::new(0);
    drop(a_cart().query(|_| calls.replace(calls.get() + 1)));
}

/// An entity with one planted mistake for each command.
#[entity(event_sourced, name = "mistaken")]
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mistaken {
    names: HashMap<String, u32>,
    #[serde(skip)]
    skipped: u32,
    touched: RefCell<u32>,
    applied: u64,
    ratio: Ratio,
}

/// Loses what is behind the comma on its way through a codec.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio(f64);

impl Serialize for Ratio {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.trunc())
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Named {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Skipping;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Counted;

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Set {
    ratio: Ratio,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Folded;

static APPLIED: AtomicU64 = AtomicU64::new(0);

#[entity]
impl Mistaken {
    /// The order of a map decides.
    #[command]
    fn first(&self) -> Option<String> {
        self.names.keys().next().cloned()
    }

    #[command]
    fn touch(&self) {
        *self.touched.borrow_mut() += 1;
    }

    #[command]
    fn half(&self, accepted: bool) -> Result<Ratio, Ratio> {
        if accepted {
            Ok(Ratio(0.5))
        } else {
            Err(Ratio(0.5))
        }
    }

    #[event_handler]
    fn named(&mut self, event: &Named) {
        self.names.insert(event.name.clone(), 1);
    }

    #[event_handler]
    fn skipping(&mut self, _: &Skipping) {
        self.skipped += 1;
    }

    #[event_handler]
    fn counted(&mut self, _: &Counted) {
        self.applied = APPLIED.fetch_add(1, Ordering::Relaxed) + 1;
    }

    #[event_handler]
    fn set(&mut self, event: &Set) {
        self.ratio = event.ratio;
    }

    #[event_handler]
    fn folded(&mut self, _: &Folded) {
        self.applied += u64::from(self.skipped);
        self.skipped = 0;
    }
}

fn mistaken() -> Scenario<Mistaken> {
    Scenario::new("m")
}

#[test]
#[should_panic(expected = "the handler is not deterministic")]
fn the_order_of_a_hash_map_is_found() {
    let names = (0..100).map(|name| Named {
        name: name.to_string(),
    });
    mistaken()
        .given(names.collect::<Vec<_>>())
        .when(|entity, _| entity.first());
}

#[test]
#[should_panic(expected = "the handler changed the state")]
fn a_state_that_a_handler_touches_is_found() {
    mistaken().when(|entity, _| entity.touch());
}

#[test]
#[should_panic(expected = "the handler changed the state")]
fn a_state_that_a_query_touches_is_found() {
    drop(mistaken().query(Mistaken::touch));
}

#[test]
#[should_panic(expected = "a snapshot after event 1 and the rest of the 1 events do not give")]
fn a_field_that_no_snapshot_holds_is_found() {
    drop(mistaken().given((Skipping,)));
}

#[test]
#[should_panic(expected = "a snapshot after event 1 and the rest of the 2 events do not give")]
fn every_cut_is_looked_at() {
    // Before the first event and after the last one a snapshot loses nothing.
    drop(mistaken().given((Skipping, Folded)));
}

#[test]
#[should_panic(expected = "replaying the stored events does not give the state in memory")]
fn an_apply_that_looks_elsewhere_is_found() {
    drop(mistaken().given((Counted,)));
}

#[test]
#[should_panic(expected = "event `Set` does not come back from Bincode as it was")]
fn an_event_that_loses_something_is_found() {
    let ratio = Ratio(0.5);
    drop(mistaken().given((Set { ratio },)));
}

#[test]
#[should_panic(expected = "the reply does not come back from Bincode as it was")]
fn a_reply_that_loses_something_is_found() {
    mistaken().when(|entity, _| entity.half(true));
}

#[test]
#[should_panic(expected = "the rejection does not come back from Bincode as it was")]
fn a_rejection_that_loses_something_is_found() {
    mistaken().when(|entity, _| entity.half(false));
}

#[test]
fn events_of_several_types_are_compared() {
    mistaken()
        .given((
            Named { name: "a".into() },
            Set { ratio: Ratio(2.0) },
            Named { name: "b".into() },
        ))
        .when(|_, ctx| {
            ctx.emit(Named { name: "c".into() });
            ctx.emit(Set { ratio: Ratio(3.0) });
        })
        .then_events((Named { name: "c".into() }, Set { ratio: Ratio(3.0) }));
}

#[test]
#[should_panic(expected = "the command emitted other events")]
fn events_of_several_types_differ() {
    mistaken()
        .when(|_, ctx| ctx.emit(Named { name: "c".into() }))
        .then_events((Set { ratio: Ratio(3.0) },));
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Rolled {
    eyes: Vec<u64>,
}

/// Rolls dice.
#[entity(event_sourced)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dice {
    rolls: usize,
}

#[entity]
impl Dice {
    #[command]
    fn roll(&self, ctx: &mut Context<Self>) -> (Vec<u64>, String) {
        let eyes: Vec<u64> = (0..4).map(|_| ctx.rng().u64(..)).collect();
        ctx.emit(Rolled { eyes: eyes.clone() });
        (eyes, ctx.command_id().to_string())
    }

    #[event_handler]
    fn rolled(&mut self, _: &Rolled) {
        self.rolls += 1;
    }
}

#[test]
fn random_numbers_and_ids_repeat_with_what_a_command_is_given_and_differ_otherwise() {
    // A scenario runs each command several times and compares.
    let roll = |id: &str, rolls: usize| {
        let mut scenario = Scenario::<Dice>::new(id);
        for _ in 0..rolls {
            let eyes = vec![1];
            scenario = scenario.given([Rolled { eyes }]);
        }
        let after = scenario.when(|dice, ctx| Ok::<_, ()>(dice.roll(ctx)));
        after.answer().cloned().map_err(|()| "rejected")
    };
    assert_eq!(roll("red", 0), roll("red", 0));
    assert_ne!(roll("red", 0), roll("blue", 0), "another entity");
    assert_ne!(roll("red", 0), roll("red", 1), "another state");
}
