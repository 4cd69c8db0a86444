//! A state of another version or shape: an upcaster reads it, or the entity stops and says why.

use serde::{Deserialize, Serialize};
use statefn::codec::Codec;
use statefn::prelude::*;
use statefn::shape::Shape;
use statefn::store::{EntryBody, Offset, Store};
use statefn::{CallError, EntitySet};

/// A profile with this state, stored as `profile`.
macro_rules! profile {
    ($module:ident, ($($option:tt)*), { $($field:ident: $ty:ty),* }) => {
        mod $module {
            use super::*;

            #[entity(crud, name = "profile", $($option)*)]
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            pub(super) struct Profile {
                $(pub(super) $field: $ty,)*
            }

            #[entity]
            impl Profile {
                #[command]
                fn set(&mut self, profile: Profile) {
                    *self = profile;
                }

                #[command]
                fn touch(&mut self) {}

                #[query]
                fn get(&self) -> Profile {
                    self.clone()
                }
            }
        }
    };
}

profile!(first, (), { name: String, age: u8 });
profile!(swapped, (), { age: u8, name: String });
profile!(readable, (codec = "json"), { name: String, age: u8 });
profile!(second, (version = 2, from = ProfileV1), { name: String, years: u32 });
profile!(second_without_upcaster, (version = 2), { name: String, years: u32 });
profile!(third, (version = 3, from = ProfileV2), { names: Vec<String> });

#[derive(Event, Serialize, Deserialize)]
#[event(name = "profile")]
struct ProfileV1 {
    name: String,
    age: u8,
}

#[derive(Event, Serialize, Deserialize)]
#[event(name = "profile", version = 2, from = ProfileV1)]
struct ProfileV2 {
    name: String,
    years: u32,
}

impl From<ProfileV1> for ProfileV2 {
    fn from(old: ProfileV1) -> Self {
        Self {
            name: old.name,
            years: u32::from(old.age),
        }
    }
}

impl From<ProfileV1> for second::Profile {
    fn from(old: ProfileV1) -> Self {
        let ProfileV2 { name, years } = old.into();
        Self { name, years }
    }
}

impl From<ProfileV2> for third::Profile {
    fn from(old: ProfileV2) -> Self {
        Self {
            names: vec![old.name],
        }
    }
}

/// A runtime of these entities.
async fn runtime<S: EntitySet>(store: &Memory) -> Runtime {
    let runtime = Runtime::builder().store(store.clone());
    runtime.only::<S>().build().await.unwrap()
}

/// A store in which Alice was stored by the first program.
async fn store() -> Memory {
    let store = Memory::new();
    let first = runtime::<(first::Profile,)>(&store).await;
    let alice = first::Profile {
        name: "Alice".to_owned(),
        age: 41,
    };
    let stored = first.entity::<first::Profile>("alice");
    stored.set(alice).await.unwrap();
    store
}

/// How many states there are.
async fn states(store: &Memory) -> usize {
    let entries = store.read(Offset::new(1), 100).await.unwrap();
    let is_state = |body: &EntryBody| matches!(body, EntryBody::State { .. });
    entries.iter().filter(|entry| is_state(&entry.body)).count()
}

#[statefn::test]
async fn an_older_state_goes_through_every_upcaster() {
    let store = store().await;
    let program = runtime::<(second::Profile,)>(&store).await;
    let alice = program.entity::<second::Profile>("alice");
    let expected = second::Profile {
        name: "Alice".to_owned(),
        years: 41,
    };
    assert_eq!(alice.get().await, Ok(expected));
    alice.touch().await.unwrap();
    assert_eq!(states(&store).await, 1, "its form alone is no change");
    let program = runtime::<(third::Profile,)>(&store).await;
    let alice = program.entity::<third::Profile>("alice");
    assert_eq!(alice.get().await.unwrap().names, ["Alice"]);
}

#[statefn::test]
async fn another_codec_reads_what_the_one_before_wrote() {
    let store = store().await;
    let program = runtime::<(readable::Profile,)>(&store).await;
    let alice = program.entity::<readable::Profile>("alice");
    assert_eq!(alice.get().await.unwrap().age, 41);
    alice.touch().await.unwrap();
    assert_eq!(states(&store).await, 1);
}

#[statefn::test]
async fn a_changed_shape_without_a_version_is_an_error_that_names_both() {
    let store = store().await;
    let program = runtime::<(swapped::Profile,)>(&store).await;
    let alice = program.entity::<swapped::Profile>("alice");
    let reason = quarantined(alice.get().await);
    let shape = |text: &str| {
        let shape = match text {
            "stored" => Shape::of::<first::Profile>(Codec::Bincode),
            _ => Shape::of::<swapped::Profile>(Codec::Bincode),
        };
        format!("{:032x}", shape.unwrap().hash())
    };
    for part in [
        &shape("stored"),
        &shape("known"),
        "age: u8\n",
        "version = 2",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    // Others are not concerned.
    let bob = program.entity::<swapped::Profile>("bob");
    assert_eq!(bob.get().await.unwrap().age, 0);
}

#[statefn::test]
async fn a_version_without_an_upcaster_and_one_from_the_future_are_errors() {
    let store = store().await;
    let program = runtime::<(second_without_upcaster::Profile,)>(&store).await;
    let alice = program.entity::<second_without_upcaster::Profile>("alice");
    let reason = quarantined(alice.get().await);
    assert!(
        reason.contains("version 1") && reason.contains("version 2"),
        "{reason}"
    );
    let bob = program.entity::<second_without_upcaster::Profile>("bob");
    let profile = second_without_upcaster::Profile {
        name: "Bob".to_owned(),
        years: 1,
    };
    bob.set(profile).await.unwrap();
    let program = runtime::<(first::Profile,)>(&store).await;
    let reason = quarantined(program.entity::<first::Profile>("bob").get().await);
    assert!(
        reason.contains("version 2") && reason.contains("version 1"),
        "{reason}"
    );
}

mod folded {
    use super::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Event, Serialize, Deserialize)]
    pub(super) struct Renamed;

    /// The same name with another state model.
    #[entity(event_sourced, name = "profile")]
    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Profile;

    #[entity]
    impl Profile {
        #[command]
        fn rename(&self, ctx: &mut Context<Self>) {
            ctx.emit(Renamed);
        }

        #[event_handler]
        fn renamed(&mut self, _event: &Renamed) {}
    }
}

#[statefn::test]
async fn another_state_model_under_the_same_name_is_an_error_both_ways() {
    let store = store().await;
    let program = runtime::<(folded::Profile,)>(&store).await;
    let reason = quarantined(program.entity::<folded::Profile>("alice").rename().await);
    assert!(reason.contains("stored whole"), "{reason}");
    let bob = program.entity::<folded::Profile>("bob");
    bob.rename().await.unwrap();
    let program = runtime::<(first::Profile,)>(&store).await;
    let reason = quarantined(program.entity::<first::Profile>("bob").get().await);
    assert!(reason.contains("an event was stored"), "{reason}");
}

fn quarantined<T: std::fmt::Debug, E: std::fmt::Debug>(answer: Result<T, CallError<E>>) -> String {
    match answer {
        Err(CallError::Quarantined(quarantine)) => quarantine.reason.clone(),
        other => panic!("{other:?}"),
    }
}
