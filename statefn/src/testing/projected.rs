//! Scenarios of projections: given what entities told, then rows. No runtime, no store.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use statefn_store::{
    Advance, Entry, EntryBody, NewEvent, NewState, Offset, PersistenceId, Projected, Projecting,
    RowsWanted, SequenceNumber, StoredViews, Timestamp, ViewQuery,
};

use crate::entity::{Behavior, StoredWhole};
use crate::event::{self, Event, StoredForms};
use crate::projection::definition::{ProjectionDefinition, define};
use crate::projection::rows::Rows;
use crate::projection::{Projection, ViewOf};
use crate::runtime::projector::fold::{Page, Pause};
use crate::testing::scenario::EventList;
use crate::view::KeyOf;

/// A projection in a test: what entities tell goes in, rows come out.
///
/// Events and rows pass through their codecs, and a handler runs as often as it would in a runtime
/// whose memory holds no row. An error or a panic of a handler fails the test.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[view]
/// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// # struct Total { #[key] counter: String, total: i64 }
/// # #[derive(Default)]
/// # struct Totals;
/// # #[projection(views = Total)]
/// # impl Totals {
/// #     #[event_handler]
/// #     fn added(&self, event: &CounterEvent, from: &Envelope<Counter>, views: &mut Views<Self>) -> Result<(), ViewError> {
/// #         let CounterEvent::Added { amount } = event;
/// #         let total = views.get::<Total>(from.id())?.map_or(0, |row| row.total);
/// #         views.put(&Total { counter: from.id().to_owned(), total: total + amount })
/// #     }
/// # }
/// # fn main() {
/// use statefn::testing::ProjectionScenario;
///
/// ProjectionScenario::<Totals>::new()
///     .given::<Counter>("doors", [CounterEvent::Added { amount: 2 }, CounterEvent::Added { amount: 3 }])
///     .given::<Counter>("windows", [CounterEvent::Added { amount: 1 }])
///     .then_rows([
///         Total { counter: "doors".into(), total: 5 },
///         Total { counter: "windows".into(), total: 1 },
///     ]);
/// # }
/// ```
pub struct ProjectionScenario<P> {
    definition: Arc<dyn ProjectionDefinition>,
    store: StoredViews,
    end: Offset,
    sequences: BTreeMap<PersistenceId, SequenceNumber>,
    of: std::marker::PhantomData<fn() -> P>,
}

impl<P: Projection> Default for ProjectionScenario<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Projection> ProjectionScenario<P> {
    /// A projection without rows, before the first entry.
    ///
    /// # Panics
    ///
    /// Never: what is new begins.
    pub fn new() -> Self {
        let definition = define::<P>();
        let mut store = StoredViews::default();
        let begun = store.project(Projecting::Begin {
            id: definition.id(),
            offset: Offset::ZERO,
            layout: Vec::new(),
        });
        assert_eq!(begun, Projected::Done, "a new projection begins");
        Self {
            definition,
            store,
            end: Offset::ZERO,
            sequences: BTreeMap::new(),
            of: std::marker::PhantomData,
        }
    }

    /// An entity has told these events.
    ///
    /// # Panics
    ///
    /// An event cannot be encoded, or the projection fails at it.
    #[must_use]
    pub fn given<E: Behavior>(mut self, id: &str, events: impl EventList<E>) -> Self {
        for event in events.into_events() {
            let codec = E::OPTIONS.codec;
            let mut payload = Vec::new();
            if let Err(error) = event::encode(&event, codec, &mut payload) {
                panic!("an event of `{}`: {error}", E::TYPE);
            }
            let Some(declared) = E::Event::EVENTS.get(event.index()) else {
                panic!("an event of `{}` is not declared", E::TYPE);
            };
            let event = NewEvent {
                name: declared.name.into(),
                version: declared.version,
                codec: codec.id(),
                payload,
            };
            let record = None;
            self.tell::<E>(id, EntryBody::Event { event, record });
        }
        self
    }

    /// A CRUD entity has changed to this state.
    ///
    /// # Panics
    ///
    /// The state cannot be encoded, or the projection fails at it.
    #[must_use]
    pub fn given_state<E: StoredWhole + Behavior>(mut self, id: &str, state: &E) -> Self {
        let codec = E::OPTIONS.codec;
        let mut payload = Vec::new();
        if let Err(error) = codec.encode(state, &mut payload) {
            panic!("a state of `{}`: {error}", E::TYPE);
        }
        let newest = StoredForms::of::<E::Event>(codec).into_iter().next();
        let form = newest.and_then(|form| Some((form.version, form.shape.ok()?.hash())));
        let Some((version, shape)) = form else {
            panic!("the shape of `{}` is not known", E::TYPE);
        };
        let state = NewState {
            shape,
            version,
            codec: codec.id(),
            payload,
        };
        let record = None;
        self.tell::<E>(id, EntryBody::State { state, record });
        self
    }

    /// An entity was deleted.
    ///
    /// # Panics
    ///
    /// The projection fails at it.
    #[must_use]
    pub fn given_deleted<E: Behavior>(mut self, id: &str) -> Self {
        self.tell::<E>(id, EntryBody::Deleted { record: None });
        self
    }

    fn tell<E: Behavior>(&mut self, id: &str, body: EntryBody) {
        let id = PersistenceId::new(E::TYPE, id);
        let sequence = self.sequences.entry(id.clone()).or_default();
        *sequence = sequence.next();
        let entry = Entry {
            offset: self.end.next(),
            id,
            sequence: *sequence,
            time: Timestamp::from_millis(0),
            metadata: Vec::new(),
            body,
        };
        let (mut rows, mut page) = (Rows::default(), Page::new(vec![entry]));
        loop {
            match page.tell(&*self.definition, &mut rows) {
                Pause::Enough => break,
                Pause::Needs(keys) => {
                    for key in keys {
                        let held = self.held(key.0, key.1.clone());
                        rows.learn(key, held);
                    }
                }
                Pause::Failed { reason, .. } => {
                    panic!("projection `{}` fails: {reason}", P::NAME);
                }
            }
        }
        let advance = Advance {
            id: self.definition.id(),
            expected: self.end,
            offset: self.end.next(),
            rows: rows.changes(&self.names()),
            passed: Vec::new(),
        };
        let done = self.store.project(Projecting::Advance(advance));
        assert_eq!(done, Projected::Done, "a projection moves on");
        self.end = self.end.next();
    }

    fn names(&self) -> Vec<&'static str> {
        let views = self.definition.views().iter();
        views.map(|view| view.name).collect()
    }

    fn held(&self, view: u16, key: Vec<u8>) -> Option<Vec<u8>> {
        let view = self.names().get(usize::from(view)).copied()?;
        let found = self.store.rows(&RowsWanted {
            id: self.definition.id(),
            rows: vec![(view.to_owned(), key)],
        });
        found?.rows.into_iter().next()?
    }

    /// The row of a view with this key.
    ///
    /// # Panics
    ///
    /// The row cannot be decoded.
    pub fn row<V: ViewOf<P>>(&self, key: &(impl KeyOf<V> + ?Sized)) -> Option<V> {
        self.held(V::PLACE, key.to_bytes()).map(|row| decoded(&row))
    }

    /// All rows of a view, in the order of their keys.
    ///
    /// # Panics
    ///
    /// A row cannot be decoded.
    pub fn rows<V: ViewOf<P>>(&self) -> Vec<V> {
        let page = self.store.page(&ViewQuery {
            projection: P::NAME.to_owned(),
            version: None,
            view: V::NAME.to_owned(),
            index: None,
            from: Bound::Unbounded,
            to: Bound::Unbounded,
            descending: false,
            after: None,
            limit: usize::MAX,
        });
        let rows = page.map(|page| page.rows).unwrap_or_default();
        rows.iter().map(|row| decoded(&row.payload)).collect()
    }

    /// The view has these rows and no other, in the order of their keys.
    ///
    /// # Panics
    ///
    /// It has others.
    #[track_caller]
    pub fn then_rows<V>(&self, expected: impl IntoIterator<Item = V>) -> &Self
    where
        V: ViewOf<P> + PartialEq + fmt::Debug,
    {
        let expected: Vec<V> = expected.into_iter().collect();
        let rows = self.rows::<V>();
        assert!(
            rows == expected,
            "the rows of view `{}` are\n  {rows:#?}\nbut must be\n  {expected:#?}",
            V::NAME
        );
        self
    }
}

fn decoded<V: crate::view::View>(payload: &[u8]) -> V {
    match V::CODEC.decode(payload) {
        Ok(row) => row,
        Err(error) => panic!("a row of view `{}`: {error}", V::NAME),
    }
}

impl<P> fmt::Debug for ProjectionScenario<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProjectionScenario<{}>", type_name::<P>())
    }
}
