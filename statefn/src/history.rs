//! The stored events of one entity, for people and tools.

use std::any::Any;
use std::ops::ControlFlow;

use statefn_store::{
    EventRef, LoadError, Offset, PersistenceId, RecordRef, Replay, SequenceNumber, SnapshotRef,
    StateRef, Timestamp,
};

use crate::admin::Admin;
use crate::codec::{Codec, DecodeError};
use crate::entity::Behavior;
use crate::event::{self, Event};
use crate::metadata::Metadata;
use crate::runtime::isolate::isolate;

impl Admin {
    /// Up to `limit` events of one entity, oldest first, from the one behind `after` on.
    ///
    /// Reads the entity's own chain from the store, never the whole journal, and neither wakes
    /// the entity nor waits for it: what is answered was committed when the call began. An event
    /// that this program cannot decode is part of the answer, with the reason, and hides nothing
    /// behind it. An event that an operator left out is not shown: its sequence number is missing.
    /// Of an entity that was deleted, the events since then are shown.
    /// An id that was never used has no events.
    ///
    /// Every page walks the chain from its start, so a large `limit` (10,000, say) costs less
    /// than many small pages.
    ///
    /// # Errors
    ///
    /// A damaged entry on the way, or a store that cannot read.
    ///
    /// # Cancel safety
    ///
    /// May be dropped at any time.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// use statefn::SequenceNumber;
    /// use statefn::prelude::*;
    ///
    /// #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
    /// enum CounterEvent { Raised { by: u32 } }
    ///
    /// #[entity(event_sourced)]
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Counter { total: u64 }
    ///
    /// #[entity]
    /// impl Counter {
    ///     #[command]
    ///     fn raise(&self, ctx: &mut Context<Self>, by: u32) {
    ///         ctx.emit(CounterEvent::Raised { by });
    ///     }
    ///
    ///     #[event_handler]
    ///     fn apply(&mut self, event: &CounterEvent) {
    ///         let CounterEvent::Raised { by } = event;
    ///         self.total += u64::from(*by);
    ///     }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// runtime.entity::<Counter>("visits").raise(3).await?;
    ///
    /// let events = runtime.admin().history::<Counter>("visits", SequenceNumber::ZERO, 100).await?;
    /// assert_eq!(events.len(), 1);
    /// assert_eq!(events[0].sequence.get(), 1);
    /// assert!(matches!(events[0].event, Ok(CounterEvent::Raised { by: 3 })));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn history<E: Behavior>(
        &self,
        id: &str,
        after: SequenceNumber,
        limit: usize,
    ) -> Result<Vec<HistoryEvent<E::Event>>, LoadError> {
        let reader = Reader::<E::Event> {
            after,
            limit,
            events: Vec::new(),
        };
        let id = PersistenceId::new(E::TYPE, id);
        let loaded = self.store().load(&id, Box::new(reader)).await?;
        let reader: Box<dyn Any> = loaded.replay;
        Ok(reader
            .downcast::<Reader<E::Event>>()
            .map(|reader| reader.events)
            .unwrap_or_default())
    }
}

/// One stored event of an entity, as [`Admin::history`] answers it.
#[derive(Debug)]
#[non_exhaustive]
pub struct HistoryEvent<Ev> {
    /// Position in the entity's journal.
    pub sequence: SequenceNumber,
    /// Position in the whole store.
    pub offset: Offset,
    /// When the command ran.
    pub time: Timestamp,
    /// The declared name under which the event is stored.
    pub name: String,
    /// The schema version under which it is stored; `event` is of the program's version.
    pub version: u32,
    /// What the command was sent with and what it added; empty also when it cannot be decoded.
    pub metadata: Metadata,
    /// The event, or why this program cannot read it.
    pub event: Result<Ev, DecodeError>,
}

/// Collects a page of events out of a replay.
struct Reader<Ev> {
    after: SequenceNumber,
    limit: usize,
    events: Vec<HistoryEvent<Ev>>,
}

impl<Ev: Event> Replay for Reader<Ev> {
    /// The events are wanted, not what they came to.
    fn snapshot(&mut self, _: SnapshotRef<'_>) -> bool {
        false
    }

    /// What was before it cannot be shown any more.
    fn state(&mut self, _: StateRef<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: EventRef<'_>) -> ControlFlow<()> {
        if self.events.len() >= self.limit {
            return ControlFlow::Break(());
        }
        if event.sequence > self.after {
            self.events.push(read(&event));
        }
        ControlFlow::Continue(())
    }

    fn skipped(&mut self, _: SequenceNumber) {}

    fn record(&mut self, _: RecordRef<'_>) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

fn read<Ev: Event>(stored: &EventRef<'_>) -> HistoryEvent<Ev> {
    let event = Codec::from_id(stored.codec)
        .ok_or(DecodeError::UnknownCodec { id: stored.codec })
        .and_then(|codec| decode(stored, codec));
    let metadata = match stored.metadata {
        [] => Metadata::new(),
        bytes => Codec::Bincode.decode(bytes).unwrap_or_default(),
    };
    HistoryEvent {
        sequence: stored.sequence,
        offset: stored.offset,
        time: stored.time,
        name: stored.name.to_owned(),
        version: stored.version,
        metadata,
        event,
    }
}

/// The decoding is the user's code: a panic in it is one more reason why an event cannot be read.
fn decode<Ev: Event>(stored: &EventRef<'_>, codec: Codec) -> Result<Ev, DecodeError> {
    isolate(|| event::decode(stored.name, stored.version, codec, stored.payload)).unwrap_or_else(
        |panic| {
            let reason = format!("panicked: {panic}");
            Err(DecodeError::Malformed { codec, reason })
        },
    )
}
