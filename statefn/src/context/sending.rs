//! What a command handler sends on: effects, timers, and the references that it calls.

use std::sync::Arc;

use crate::chain::Chain;
use crate::context::Context;
use crate::effect::Deferrable;
use crate::entity::{Behavior, Entity, EntityRef};
use crate::forward::{Answers, Forward, Forwardable, Forwarder, Unmatched};
use crate::schedule::Schedule;

impl<E: Behavior> Context<E> {
    /// Sends a command to an entity once this one has committed: an *effect*.
    ///
    /// It is stored in the commit of this command and leaves the store in the commit of the one
    /// that it calls, so it takes place exactly once, across crashes. Effects of one sender to one
    /// target take place in the order in which they were sent, also over several commands; between
    /// targets there is no order. On `Err` or a panic of the handler it never existed. A rejection
    /// by the target is an answer, recorded in the target's journal and otherwise discarded; any
    /// other failure is tried again, and after
    /// [`Limits::delivery_attempts_max`](crate::Limits::delivery_attempts_max) attempts the call becomes a
    /// dead letter ([`Admin::dead_letters`](crate::Admin::dead_letters)) and the target's next one is
    /// tried. An effect that was caused by 64 others in a row becomes a dead letter at once.
    ///
    /// The call's key and deadline count for nothing here; its metadata go along.
    ///
    /// A command whose effects find no more room in the outbox is answered
    /// [`CallError::Overloaded`](crate::CallError::Overloaded).
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use statefn::prelude::*;
    /// # #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// # pub enum Moved { In(u64), Out(u64) }
    /// # #[entity(event_sourced)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Account { cents: u64 }
    /// #[entity]
    /// impl Account {
    ///     #[command]
    ///     fn deposit(&self, ctx: &mut Context<Self>, cents: u64) {
    ///         ctx.emit(Moved::In(cents));
    ///     }
    ///
    ///     #[command]
    ///     fn send(&self, ctx: &mut Context<Self>, to: String, cents: u64) -> Result<(), String> {
    ///         if cents > self.cents { return Err("not enough".to_owned()); }
    ///         ctx.emit(Moved::Out(cents));
    ///         ctx.effect(ctx.entity::<Account>(to).deposit(cents));
    ///         Ok(())
    ///     }
    /// #   #[query] fn cents(&self) -> u64 { self.cents }
    /// #   #[event_handler] fn apply(&mut self, event: &Moved) {
    /// #       match event { Moved::In(cents) => self.cents += cents, Moved::Out(cents) => self.cents -= cents }
    /// #   }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Account,)>().build().await?;
    /// let (alice, bob) = (runtime.entity::<Account>("alice"), runtime.entity::<Account>("bob"));
    /// alice.deposit(5).await?;
    /// alice.send("bob", 3).await?;
    /// runtime.settle().await;
    /// assert_eq!((alice.cents().await?, bob.cents().await?), (2, 3));
    /// # Ok(())
    /// # }
    /// ```
    pub fn effect(&mut self, call: impl Deferrable) {
        self.outgoing.get_or_insert_default().effect(call, false);
    }

    /// Sends a command as [`effect`](Self::effect) does, and keeps this command's reply back until the target
    /// has answered, with whatever.
    ///
    /// The sender commits first and goes on with other commands meanwhile; only the reply waits. The
    /// target's answer is discarded. If the target fails, or the time of the caller or of the runtime
    /// ([`Limits::call_timeout`](crate::Limits::call_timeout)) is over, the caller gets the sender's
    /// own reply, and the effect goes its way.
    pub fn effect_sync(&mut self, call: impl Deferrable) {
        self.outgoing.get_or_insert_default().effect(call, true);
    }

    /// Leaves the answer to another entity's command: a *forward*. The handler returns what this gives:
    /// see [`Forward`].
    ///
    /// This command commits first; then the target runs, and its reply or rejection goes to the
    /// caller. What this command did stands, whatever becomes of the target: if it rejects or fails, the
    /// caller gets [`CallError::Forwarded`](crate::CallError::Forwarded), or the error as it is if nothing was written
    /// before. A crash between the two commits leaves the target out: what must take place is an
    /// [`effect`](Self::effect). A forward in a command that is itself an effect or a timer's firing becomes
    /// an effect, since nobody waits for its answer.
    ///
    /// With a [key](crate::Call::with_key) on the caller's call, the record keeps where it went, and a repetition
    /// follows: the target runs at most once, under a key made for it (or under the one given to `call`),
    /// also when the process had ended before it did. The caller's deadline goes
    /// along (or the one of `call`, if that is earlier), and so do its metadata, behind those of `call`; for
    /// the target, this command is the [cause](Self::causation_id).
    ///
    /// A target may forward on. One that the call came from already is refused
    /// ([`CallError::Reentrancy`](crate::CallError::Reentrancy), before this command is applied), and so is a
    /// chain of more than [`Limits::call_depth_max`](crate::Limits::call_depth_max) commands. Calls that are
    /// forwarded one after another may reach a target in another order.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use statefn::prelude::*;
    /// # #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// # pub struct Ordered { item: String }
    /// # #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// # pub struct Packed { item: String }
    /// # #[entity(event_sourced)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Shop { orders: u64 }
    /// # #[entity(event_sourced)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Warehouse { packed: u64 }
    /// #[entity]
    /// impl Warehouse {
    ///     #[command]
    ///     fn pack(&self, ctx: &mut Context<Self>, item: String) -> Result<Then<Self, u64>, String> {
    ///         if item == "unicorn" { return Err("there are none".to_owned()); }
    ///         ctx.emit(Packed { item });
    ///         Ok(ctx.then(|warehouse| warehouse.packed))
    ///     }
    /// #   #[event_handler] fn packed(&mut self, _: &Packed) { self.packed += 1; }
    /// }
    ///
    /// #[entity]
    /// impl Shop {
    ///     /// Replies the number of the parcel.
    ///     #[command]
    ///     fn order(&self, ctx: &mut Context<Self>, item: String) -> Result<Forward<u64, String>, String> {
    ///         if item.is_empty() { return Err("order something".to_owned()); }
    ///         ctx.emit(Ordered { item: item.clone() });
    ///         Ok(ctx.forward(ctx.entity::<Warehouse>("north").pack(item)))
    ///     }
    /// #   #[query] fn orders(&self) -> u64 { self.orders }
    /// #   #[event_handler] fn ordered(&mut self, _: &Ordered) { self.orders += 1; }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Shop, Warehouse)>().build().await?;
    /// let shop = runtime.entity::<Shop>("corner");
    /// assert_eq!(shop.order("horse").with_key("order-1").await, Ok(1));
    /// assert_eq!(shop.order("horse").with_key("order-1").await, Ok(1));     // not another one
    /// let error = shop.order("unicorn").await.unwrap_err();
    /// assert_eq!(error.rejection(), Some(&"there are none".to_owned()));
    /// assert_eq!(error.persisted(), Persisted::Yes);                        // the order stands
    /// assert_eq!(shop.orders().await, Ok(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn forward<C, T, R>(&self, call: C) -> Forward<T, R>
    where
        C: Forwardable<Reply: Answers<T>, Error: Answers<R>>,
    {
        let (id, caller) = (self.id.clone(), self.caller.clone());
        let chain = Arc::new(Chain::new(id, self.command_id(), caller));
        let metadata = self.metadata.clone();
        let Unmatched(destination) = call.into_forward(Forwarder { metadata, chain });
        Forward::to(destination)
    }

    /// Sets a timer of this entity: the call is made when it is due.
    ///
    /// It is stored in the commit of this command; the same name sets it anew, [`cancel`](Self::cancel) ends it, and so
    /// does a deletion of the entity. An entity may have any number; only those that are due take memory. A
    /// firing runs as an ordinary command, once: the timer ends or moves on in that command's commit. One
    /// that fails is tried again, and becomes a dead letter, as an [`effect`](Self::effect) does; a timer that repeats goes on.
    /// One whose time has passed, also while no program ran, fires at once: see
    /// [`Missed`](crate::schedule::Missed). It is late by what the store and the target take, and by up to a
    /// minute where somebody sets the clock.
    ///
    /// The name has 1 to 256 bytes. A schedule that can never be due fails the command with
    /// [`CallError::Invalid`](crate::CallError::Invalid).
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use statefn::prelude::*;
    /// # use std::time::Duration;
    /// # #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// # pub enum Seat { Held, Released }
    /// # #[entity(event_sourced)]
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # pub struct Reservation { held: bool }
    /// #[entity]
    /// impl Reservation {
    ///     #[command]
    ///     fn hold(&self, ctx: &mut Context<Self>) {
    ///         ctx.emit(Seat::Held);
    ///         ctx.schedule("expire", Duration::from_secs(600), ctx.me().release());
    ///     }
    ///
    ///     #[command]
    ///     fn release(&self, ctx: &mut Context<Self>) {
    ///         ctx.emit(Seat::Released);
    ///     }
    /// #   #[query] fn held(&self) -> bool { self.held }
    /// #   #[event_handler] fn apply(&mut self, event: &Seat) { self.held = *event == Seat::Held; }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let clock = statefn::testing::VirtualClock::new();
    /// let runtime = Runtime::builder().env(clock.clone()).only::<(Reservation,)>().build().await?;
    /// let seat = runtime.entity::<Reservation>("12A");
    /// seat.hold().await?;
    /// clock.advance(Duration::from_secs(600));
    /// runtime.settle().await;
    /// assert!(!seat.held().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn schedule(
        &mut self,
        name: impl Into<String>,
        when: impl Into<Schedule>,
        call: impl Deferrable,
    ) {
        let now = self.now;
        let outgoing = self.outgoing.get_or_insert_default();
        outgoing.timer(name.into(), when.into(), call, now);
    }

    /// Ends the timer of this name, if there is one. A firing of it that has not committed by then never
    /// happens.
    pub fn cancel(&mut self, name: impl Into<String>) {
        let outgoing = self.outgoing.get_or_insert_default();
        outgoing.cancel(name.into());
    }

    /// A reference to an entity, for calls to be sent on, and to be awaited in an async command.
    ///
    /// A call that leads back to an entity whose async command waits for it (this one, or one that
    /// waits for this one) is answered [`CallError::Reentrancy`](crate::CallError::Reentrancy); so is
    /// every call that is awaited in a handler that must not wait.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    /// pub struct Visited { visitors: i64 }
    ///
    /// #[entity(event_sourced)]
    /// #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// pub struct Museum { visitors: i64 }
    ///
    /// #[entity]
    /// impl Museum {
    ///     /// Counts a visitor at the door, then here.
    ///     #[command]
    ///     async fn visit(&self, ctx: &mut Context<Self>) -> Result<i64, String> {
    ///         let door = ctx.entity::<Counter>("door");
    ///         let visitors = door.add(1).await.map_err(|error| error.to_string())?;
    ///         ctx.emit(Visited { visitors });
    ///         Ok(visitors)
    ///     }
    ///
    ///     #[event_handler]
    ///     fn visited(&mut self, event: &Visited) { self.visitors = event.visitors; }
    /// }
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter, Museum)>().build().await?;
    /// assert_eq!(runtime.entity::<Museum>("louvre").visit().await, Ok(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn entity<T: Behavior>(&self, id: impl Into<Box<str>>) -> T::Ref {
        let runtime = self.aside.as_ref().and_then(|aside| aside.runtime.as_ref());
        let handle = crate::__private::Handle::<T>::within(runtime, id.into());
        <T::Ref as EntityRef>::from_handle(handle)
    }

    /// A reference to this entity, for calls to be sent on; as [`entity`](Self::entity). An async
    /// command that awaits one waits for itself: [`CallError::Reentrancy`](crate::CallError::Reentrancy).
    pub fn me(&self) -> <E as Entity>::Ref {
        self.entity::<E>(self.id())
    }
}
