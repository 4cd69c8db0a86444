//! Where an entity may stand: any visibility, any module, beside names that shadow the standard
//! library's, under a renamed crate, made by another macro, with attributes on its methods.

#![expect(
    clippy::expect_used,
    reason = "what these tests do not expect fails them"
)]
#![deny(missing_docs, unreachable_pub, missing_debug_implementations)]
#![deny(deprecated, dead_code, unused, private_interfaces)]

use statefn::prelude::*;

async fn runtime<S: statefn::EntitySet>() -> Runtime {
    let builder = Runtime::builder().only::<S>();
    builder.build().await.expect("a runtime")
}

/// Entities as visible as they need to be; event, reply and error are no more visible.
mod outer {
    pub(crate) mod inner {
        use serde::{Deserialize, Serialize};
        use statefn::prelude::*;

        #[derive(Debug, Event, Serialize, Deserialize)]
        pub(crate) enum Switched {
            On,
        }

        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Refused {
            OnAlready,
        }

        #[entity(event_sourced)]
        #[derive(Debug, Default, Serialize, Deserialize)]
        pub(crate) struct Lamp {
            is_on: bool,
        }

        #[entity]
        impl Lamp {
            #[command]
            fn switch_on(&self, ctx: &mut Context<Self>) -> Result<(), Refused> {
                if self.is_on {
                    return Err(Refused::OnAlready);
                }
                ctx.emit(Switched::On);
                Ok(())
            }

            #[event_handler]
            fn apply(&mut self, event: &Switched) {
                let Switched::On = event;
                self.is_on = true;
            }
        }

        #[derive(Debug, Event, Serialize, Deserialize)]
        struct Opened;

        #[derive(Debug, Event, Serialize, Deserialize)]
        struct Shut;

        #[entity(event_sourced)]
        #[derive(Debug, Default, Serialize, Deserialize)]
        pub(in crate::outer) struct Door {
            is_open: bool,
        }

        #[entity]
        impl Door {
            #[command]
            fn toggle(&self, ctx: &mut Context<Self>) {
                if self.is_open {
                    ctx.emit(Shut);
                } else {
                    ctx.emit(Opened);
                }
            }

            #[query]
            fn is_open(&self) -> bool {
                self.is_open
            }

            #[event_handler]
            fn opened(&mut self, _: &Opened) {
                self.is_open = true;
            }

            #[event_handler]
            fn shut(&mut self, _: &Shut) {
                self.is_open = false;
            }
        }
    }

    pub(crate) async fn use_a_door() -> bool {
        let runtime = super::runtime::<(inner::Door,)>().await;
        let door: inner::DoorRef = runtime.entity::<inner::Door>("d");
        door.toggle().await.expect("toggled");
        door.is_open().await.expect("known")
    }
}

#[statefn::test]
async fn an_entity_is_as_visible_as_its_struct() {
    use outer::inner::{Lamp, LampRef, Refused};
    assert!(outer::use_a_door().await);
    let runtime = runtime::<(Lamp,)>().await;
    let lamp: LampRef = runtime.entity::<Lamp>("l");
    assert_eq!(lamp.switch_on().await, Ok(()));
    let refused = Err(CallError::Rejected(Refused::OnAlready));
    assert_eq!(lamp.switch_on().await, refused);
}

/// Nothing here needs to be public, and the derive list may stand before the attribute too.
#[statefn::test]
async fn an_entity_may_stand_inside_a_function() {
    #[derive(Debug, Event, serde::Serialize, serde::Deserialize)]
    struct Ticked;

    #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
    #[entity(event_sourced)]
    struct Clock(u32);

    #[entity]
    impl Clock {
        #[command]
        fn tick(&self, ctx: &mut Context<Self>) -> Then<Self, u32> {
            ctx.emit(Ticked);
            ctx.then(|clock| clock.0)
        }

        #[event_handler]
        fn ticked(&mut self, _: &Ticked) {
            self.0 += 1;
        }
    }

    let runtime = runtime::<(Clock,)>().await;
    assert_eq!(runtime.entity::<Clock>("c").tick().await, Ok(1));
}

/// A module in which no name of the standard library means what it usually does.
mod shadows {
    #![expect(dead_code, reason = "the names only have to be in the way")]

    use ::statefn::prelude::{Context, Event, Then, entity};

    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod alloc {}
    pub(crate) mod serde {}
    pub(crate) mod inventory {}
    mod statefn {}
    pub(crate) struct Option;
    pub(crate) struct String;
    pub(crate) struct Vec;
    pub(crate) struct Box;
    pub(crate) struct PhantomData;
    pub(crate) struct Call;
    pub(crate) struct Handled;
    pub(crate) struct Result;
    pub(crate) struct Send;
    pub(crate) struct Sized;
    pub(crate) struct Clone;
    pub(crate) struct Debug;
    pub(crate) struct Into;
    pub(crate) struct From;
    pub(crate) struct Duration;
    pub(crate) const OK: u8 = 0;
    pub(crate) fn ok() {}
    #[expect(non_snake_case, reason = "in the way of the variant")]
    pub(crate) fn Ok() {}
    #[expect(non_snake_case, reason = "in the way of the variant")]
    pub(crate) fn Err() {}
    #[expect(non_snake_case, reason = "in the way of the variant")]
    pub(crate) fn Some() {}
    #[expect(non_upper_case_globals, reason = "in the way of the variant")]
    pub(crate) const None: u8 = 0;

    /// Methods that every type has, in the way of those that generated code calls.
    trait InTheWay {
        fn call(&self) {}
        fn map(&self) {}
        fn id(&self) {}
        fn clone(&self) {}
        fn debug_tuple(&self) {}
    }

    impl<T> InTheWay for T {}

    #[expect(unused_macros, reason = "in the way of the macro")]
    macro_rules! assert {
        ($($any:tt)*) => {
            compile_error!("not the standard library's")
        };
    }

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    #[event(name = "Put")]
    pub(crate) struct PutV1(u8);

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    #[event(version = 2, from = PutV1)]
    pub(crate) struct Put(::std::string::String);

    impl ::core::convert::From<PutV1> for Put {
        fn from(old: PutV1) -> Self {
            Self(::std::string::ToString::to_string(&old.0))
        }
    }

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) enum Taken {
        All,
    }

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct TakenAll;

    #[entity(
        event_sourced,
        passivate_after = "10m",
        codec = "json",
        key_retention = "1d"
    )]
    #[derive(Default, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct Chest {
        content: ::std::vec::Vec<::std::string::String>,
    }

    #[entity]
    impl Chest {
        #[command]
        fn put(
            &self,
            ctx: &mut Context<Self>,
            what: ::std::string::String,
        ) -> ::core::result::Result<Then<Self, usize>, u8> {
            if what.is_empty() {
                return ::core::result::Result::Err(1);
            }
            ctx.emit(Put(what));
            ::core::result::Result::Ok(ctx.then(|chest| chest.content.len()))
        }

        #[command]
        fn take(&self, ctx: &mut Context<Self>, _all: ::core::option::Option<bool>) {
            ctx.emit(TakenAll);
        }

        #[query]
        fn content(&self) -> ::std::vec::Vec<::std::string::String> {
            ::core::clone::Clone::clone(&self.content)
        }

        #[event_handler]
        fn put_in(&mut self, event: &Put) {
            self.content.push(::core::clone::Clone::clone(&event.0));
        }

        #[event_handler]
        fn taken(&mut self, _: &TakenAll) {
            self.content.clear();
        }
    }

    #[entity(event_sourced)]
    #[derive(Default, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct Box2;

    #[entity]
    impl Box2 {
        #[::statefn::event_handler]
        fn taken(&mut self, event: &Taken) {
            let Taken::All = event;
        }
    }
}

#[statefn::test]
async fn shadowed_names_do_not_break_the_expansion() {
    let runtime = runtime::<(shadows::Chest, shadows::Box2)>().await;
    let chest = runtime.entity::<shadows::Chest>("c");
    assert_eq!(chest.put("gold").await, Ok(1));
    assert_eq!(chest.put("").await, Err(CallError::Rejected(1)));
    assert_eq!(chest.content().await, Ok(vec!["gold".to_owned()]));
    assert_eq!(chest.take(None).await, Ok(()));
    assert_eq!(chest.content().await, Ok(vec![]));
}

/// The crate under another name, as a re-export of a framework would have it.
mod framework {
    pub(crate) mod dependencies {
        pub(crate) use ::statefn as functions;
    }
}

mod renamed {
    use super::framework::dependencies::functions::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Event, Serialize, Deserialize)]
    #[event(crate = crate::framework::dependencies::functions)]
    pub(crate) enum Rung {
        Loud(u8),
    }

    #[entity(event_sourced, crate = crate::framework::dependencies::functions)]
    #[derive(Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Bell {
        sum: u64,
    }

    #[entity(crate = "crate::framework::dependencies::functions")]
    impl Bell {
        #[command]
        fn ring(&self, ctx: &mut Context<Self>, volume: u8) -> Result<(), String> {
            ctx.emit(Rung::Loud(volume));
            Ok(())
        }

        #[query]
        fn sum(&self) -> u64 {
            self.sum
        }

        #[event_handler]
        fn apply(&mut self, event: &Rung) {
            let Rung::Loud(volume) = event;
            self.sum += u64::from(*volume);
        }
    }
}

#[framework::dependencies::functions::test(crate = framework::dependencies::functions)]
async fn the_crate_may_have_another_name() {
    let runtime = runtime::<(renamed::Bell,)>().await;
    let bell = runtime.entity::<renamed::Bell>("b");
    bell.ring(3).await.expect("rung");
    assert_eq!(bell.sum().await, Ok(3));
}

/// Entities made by a macro of the user's.
macro_rules! counters {
    ($($counter:ident: $number:ty, $add:ident;)*) => {$(
        #[entity(event_sourced)]
        #[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
        struct $counter($number);

        #[entity]
        impl $counter {
            #[command]
            fn $add(&self, ctx: &mut Context<Self>, by: $number) -> Then<Self, $number> {
                ctx.emit(Added(i64::from(by)));
                ctx.then(|counter| counter.0)
            }

            #[event_handler]
            fn added(&mut self, event: &Added) {
                self.0 += <$number>::try_from(event.0).unwrap_or_default();
            }
        }
    )*};
}

#[derive(Debug, Event, serde::Serialize, serde::Deserialize)]
struct Added(i64);

counters! {
    Small: u8, add_some;
    Large: u32, add_many;
}

#[statefn::test]
async fn an_entity_may_come_out_of_a_macro() {
    let runtime = runtime::<(Small, Large)>().await;
    assert_eq!(runtime.entity::<Small>("a").add_some(2).await, Ok(2));
    assert_eq!(runtime.entity::<Large>("a").add_many(300).await, Ok(300));
}

#[derive(Debug, Event, serde::Serialize, serde::Deserialize)]
struct Done;

#[entity(event_sourced)]
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Task {
    times: u32,
}

#[entity]
impl Task {
    #[cfg(any())]
    #[command]
    fn unknown_here(&self, what: TypeThatDoesNotExist) -> AnotherOne {}

    #[command]
    #[cfg(not(any()))]
    fn choose(&self) -> u8 {
        1
    }

    #[command]
    #[cfg(any())]
    fn choose(&self) -> u8 {
        2
    }

    #[command]
    #[must_use]
    #[inline]
    #[doc(hidden)]
    fn finish(&self, ctx: &mut Context<Self>) -> u32 {
        ctx.emit(Done);
        self.times
    }

    #[statefn::command]
    #[deprecated = "use `finish`"]
    fn stop(&self, #[expect(unused_variables, reason = "an attribute")] why: u8) {}

    #[statefn::query]
    #[cfg_attr(all(), doc = "How often.")]
    fn times(&self) -> u32 {
        self.times
    }

    /// Not a command, and not on the reference.
    fn helper(&self) -> u32 {
        self.times
    }

    #[statefn::event_handler]
    fn done(&mut self, _: &Done) {
        self.times = self.helper() + 1;
    }
}

#[statefn::test]
async fn attributes_of_a_method_hold_for_all_that_is_made_of_it() {
    let runtime = runtime::<(Task,)>().await;
    let task = runtime.entity::<Task>("t");
    assert_eq!(task.choose().await, Ok(1));
    assert_eq!(task.finish().await, Ok(0));
    assert_eq!(task.times().await, Ok(1));
    #[expect(deprecated, reason = "the reference's method is, too")]
    let stopped = task.stop(1).await;
    assert_eq!(stopped, Ok(()));
}

/// Options arrive where the runtime reads them.
#[test]
fn options_are_those_of_the_attribute() {
    use statefn::codec::Codec;
    use statefn::entity::{Entity, Options};
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);
    let expected = Options::DEFAULT
        .passivate_after(10 * MINUTE)
        .key_retention(24 * 60 * MINUTE)
        .codec(Codec::Json);
    assert_eq!(shadows::Chest::OPTIONS, expected);
    assert_eq!(shadows::Box2::OPTIONS, Options::DEFAULT);
    assert_eq!(shadows::Chest::TYPE, "chest");
    assert_eq!(shadows::Box2::TYPE, "box2");
}
