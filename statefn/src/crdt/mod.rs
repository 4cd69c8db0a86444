//! Conflict-free replicated data types: values that several replicas change at the same time, and
//! that are equal again once each has seen what the others did.
//!
//! All of them are *delta-state* types, after Almeida, Shoker and Baquero, "Delta state replicated
//! data types" (Journal of Parallel and Distributed Computing 111, 2018): a state is an element of
//! a lattice, [`merge`](Crdt::merge()) is the join, and a *delta* is a small state that says only
//! what changed. Deltas may be lost, doubled and reordered: merged in any order, any number of
//! times, they come to the same, and the state of another replica makes up for all that were lost.
//!
//! | type | value | when replicas disagree |
//! |---|---|---|
//! | [`GCounter`] | `u64` that grows | all increments count |
//! | [`PnCounter`] | `i64` | all changes count |
//! | [`GSet`] | set that grows | union |
//! | [`OrSet`] | set | an addition wins over a removal that has not seen it |
//! | [`Flag`] | `bool`, once `true` for ever | enabled |
//! | [`LwwRegister`] | one value | the larger clock wins, then the larger replica id |
//! | [`OrMap`] | map to other CRDTs | entries merge; an update wins over a removal that has not seen it |
//! | [`LwwMap`] | map to values | as `OrMap` of `LwwRegister` |
//! | [`PnCounterMap`] | map to counters | as `OrMap` of `PnCounter` |
//! | [`Vote`] | a yes or no of each replica | each replica has its own |
//!
//! ```
//! use statefn::crdt::{Crdt, OrSet, ReplicaId, Writer};
//!
//! let mut here = OrSet::default();
//! let mut there = OrSet::default();
//! let mut me = Writer::new(ReplicaId::new(1), 1_764_000_000_000);
//! let mut other = Writer::new(ReplicaId::new(2), 1_764_000_000_000);
//!
//! here.insert(&mut me, "tea".to_owned());
//! there.insert(&mut other, "milk".to_owned());
//! if let Some(delta) = here.take_delta() {
//!     there.merge(&delta);
//! }
//! assert_eq!(there.iter().collect::<Vec<_>>(), ["milk", "tea"]);
//! ```
//!
//! # Who writes
//!
//! A change takes a [`Writer`], the id of the replica that makes it and its time, unless it is the
//! same whoever makes it. Two replicas must
//! never write under one id, and a replica must never go back to an earlier state and write on from
//! there (a copy that was restored needs a new id): the same *dot* would name two changes.
//!
//! # Limits
//!
//! Counters saturate: at the largest number of a replica's own part, and at the ends of `u64` and
//! `i64` of the value. That depends on the state only, so it is alike everywhere. A clock of a
//! register saturates as well, and a write that is not above what is there is refused.
//!
//! # What they cost
//!
//! Sets and maps share structure: a clone takes constant time, and a change of a clone copies a
//! path of the tree. So a command can work on a clone and drop it. Reading a foreign state is
//! bounded by its bytes: bytes that were not written by these types are an error or a harmless
//! value, never a panic.
//!
//! # Entities
//!
//! An entity whose state is a CRDT says `#[entity(crdt)]`. Its commands take `&mut self` and name their
//! changes by [`ctx.writer()`](crate::Context::writer). A command works on a clone: an `Err` or a
//! panic drops it. What it changed is stored as a delta, in one commit with all else, before the
//! reply; a command that changed nothing stores nothing. Now and then the deltas go into a snapshot.
//! [`ctx.delete()`](crate::Context::delete) is final: the id is used up, and every later call is answered
//! [`CallError::Deleted`](crate::CallError::Deleted). The runtime needs a name of its own for its store:
//! [`Builder::replica`](crate::Builder::replica).
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use statefn::crdt::{Crdt, OrSet};
//! use statefn::prelude::*;
//!
//! /// Who is in a room.
//! #[entity(crdt)]
//! #[derive(Clone, Debug, Default, PartialEq, Crdt, Serialize, Deserialize)]
//! pub struct Room { members: OrSet<String> }
//!
//! #[entity]
//! impl Room {
//!     #[command]
//!     fn enter(&mut self, ctx: &mut Context<Self>, who: String) -> Result<usize, String> {
//!         self.members.insert(ctx.writer(), who);
//!         if self.members.len() > 2 {
//!             return Err("the room is full".to_owned());
//!         }
//!         Ok(self.members.len())
//!     }
//!
//!     #[command]
//!     fn leave(&mut self, who: String) -> bool {
//!         self.members.remove(&who)
//!     }
//!
//!     #[query]
//!     fn members(&self) -> Vec<String> {
//!         self.members.iter().cloned().collect()
//!     }
//! }
//!
//! # #[statefn::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::builder().only::<(Room,)>().build().await?;
//! let room = runtime.entity::<Room>("lobby");
//! room.enter("alice").await?;
//! room.enter("bob").await?;
//! assert!(room.enter("eve").await.is_err());
//! room.leave("alice").await?;
//! assert_eq!(room.members().await?, ["bob"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Where this stands
//!
//! The types, their deltas and their encodings are complete, and so are such entities in one
//! runtime. Runtimes do not send each other their deltas yet: whoever wants that today lets a query
//! answer the state or a command take one, and merges it.

mod add_wins;
mod causal;
mod clock;
mod flag;
mod g_counter;
mod g_set;
mod lww_map;
mod lww_register;
mod or_map;
mod or_set;
mod per_replica;
mod pn_counter;
mod pn_counter_map;
mod replica;
mod vote;
mod wire;
mod writer;

pub use clock::Clock;
pub use flag::Flag;
pub use g_counter::GCounter;
pub use g_set::GSet;
pub use lww_map::LwwMap;
pub use lww_register::LwwRegister;
pub use or_map::OrMap;
pub use or_set::OrSet;
pub use pn_counter::PnCounter;
pub use pn_counter_map::PnCounterMap;
pub use replica::ReplicaId;
pub use vote::{Tally, Vote};
pub use writer::Writer;

#[doc = include_str!("../docs/crdt.md")]
pub use statefn_macros::Crdt;

/// A value that replicas change independently and merge: an element of a join semilattice, with
/// the deltas of its own changes.
///
/// The default is the empty value, the lattice's bottom: merging it changes nothing. What an
/// implementation owes:
///
/// - `merge` is commutative, associative and idempotent, and never loses what was there.
/// - A delta merged into any state comes to the same as the full state that it was taken from, as
///   far as it is about those changes; deltas merged with each other are deltas.
/// - A clone should take constant or at least little time, and carries the changes that were not
///   taken yet. Equality leaves them out, and so does the encoding.
///
/// `crdt_laws!` (with the feature `testing`) checks all of that for a type.
///
/// A struct of CRDTs is one by [`derive(Crdt)`](derive@Crdt). A type of one's own, a maximum:
///
/// ```
/// use statefn::crdt::Crdt;
///
/// #[derive(Clone, Debug, Default)]
/// struct Highest { score: u64, changed: bool }
///
/// impl Highest {
///     fn note(&mut self, score: u64) {
///         self.changed |= score > self.score;
///         self.score = self.score.max(score);
///     }
/// }
///
/// impl Crdt for Highest {
///     fn merge(&mut self, other: &Self) {
///         self.score = self.score.max(other.score);
///     }
///
///     fn take_delta(&mut self) -> Option<Self> {
///         let changed = std::mem::take(&mut self.changed);
///         changed.then(|| Highest { score: self.score, changed: false })
///     }
/// }
///
/// let (mut here, mut there) = (Highest::default(), Highest::default());
/// here.note(7);
/// there.note(5);
/// there.merge(&here.take_delta().unwrap());
/// assert_eq!(there.score, 7);
/// assert!(here.take_delta().is_none());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a CRDT",
    label = "replicas could not merge this",
    note = "use one of `statefn::crdt`, such as `LwwRegister<{Self}>`, or implement `Crdt`"
)]
pub trait Crdt: Clone + Default {
    /// Joins what `other` knows: a full state or a delta. Is no change of this replica's own, so
    /// it adds nothing to the next delta.
    fn merge(&mut self, other: &Self);

    /// What this replica changed since the last call, as a state to merge elsewhere; `None` if
    /// nothing.
    fn take_delta(&mut self) -> Option<Self>;

    /// About how many parts the value has, at least 1. [`OrMap`] keeps large values and small
    /// changes of them apart by it, so that a delta stays small.
    fn weight(&self) -> usize {
        1
    }
}
