//! Which entity types a runtime hosts, and what it says when that cannot be.

use std::future::Future;
use std::pin::pin;
use std::task::{Poll, Waker};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::store::EntityType;
use statefn::{BuildError, Builder, CallError};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
enum Change {
    Grown,
}

/// An entity that counts, under this name.
macro_rules! plant {
    ($module:ident, $name:literal) => {
        mod $module {
            use super::*;

            #[entity(event_sourced, name = $name)]
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            pub(crate) struct Plant {
                height: u32,
            }

            #[entity]
            impl Plant {
                #[command]
                fn grow(&self, ctx: &mut Context<Self>) -> Then<Self, u32> {
                    ctx.emit(Change::Grown);
                    ctx.then(|plant| plant.height)
                }

                #[event_handler]
                fn apply(&mut self, change: &Change) {
                    let Change::Grown = change;
                    self.height += 1;
                }
            }
        }
    };
}

plant!(rose, "rose");
plant!(tulip, "tulip");
// Another type under a name that is taken.
plant!(impostor, "rose");

#[statefn::test]
async fn two_types_of_one_name_do_not_start() {
    let both = Runtime::builder().only::<(rose::Plant, impostor::Plant)>();
    let registered = Runtime::builder()
        .only::<(rose::Plant,)>()
        .register::<impostor::Plant>();
    // Everything that is linked into this program, the impostor included.
    let discovered = Runtime::builder();
    for builder in [both, registered, discovered] {
        let error = builder.build().await.unwrap_err();
        let BuildError::NameTaken {
            name,
            first,
            second,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(*name, "rose");
        let mut modules = [first, second].map(|path| path.rsplit("::").nth(1).unwrap());
        modules.sort_unstable();
        assert_eq!(modules, ["impostor", "rose"]);
        assert!(error.to_string().contains("name one of them differently"));
    }
}

#[statefn::test]
async fn the_store_of_a_runtime_that_does_not_start_is_untouched() {
    let memory = Memory::new();
    let first = Runtime::builder().store(memory.clone());
    let first = first.only::<(rose::Plant,)>().build().await.unwrap();
    let second = Runtime::builder().store(memory);
    let second = second.only::<(rose::Plant, impostor::Plant)>().build();
    assert!(second.await.is_err());
    let rose = first.entity::<rose::Plant>("r");
    assert_eq!(rose.grow().await, Ok(1), "it still owns the store");
}

#[statefn::test]
async fn registering_twice_is_fine() {
    let builder = Runtime::builder()
        .only::<(rose::Plant, rose::Plant)>()
        .register::<rose::Plant>()
        .register::<tulip::Plant>();
    let runtime = builder.build().await.unwrap();
    assert_eq!(runtime.entity::<rose::Plant>("r").grow().await, Ok(1));
    assert_eq!(runtime.entity::<tulip::Plant>("t").grow().await, Ok(1));
}

#[statefn::test]
async fn a_type_that_is_not_hosted_is_an_answer() {
    let memory = Memory::new();
    let start = |choose: fn(Builder) -> Builder| choose(Runtime::builder().store(memory.clone()));
    let runtime = start(Builder::only::<(rose::Plant, tulip::Plant)>);
    let runtime = runtime.build().await.unwrap();
    assert_eq!(runtime.entity::<rose::Plant>("p").grow().await, Ok(1));
    assert_eq!(runtime.entity::<tulip::Plant>("p").grow().await, Ok(1));

    let runtime = start(Builder::only::<(tulip::Plant,)>);
    let runtime = runtime.build().await.unwrap();
    let admin = runtime.admin();
    assert_eq!(admin.unhosted_types(), [EntityType::new("rose")]);
    let answer = runtime.entity::<rose::Plant>("p").grow().await;
    assert_eq!(
        answer,
        Err(CallError::NotHosted {
            entity_type: "rose"
        })
    );
    // Nor is a type hosted because another one of its name is.
    let runtime = start(Builder::only::<(rose::Plant,)>);
    let runtime = runtime.build().await.unwrap();
    let answer = runtime.entity::<impostor::Plant>("p").grow().await;
    assert_eq!(
        answer,
        Err(CallError::NotHosted {
            entity_type: "rose"
        })
    );
    assert_eq!(runtime.entity::<rose::Plant>("p").grow().await, Ok(2));
}

#[test]
fn without_an_async_runtime_there_is_a_clear_error() {
    let mut build = pin!(Runtime::builder().only::<(rose::Plant,)>().build());
    let polled = build
        .as_mut()
        .poll(&mut std::task::Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(error)) = polled else {
        panic!("{polled:?}");
    };
    assert!(matches!(error, BuildError::NoAsyncRuntime), "{error:?}");
}

#[test]
fn without_timers_there_is_a_clear_error() {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let build = Runtime::builder().only::<(rose::Plant,)>().build();
    let error = tokio.block_on(build).unwrap_err();
    assert!(matches!(error, BuildError::NoTimers), "{error:?}");
    assert!(error.to_string().contains("enable_time"));
}
