//! Snapshots carry the shape of the state: one of another shape or codec is dropped, not misread.

#![expect(missing_docs, missing_debug_implementations, reason = "test entities")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};
use statefn::codec::Codec;
use statefn::prelude::*;
use statefn::shape::Shape;
use statefn::{BuildError, EntitySet};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub enum Scored {
    Home,
    Away,
}

/// A `game` entity with this state; it counts how many events a recovery applies.
macro_rules! game {
    ($module:ident, $codec:literal, { $($field:ident),* }) => {
        mod $module {
            use super::*;

            pub(super) static APPLIED: AtomicUsize = AtomicUsize::new(0);

            #[entity(event_sourced, name = "game", snapshot_every = 4, codec = $codec)]
            #[derive(Default, Serialize, Deserialize)]
            pub struct Game {
                $(pub $field: u8,)*
            }

            #[entity]
            impl Game {
                #[command]
                fn score(&self, ctx: &mut Context<Self>, home: bool) {
                    ctx.emit(if home { Scored::Home } else { Scored::Away });
                }

                #[query]
                fn standing(&self) -> (u8, u8) {
                    (self.home, self.away)
                }

                #[event_handler]
                fn apply(&mut self, event: &Scored) {
                    APPLIED.fetch_add(1, Ordering::Relaxed);
                    match event {
                        Scored::Home => self.home += 1,
                        Scored::Away => self.away += 1,
                    }
                }
            }
        }
    };
}

game!(first, "bincode", { home, away });
game!(swapped, "bincode", { away, home });
game!(other_codec, "json", { home, away });

async fn over<S: EntitySet>(store: &Memory) -> Runtime {
    let builder = Runtime::builder().store(store.clone()).only::<S>();
    builder.build().await.expect("a runtime")
}

/// A store with one game after six events, three to one and three more, with a snapshot at four.
async fn played() -> Memory {
    let store = Memory::new();
    let runtime = over::<(first::Game,)>(&store).await;
    let game = runtime.entity::<first::Game>("final");
    for home in [true, true, true, false, true, true] {
        game.score(home).await.expect("scored");
    }
    assert_eq!(game.standing().await, Ok((5, 1)));
    let deadline = std::time::Duration::from_secs(1);
    assert!(runtime.shutdown(deadline).await.expect("closed"));
    first::APPLIED.store(0, Ordering::Relaxed);
    store
}

#[statefn::test]
async fn p7_a_snapshot_of_another_shape_or_codec_is_dropped_and_all_events_are_replayed() {
    // The same shape: the snapshot stands for the first four events.
    let store = played().await;
    let runtime = over::<(first::Game,)>(&store).await;
    assert_eq!(
        runtime.entity::<first::Game>("final").standing().await,
        Ok((5, 1))
    );
    assert_eq!(first::APPLIED.load(Ordering::Relaxed), 2);

    // The bytes of the snapshot would be read as another state without a complaint.
    let mut bytes = Vec::new();
    let state = first::Game { home: 3, away: 1 };
    Codec::Bincode.encode(&state, &mut bytes).expect("encoded");
    let misread: swapped::Game = Codec::Bincode.decode(&bytes).expect("decoded");
    assert_eq!((misread.home, misread.away), (1, 3));
    let store = played().await;
    let runtime = over::<(swapped::Game,)>(&store).await;
    assert_eq!(
        runtime.entity::<swapped::Game>("final").standing().await,
        Ok((5, 1))
    );
    assert_eq!(swapped::APPLIED.load(Ordering::Relaxed), 6);

    let store = played().await;
    let runtime = over::<(other_codec::Game,)>(&store).await;
    assert_eq!(
        runtime
            .entity::<other_codec::Game>("final")
            .standing()
            .await,
        Ok((5, 1))
    );
    assert_eq!(other_codec::APPLIED.load(Ordering::Relaxed), 6);
}

#[test]
fn the_hash_tells_the_shapes_and_the_codecs_apart() {
    let hashes = [
        Shape::of::<first::Game>(Codec::Bincode),
        Shape::of::<swapped::Game>(Codec::Bincode),
        Shape::of::<first::Game>(Codec::Json),
    ];
    let [first, swapped, other_codec] = hashes.map(|shape| shape.expect("traced").hash());
    assert!(first != swapped && first != other_codec && swapped != other_codec);
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Happened;

#[derive(Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Anything {
    #[default]
    Nothing,
    Number(u8),
}

mod hidden {
    use super::*;

    #[entity(event_sourced, name = "hidden", codec = "json")]
    #[derive(Default, Serialize, Deserialize)]
    pub struct Hidden {
        settings: Vec<Anything>,
    }

    #[entity]
    impl Hidden {
        #[event_handler]
        fn apply(&mut self, _: &Happened) {
            self.settings.push(Anything::Number(1));
        }
    }
}

mod named {
    use super::*;

    #[entity(event_sourced, name = "hidden", codec = "json", shape = "hidden 1")]
    #[derive(Default, Serialize, Deserialize)]
    pub struct Named {
        settings: Vec<Anything>,
    }

    #[entity]
    impl Named {
        #[event_handler]
        fn apply(&mut self, _: &Happened) {
            self.settings.push(Anything::Number(1));
        }
    }
}

#[statefn::test]
async fn a_state_that_hides_its_shape_is_an_error_at_build_that_says_what_to_do() {
    let built = Runtime::builder().only::<(hidden::Hidden,)>().build().await;
    let error = built.expect_err("no shape");
    assert!(matches!(error, BuildError::Shape(_)), "{error}");
    let text = error.to_string();
    for expected in [
        "hidden::Hidden`",
        "(at `settings[]`)",
        "`untagged`",
        "`shape = \"..\"`",
        "`#[entity(..)]`",
    ] {
        assert!(text.contains(expected), "{expected} is missing in: {text}");
    }
    let built = Runtime::builder().only::<(named::Named,)>().build().await;
    built.expect("a shape named by hand");
}
