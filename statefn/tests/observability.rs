//! What the library shows through `tracing`: which entity and which sequence number, never what is
//! in a command, an event or a state; and nothing at all unless the program installs a subscriber.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use statefn::store::Memory;
use statefn::{CallError, Event, Runtime, entity};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Instrument, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// Stands for what must never reach a log; it is in arguments, events, state, metadata and keys.
const SECRET: &str = "xyzzy";

#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
enum NoteEvent {
    Written { text: String },
}

#[derive(Debug, thiserror::Error, PartialEq, Serialize, Deserialize)]
#[error("{0} is not allowed")]
struct Refused(String);

#[entity(event_sourced, name = "note", snapshot_every = 2, codec = "json")]
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Note {
    texts: Vec<String>,
}

#[entity]
impl Note {
    #[command]
    fn write(&self, ctx: &mut statefn::Context<Self>, text: String) -> Result<(), Refused> {
        if text.is_empty() {
            return Err(Refused(SECRET.to_owned()));
        }
        assert!(text != "panic", "a panic about {SECRET}");
        tracing::info!("inside the handler");
        ctx.emit(NoteEvent::Written { text });
        Ok(())
    }

    #[query]
    fn texts(&self) -> Vec<String> {
        self.texts.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &NoteEvent) {
        let NoteEvent::Written { text } = event;
        self.texts.push(text.clone());
    }
}

/// What reads the notes of a program that has changed its mind about them.
mod later {
    use super::{Deserialize, Event, Serialize, entity};

    #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(super) enum NoteEvent {
        Written { text: u64 },
    }

    #[entity(event_sourced, name = "note", codec = "json")]
    #[derive(Default, PartialEq, Serialize, Deserialize)]
    pub(super) struct Note {
        sum: u64,
    }

    #[entity]
    impl Note {
        #[query]
        fn sum(&self) -> u64 {
            self.sum
        }

        #[event_handler]
        fn apply(&mut self, event: &NoteEvent) {
            let NoteEvent::Written { text } = event;
            self.sum += text;
        }
    }
}

/// A span or an event, as a subscriber sees it.
#[derive(Clone, Debug)]
struct Seen {
    name: &'static str,
    target: String,
    /// The span around it.
    parent: Option<u64>,
    /// `None` for an event.
    span: Option<u64>,
    fields: BTreeMap<&'static str, String>,
    closed: bool,
}

/// Keeps every span and event, and which span is inside which.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Seen>>>);

impl Capture {
    /// Runs on one thread with this capture as its subscriber.
    fn over<F: Future>(&self, body: F) -> F::Output {
        let subscriber = tracing_subscriber::registry().with(self.clone());
        tracing::subscriber::with_default(subscriber, || run(body))
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ours(&self) -> Vec<Seen> {
        let mut seen = self.seen().clone();
        seen.retain(|seen| seen.target.starts_with("statefn"));
        seen
    }

    fn named(&self, name: &str) -> Vec<Seen> {
        let mut ours = self.ours();
        ours.retain(|seen| seen.name == name);
        ours
    }

    fn parent(&self, of: &Seen) -> Option<Seen> {
        let is_parent = |seen: &&Seen| seen.span.is_some() && seen.span == of.parent;
        self.seen().iter().rfind(is_parent).cloned()
    }

    fn update(&self, span: &Id, change: impl FnOnce(&mut Seen)) {
        let span = Some(span.into_u64());
        let mut seen = self.seen();
        change(seen.iter_mut().rfind(|seen| seen.span == span).unwrap());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        let parent = context.span(id).and_then(|span| span.parent());
        self.seen().push(Seen {
            name: attributes.metadata().name(),
            target: attributes.metadata().target().to_owned(),
            parent: parent.map(|parent| parent.id().into_u64()),
            span: Some(id.into_u64()),
            fields,
            closed: false,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.update(id, |seen| values.record(&mut Fields(&mut seen.fields)));
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.seen().push(Seen {
            name: "event",
            target: event.metadata().target().to_owned(),
            parent: context.event_span(event).map(|span| span.id().into_u64()),
            span: None,
            fields,
            closed: true,
        });
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.update(&id, |seen| seen.closed = true);
    }
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

/// Runs on one thread, so that the subscriber of that thread sees everything.
fn run<F: Future>(body: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(body)
}

async fn use_everything() {
    let runtime = Runtime::builder().only::<(Note,)>().build().await.unwrap();
    let note = runtime.entity::<Note>("n1");
    for _ in 0..3 {
        let write = note.write(SECRET).with_metadata("who", SECRET);
        write
            .with_key(SECRET)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
    }
    let write = note.write(SECRET);
    write.await.unwrap();
    assert_eq!(
        note.write("").await,
        Err(CallError::Rejected(Refused(SECRET.to_owned())))
    );
    assert!(matches!(
        note.write("panic").await,
        Err(CallError::Panicked { .. })
    ));
    runtime.crash().await.unwrap();
    assert_eq!(note.texts().await.unwrap().len(), 2);
}

#[test]
fn spans_say_which_entity_and_which_sequence_number() {
    let capture = Capture::default();
    capture.over(use_everything());

    let commands = capture.named("command");
    let first = &commands[0].fields;
    assert_eq!(first["entity"], "note");
    assert_eq!(first["id"], "n1");
    assert_eq!(first["command"], "write");
    assert_eq!(first["sequence"], "0");
    assert!(
        commands
            .iter()
            .any(|seen| seen.fields["command"] == "texts")
    );

    let recoveries = capture.named("recovery");
    let sequences: Vec<&str> = recoveries
        .iter()
        .map(|seen| seen.fields["sequence"].as_str())
        .collect();
    // The first use, after the panic, after the crash.
    assert_eq!(sequences, ["0", "2"]);
    assert_eq!(recoveries[0].fields["entity"], "note");
    assert_eq!(recoveries[0].fields["id"], "n1");

    let commits = capture.named("commit");
    assert_eq!(commits.len(), 2, "{commits:#?}");
    for (commit, sequence) in commits.iter().zip(["1", "2"]) {
        assert_eq!(commit.fields["entity"], "note");
        assert_eq!(commit.fields["id"], "n1");
        assert_eq!(commit.fields["sequence"], sequence);
        assert_eq!(capture.parent(commit).unwrap().name, "batch");
    }
    let open: Vec<Seen> = capture
        .ours()
        .into_iter()
        .filter(|seen| !seen.closed)
        .collect();
    assert!(open.is_empty(), "{open:#?}");
}

#[test]
fn a_handler_runs_in_its_command_and_the_command_in_its_caller() {
    let capture = Capture::default();
    let caller = async {
        use_everything()
            .instrument(tracing::info_span!("caller"))
            .await;
    };
    capture.over(caller);
    let is_inside = |seen: &&Seen| {
        let message = seen.fields.get("message");
        message.is_some_and(|message| message == "inside the handler")
    };
    let inside = capture.seen().iter().find(is_inside).cloned().unwrap();
    let command = capture.parent(&inside).unwrap();
    assert_eq!(command.name, "command");
    assert_eq!(capture.parent(&command).unwrap().name, "caller");
}

#[test]
fn nothing_shows_a_payload() {
    let capture = Capture::default();
    capture.over(use_everything());
    let leaks: Vec<Seen> = capture
        .ours()
        .into_iter()
        .filter(|seen| seen.fields.values().any(|value| value.contains(SECRET)))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn an_entity_that_stops_is_reported_without_its_payload() {
    let capture = Capture::default();
    capture.over(async {
        let store = Memory::new();
        let builder = || Runtime::builder().store(store.clone());
        let runtime = builder().only::<(Note,)>().build().await.unwrap();
        runtime.entity::<Note>("n1").write(SECRET).await.unwrap();
        let runtime = builder().only::<(later::Note,)>().build().await.unwrap();
        let answer = runtime.entity::<later::Note>("n1").sum().await;
        let Err(CallError::Quarantined(quarantine)) = answer else {
            panic!("{answer:?}");
        };
        // The operator may see it: JSON's decoder quotes what it cannot read.
        assert!(quarantine.reason.contains(SECRET));
    });
    let reports: Vec<Seen> = capture
        .named("event")
        .into_iter()
        .filter(|seen| seen.fields["message"].contains("quarantined"))
        .collect();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].fields["entity"], "note");
    assert_eq!(reports[0].fields["id"], "n1");
    assert_eq!(reports[0].fields["sequence"], "1");
    assert!(!format!("{:?}", capture.ours()).contains(SECRET));
}

#[test]
fn no_subscriber_is_installed() {
    run(use_everything());
    let ours = tracing::subscriber::NoSubscriber::default();
    tracing::subscriber::set_global_default(ours).expect("still free");
}
