//! A stored snapshot of arbitrary shape, codec and payload.
//!
//! It is taken if its shape is the state's and its bytes are a state; else the events are replayed.
//! Nothing else may come out of it, no entity stops because of it, and a check says which it was.

use std::sync::OnceLock;

use statefn::codec::Codec;
use statefn::shape::Shape;
use statefn::store::{Memory, NewSnapshot};
use statefn::{Limits, Verification};

use crate::basket::{Basket, BasketEvent, same, samples};
use crate::entry::of;
use crate::input::Input;
use crate::world;

/// Tries one snapshot.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let shape = if input.once_in(8) {
        u128::from(input.number())
    } else {
        our_shape()
    };
    let codec = match input.below(8) {
        7 => input.byte(),
        other => 1 + other % 2,
    };
    let (before, after) = (1 + input.below(3), input.below(3));
    let snapshot = NewSnapshot {
        shape,
        codec,
        payload: input.rest(),
    };
    let state = Codec::from_id(codec).and_then(|codec| {
        let state: Basket = codec.decode(&snapshot.payload).ok()?;
        comes_back(&state, codec);
        Some(state)
    });
    let trial = Trial {
        state: state.filter(|_| shape == our_shape()),
        is_ours: shape == our_shape(),
        before: events(before),
        after: events(after),
    };
    world::block_on(trial.recovers(snapshot));
}

/// The shape under which the runtime stores a basket.
fn our_shape() -> u128 {
    static SHAPE: OnceLock<u128> = OnceLock::new();
    *SHAPE.get_or_init(|| Shape::of::<Basket>(Codec::Bincode).unwrap().hash())
}

fn events(count: u8) -> Vec<BasketEvent> {
    let event = |number| BasketEvent::Taken(format!("product {number}"));
    (0..count).map(event).collect()
}

fn comes_back(state: &Basket, codec: Codec) {
    let mut bytes = Vec::new();
    codec
        .encode(state, &mut bytes)
        .expect("what was read can be written");
    let again: Basket = codec.decode(&bytes).expect("what was encoded decodes");
    assert!(same(&again, state), "{again:?} was {state:?}");
    assert!(codec.decode::<Basket>(&bytes[..bytes.len() - 1]).is_err());
    bytes.push(b'1');
    assert!(codec.decode::<Basket>(&bytes).is_err());
}

struct Trial {
    /// What the snapshot says, if it can be taken.
    state: Option<Basket>,
    is_ours: bool,
    before: Vec<BasketEvent>,
    after: Vec<BasketEvent>,
}

impl Trial {
    fn stored(events: &[BasketEvent]) -> Vec<statefn_store::NewEvent> {
        events.iter().map(of).collect()
    }

    async fn recovers(self, snapshot: NewSnapshot) {
        let store = Memory::new();
        let mut first = world::member("odd", 0, Self::stored(&self.before));
        first.snapshot = Some(snapshot);
        let count = self.before.len() as u64;
        let second = world::member("odd", count, Self::stored(&self.after));
        let neighbour = world::member("good", 0, Self::stored(&self.before));
        world::store_all(&store, vec![first, second, neighbour]).await;
        let runtime = world::open::<Basket>(&store, Limits::default()).await;

        let replayed = Basket {
            log: [self.before.clone(), self.after.clone()].concat(),
        };
        let mut expected = self.state.clone().unwrap_or_else(|| Basket {
            log: self.before.clone(),
        });
        expected.log.extend(self.after.iter().cloned());
        let odd = runtime.entity::<Basket>("odd");
        let contents = odd.contents().await.expect("a snapshot stops nobody");
        assert!(same(&contents, &expected), "{contents:?} not {expected:?}");

        let is_right = same(&expected, &replayed);
        self.says(&runtime.admin().verify().await.unwrap(), is_right);
        let next = odd.take("more".to_owned()).await;
        assert_eq!(next, Ok(expected.log.len() + 1));
        let neighbour = runtime.entity::<Basket>("good").contents().await;
        assert_eq!(neighbour.map(|basket| basket.log), Ok(self.before));
    }

    /// The check finds the snapshot at fault, and nobody else.
    fn says(&self, verification: &Verification, is_right: bool) {
        let is_at_fault = self.is_ours && (self.state.is_none() || !is_right);
        let faults = &verification.faults;
        assert_eq!(faults.len(), usize::from(is_at_fault), "{faults:?}");
        for fault in faults {
            assert_eq!(fault.id.as_ref().unwrap().id(), "odd", "{fault}");
        }
    }
}

/// States in both codecs: what the events say, what they do not say, and pieces.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    let states = [
        Basket::default(),
        Basket { log: events(2) },
        Basket { log: samples() },
    ];
    for state in &states {
        for (byte, codec) in [(0, Codec::Bincode), (1, Codec::Json)] {
            for shape in [&[0][..], &[7, 1, 2, 3, 4, 5, 6, 7, 8]] {
                let mut seed = shape.to_vec();
                seed.extend([byte, 1, 1]);
                codec.encode(state, &mut seed).unwrap();
                seeds.push(seed);
            }
        }
    }
    // A list longer than any input, and one of a codec that nobody knows.
    seeds.push(b"\0\0\0\0\xfd\xff\xff\xff\xff\xff\xff\xff\x00".to_vec());
    seeds.push(b"\0\x07\xc8\0\0\0".to_vec());
    seeds
}
