//! The stored events of one entity, read back for people.

#![expect(clippy::expect_used, reason = "test")]

use serde::{Deserialize, Serialize};
use statefn::codec::DecodeError;
use statefn::prelude::*;
use statefn::{HistoryEvent, SequenceNumber};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
enum NoteEvent {
    Written { text: String },
    Torn,
}

#[entity(event_sourced, name = "note", snapshot_every = 2)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

#[entity]
impl Note {
    #[command]
    fn write(&self, ctx: &mut Context<Self>, text: String) {
        ctx.emit(NoteEvent::Written { text });
    }

    #[command]
    fn tear(&self, ctx: &mut Context<Self>) {
        ctx.emit(NoteEvent::Torn);
    }

    #[event_handler]
    fn apply(&mut self, event: &NoteEvent) {
        match event {
            NoteEvent::Written { text } => self.text.push_str(text),
            NoteEvent::Torn => self.text.clear(),
        }
    }
}

/// The same stored name, by a program that knows one event less.
mod older {
    use super::{Context, Deserialize, Event, Serialize, entity};

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(super) enum NoteEvent {
        Torn,
    }

    #[entity(event_sourced, name = "note")]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(super) struct Note;

    #[entity]
    impl Note {
        #[command]
        fn tear(&self, ctx: &mut Context<Self>) {
            ctx.emit(NoteEvent::Torn);
        }

        #[event_handler]
        fn apply(&mut self, _: &NoteEvent) {}
    }
}

async fn runtime(store: &Memory) -> Runtime {
    let builder = Runtime::builder().only::<(Note,)>().store(store.clone());
    builder.build().await.expect("a runtime")
}

async fn written(count: u32) -> (Memory, Runtime) {
    let store = Memory::new();
    let runtime = runtime(&store).await;
    let note = runtime.entity::<Note>("n");
    for number in 0..count {
        let text = number.to_string();
        note.write(text)
            .with_metadata("trace", "t1")
            .await
            .expect("written");
    }
    runtime.entity::<Note>("other").tear().await.expect("torn");
    (store, runtime)
}

async fn page(runtime: &Runtime, after: u64, limit: usize) -> Vec<u64> {
    let after = SequenceNumber::new(after);
    let page = runtime
        .admin()
        .history::<Note>("n", after, limit)
        .await
        .expect("a page");
    page.iter().map(|event| event.sequence.get()).collect()
}

#[statefn::test]
async fn every_event_is_there_in_order_also_before_a_snapshot() {
    let (_store, runtime) = written(5).await;
    let events: Vec<HistoryEvent<NoteEvent>> = runtime
        .admin()
        .history::<Note>("n", SequenceNumber::ZERO, 100)
        .await
        .expect("events");
    let texts: Vec<_> = events
        .iter()
        .map(|event| event.event.as_ref().expect("readable"))
        .collect();
    let expected: Vec<_> = (0..5)
        .map(|n: u32| NoteEvent::Written {
            text: n.to_string(),
        })
        .collect();
    assert_eq!(texts, expected.iter().collect::<Vec<_>>());
    let first = &events[0];
    assert_eq!((first.name.as_str(), first.version), ("Written", 1));
    assert_eq!(first.metadata.get("trace"), Some("t1"));
    assert!(first.time.as_millis() > 0);
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].offset < pair[1].offset)
    );
}

#[statefn::test]
async fn pages_join_without_gap_or_double() {
    let (_store, runtime) = written(5).await;
    assert_eq!(page(&runtime, 0, 2).await, [1, 2]);
    assert_eq!(page(&runtime, 2, 2).await, [3, 4]);
    assert_eq!(page(&runtime, 4, 2).await, [5]);
    assert_eq!(page(&runtime, 5, 2).await, [0_u64; 0]);
    assert_eq!(page(&runtime, 0, 0).await, [0_u64; 0]);
    assert_eq!(page(&runtime, u64::MAX, 2).await, [0_u64; 0]);
}

#[statefn::test]
async fn an_unused_id_has_no_events() {
    let (_store, runtime) = written(1).await;
    let events = runtime
        .admin()
        .history::<Note>("nobody", SequenceNumber::ZERO, 9)
        .await;
    assert!(events.expect("no events").is_empty());
}

#[statefn::test]
async fn an_undecodable_event_is_shown_as_such_and_hides_nothing_behind_it() {
    let (store, runtime) = written(1).await;
    runtime.entity::<Note>("n").tear().await.expect("torn");
    let older = Runtime::builder().only::<(older::Note,)>().store(store);
    let older = older.build().await.expect("a runtime");
    let events = older
        .admin()
        .history::<older::Note>("n", SequenceNumber::ZERO, 9)
        .await;
    let events = events.expect("both events");
    assert!(
        matches!(&events[0].event, Err(DecodeError::UnknownEvent { name }) if name == "Written")
    );
    assert_eq!(events[1].event.as_ref().ok(), Some(&older::NoteEvent::Torn));
}
