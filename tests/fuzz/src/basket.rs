//! An entity whose events have all that a codec can get wrong: older versions, nesting, numbers that
//! are none, elements without content. Its state is the list of its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// What was stored first.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(name = "put")]
pub(crate) struct PutV1 {
    product: String,
}

/// What was stored before there were labels.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(name = "put", version = 2, from = PutV1)]
pub(crate) struct PutV2 {
    product: String,
    quantity: i64,
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum BasketEvent {
    #[event(name = "put", version = 3, from = PutV2)]
    Put {
        product: String,
        quantity: i64,
        labels: BTreeMap<String, Option<char>>,
        note: Option<Box<Note>>,
    },
    #[event(name = "taken")]
    Taken(String),
    #[event(name = "weighed")]
    Weighed(f64, Option<f32>, Vec<u8>),
    #[event(name = "counted")]
    Counted(Vec<()>),
    #[event(name = "closed")]
    Closed,
}

/// A list by hand, so that values nest as deeply as somebody likes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Note {
    Text(String),
    Serial { number: u128, signed: i8 },
    Then(Box<Note>),
    Both((Box<Note>, Vec<Note>)),
}

impl From<PutV1> for PutV2 {
    fn from(old: PutV1) -> Self {
        Self {
            product: old.product,
            quantity: 1,
        }
    }
}

impl From<PutV2> for BasketEvent {
    fn from(old: PutV2) -> Self {
        Self::Put {
            product: old.product,
            quantity: old.quantity,
            labels: BTreeMap::new(),
            note: None,
        }
    }
}

#[entity(event_sourced, name = "basket", snapshot_every = 0)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Basket {
    pub(crate) log: Vec<BasketEvent>,
}

#[entity]
impl Basket {
    #[command]
    fn take(&self, ctx: &mut Context<Self>, product: String) -> Then<Self, usize> {
        ctx.emit(BasketEvent::Taken(product));
        ctx.then(|basket| basket.log.len())
    }

    #[query]
    fn contents(&self) -> Basket {
        self.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &BasketEvent) {
        self.log.push(event.clone());
    }
}

/// Events with something in every field.
pub(crate) fn samples() -> Vec<BasketEvent> {
    let nested = (0..40).fold(Note::Text("n".to_owned()), |note, _| {
        Note::Then(Box::new(note))
    });
    let both = Note::Both((
        Box::new(Note::Serial {
            number: u128::MAX,
            signed: -128,
        }),
        vec![
            Note::Text(String::new()),
            Note::Text("\u{1f377}\0\"".to_owned()),
        ],
    ));
    let put = |note| BasketEvent::Put {
        product: "p1".to_owned(),
        quantity: i64::MIN,
        labels: [("a".to_owned(), None), ("b".to_owned(), Some('\u{10ffff}'))].into(),
        note,
    };
    vec![
        put(None),
        put(Some(Box::new(nested))),
        put(Some(Box::new(both))),
        BasketEvent::Taken("p".repeat(300)),
        BasketEvent::Weighed(-0.0, Some(f32::MIN_POSITIVE), vec![0, 255]),
        BasketEvent::Weighed(0.1 + 0.2, None, Vec::new()),
        BasketEvent::Counted(vec![(); 300]),
        BasketEvent::Closed,
    ]
}

/// Equal as far as anybody can see: two that are not a number are the same.
pub(crate) fn same<T: std::fmt::Debug + PartialEq>(one: &T, other: &T) -> bool {
    one == other || format!("{one:?}") == format!("{other:?}")
}
