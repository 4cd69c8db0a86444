//! Events as the macros declare them: one handler for an enum or one for each struct, every form
//! of variant, names and versions in the journal, upcasters on replay.
//!
//! The modules here are versions of one program: they store under the same name, so every runtime
//! says which of them it hosts.

#![expect(
    clippy::expect_used,
    reason = "what these tests do not expect fails them"
)]

use statefn::event::Event as _;
use statefn::prelude::*;
use statefn::{CallError, SequenceNumber};

async fn program<S: statefn::EntitySet>(store: &Memory) -> Runtime {
    let builder = Runtime::builder().store(store.clone()).only::<S>();
    builder.build().await.expect("a runtime")
}

async fn stop(runtime: Runtime) {
    let deadline = std::time::Duration::from_secs(5);
    assert!(runtime.shutdown(deadline).await.expect("closed"));
}

/// Name and version of every stored event of an entity.
async fn stored<E: statefn::entity::Behavior>(runtime: &Runtime, id: &str) -> Vec<(String, u32)> {
    let admin = runtime.admin();
    let history = admin.history::<E>(id, SequenceNumber::ZERO, 100).await;
    let events = history.expect("a history").into_iter();
    events.map(|event| (event.name, event.version)).collect()
}

/// One handler for an enum with a variant of every form.
mod with_an_enum {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) enum Moved {
        Reset,
        Named {
            name: String,
            tags: Vec<Option<u8>>,
        },
        Forward(u32),
        #[event(name = "moved-aside")]
        Aside(i64, (bool, char)),
        Empty {},
    }

    #[entity(event_sourced, name = "robot", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Robot {
        log: Vec<String>,
    }

    #[entity]
    impl Robot {
        #[command]
        fn run(&self, ctx: &mut Context<Self>) {
            ctx.emit(Moved::Reset);
            ctx.emit(Moved::Named {
                name: "r2".to_owned(),
                tags: vec![None, Some(7)],
            });
            ctx.emit(Moved::Forward(3));
            ctx.emit(Moved::Aside(-4, (true, 'x')));
            ctx.emit(Moved::Empty {});
        }

        #[query]
        fn log(&self) -> Vec<String> {
            self.log.clone()
        }

        #[event_handler]
        fn apply(&mut self, event: &Moved) {
            self.log.push(match event {
                Moved::Reset => "reset".to_owned(),
                Moved::Named { name, tags } => format!("named {name} {tags:?}"),
                Moved::Forward(by) => format!("forward {by}"),
                Moved::Aside(by, flags) => format!("aside {by} {flags:?}"),
                Moved::Empty {} => "empty".to_owned(),
            });
        }
    }
}

/// The same events, each a struct with a handler of its own, in another order.
mod with_structs {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) struct Forward(u32);

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    #[event(name = "moved-aside")]
    pub(crate) struct Aside(i64, (bool, char));

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) struct Empty {}

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) struct Named {
        name: String,
        tags: Vec<Option<u8>>,
    }

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) struct Reset;

    #[entity(event_sourced, name = "robot", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Robot {
        log: Vec<String>,
    }

    #[entity]
    impl Robot {
        #[command]
        fn run(&self, ctx: &mut Context<Self>) {
            ctx.emit(Reset);
            ctx.emit(Named {
                name: "r2".to_owned(),
                tags: vec![None, Some(7)],
            });
            ctx.emit(Forward(3));
            ctx.emit(Aside(-4, (true, 'x')));
            ctx.emit(Empty {});
        }

        #[query]
        fn log(&self) -> Vec<String> {
            self.log.clone()
        }

        #[event_handler]
        fn forward(&mut self, event: &Forward) {
            self.log.push(format!("forward {}", event.0));
        }

        #[event_handler]
        fn aside(&mut self, event: &Aside) {
            self.log.push(format!("aside {} {:?}", event.0, event.1));
        }

        #[event_handler]
        fn empty(&mut self, _: &Empty) {
            self.log.push("empty".to_owned());
        }

        #[event_handler]
        fn named(&mut self, event: &Named) {
            let Named { name, tags } = event;
            self.log.push(format!("named {name} {tags:?}"));
        }

        #[event_handler]
        fn reset(&mut self, _: &Reset) {
            self.log.push("reset".to_owned());
        }
    }
}

/// The robot before it had more than one event: a single struct, no hidden enum.
mod with_one_struct {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub(crate) struct Forward(u32);

    #[entity(event_sourced, name = "robot", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Robot {
        log: Vec<String>,
    }

    #[entity]
    impl Robot {
        #[command]
        fn forward(&self, ctx: &mut Context<Self>, by: u32) {
            ctx.emit(Forward(by));
        }

        #[event_handler]
        fn apply(&mut self, event: &Forward) {
            self.log.push(format!("forward {}", event.0));
        }
    }
}

const LOG: [&str; 5] = [
    "reset",
    "named r2 [None, Some(7)]",
    "forward 3",
    "aside -4 (true, 'x')",
    "empty",
];

fn names() -> Vec<(String, u32)> {
    let names = ["Reset", "Named", "Forward", "moved-aside", "Empty"];
    names.map(|name| (name.to_owned(), 1)).into()
}

#[statefn::test]
async fn every_form_of_variant_is_stored_under_its_name_and_replayed() {
    use with_an_enum::Robot;
    let runtime = program::<(Robot,)>(&Memory::new()).await;
    let robot = runtime.entity::<Robot>("r");
    robot.run().await.expect("ran");
    assert_eq!(robot.log().await.expect("live"), LOG);
    runtime.crash().await.expect("claimed again");
    assert_eq!(robot.log().await.expect("replayed"), LOG);
    assert_eq!(stored::<Robot>(&runtime, "r").await, names());
}

#[statefn::test]
async fn every_form_of_struct_is_stored_under_its_name_and_replayed() {
    use with_structs::Robot;
    let runtime = program::<(Robot,)>(&Memory::new()).await;
    let robot = runtime.entity::<Robot>("r");
    robot.run().await.expect("ran");
    assert_eq!(robot.log().await.expect("live"), LOG);
    runtime.crash().await.expect("claimed again");
    assert_eq!(robot.log().await.expect("replayed"), LOG);
    assert_eq!(stored::<Robot>(&runtime, "r").await, names());
}

#[statefn::test]
async fn an_enum_and_its_structs_store_the_same() {
    let store = Memory::new();
    let runtime = program::<(with_an_enum::Robot,)>(&store).await;
    let robot = runtime.entity::<with_an_enum::Robot>("r");
    robot.run().await.expect("ran");
    stop(runtime).await;

    let runtime = program::<(with_structs::Robot,)>(&store).await;
    let robot = runtime.entity::<with_structs::Robot>("r");
    assert_eq!(robot.log().await.expect("replayed"), LOG);
    robot.run().await.expect("ran");
    stop(runtime).await;

    let runtime = program::<(with_an_enum::Robot,)>(&store).await;
    let robot = runtime.entity::<with_an_enum::Robot>("r");
    assert_eq!(robot.log().await.expect("replayed"), [LOG, LOG].concat());
    stop(runtime).await;
}

#[statefn::test]
async fn a_second_handler_changes_nothing_that_is_stored() {
    let store = Memory::new();
    let runtime = program::<(with_one_struct::Robot,)>(&store).await;
    let robot = runtime.entity::<with_one_struct::Robot>("r");
    robot.forward(9).await.expect("ran");
    stop(runtime).await;

    let runtime = program::<(with_structs::Robot,)>(&store).await;
    let robot = runtime.entity::<with_structs::Robot>("r");
    assert_eq!(robot.log().await.expect("replayed"), ["forward 9"]);
    stop(runtime).await;
}

#[test]
fn a_derived_event_declares_its_names_in_the_order_of_the_variants() {
    let declared = with_an_enum::Moved::EVENTS.iter();
    let declared: Vec<_> = declared.map(|e| (e.name.to_owned(), e.version)).collect();
    assert_eq!(declared, names());
    assert_eq!(with_an_enum::Moved::Forward(1).index(), 2);
    assert_eq!(with_structs::Reset.index(), 0);
    assert_eq!(with_structs::Reset::EVENTS[0].name, "Reset");
}

/// The first version of a program.
mod first {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Debug, Event, Serialize, Deserialize)]
    pub(crate) enum TankEvent {
        Filled { liters: u32 },
        Drained,
    }

    #[entity(event_sourced, name = "tank", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Tank {
        liters: u32,
    }

    #[entity]
    impl Tank {
        #[command]
        fn fill(&self, ctx: &mut Context<Self>, liters: u32) {
            ctx.emit(TankEvent::Filled { liters });
        }

        #[command]
        fn drain(&self, ctx: &mut Context<Self>) {
            ctx.emit(TankEvent::Drained);
        }

        #[query]
        fn liters(&self) -> u32 {
            self.liters
        }

        #[event_handler]
        fn apply(&mut self, event: &TankEvent) {
            match event {
                TankEvent::Filled { liters } => self.liters += liters,
                TankEvent::Drained => self.liters = 0,
            }
        }
    }
}

/// The second one counts in milliliters and says what was filled in.
mod second {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Debug, Event, Serialize, Deserialize)]
    #[event(name = "Filled")]
    pub(crate) struct FilledV1 {
        liters: u32,
    }

    #[derive(Debug, Event, Serialize, Deserialize)]
    pub(crate) enum TankEvent {
        Drained,
        #[event(version = 2, from = FilledV1)]
        Filled {
            milliliters: u64,
        },
    }

    impl From<FilledV1> for TankEvent {
        fn from(old: FilledV1) -> Self {
            Self::Filled {
                milliliters: u64::from(old.liters) * 1000,
            }
        }
    }

    #[entity(event_sourced, name = "tank", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Tank {
        milliliters: u64,
    }

    #[entity]
    impl Tank {
        #[command]
        fn fill(&self, ctx: &mut Context<Self>, milliliters: u64) {
            ctx.emit(TankEvent::Filled { milliliters });
        }

        #[query]
        fn milliliters(&self) -> u64 {
            self.milliliters
        }

        #[event_handler]
        fn apply(&mut self, event: &TankEvent) {
            match event {
                TankEvent::Filled { milliliters } => self.milliliters += milliliters,
                TankEvent::Drained => self.milliliters = 0,
            }
        }
    }
}

/// The third one has a struct for each event, and upcasters in a chain.
mod third {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Debug, Event, Serialize, Deserialize)]
    #[event(name = "Filled")]
    pub(crate) struct FilledV1 {
        liters: u32,
    }

    #[derive(Debug, Event, Serialize, Deserialize)]
    #[event(name = "Filled", version = 2, from = FilledV1)]
    pub(crate) struct FilledV2 {
        milliliters: u64,
    }

    #[derive(Debug, Event, Serialize, Deserialize)]
    #[event(version = 3, from = FilledV2)]
    pub(crate) struct Filled {
        milliliters: u64,
        liquid: String,
    }

    #[derive(Debug, Event, Serialize, Deserialize)]
    pub(crate) struct Drained;

    impl From<FilledV1> for FilledV2 {
        fn from(old: FilledV1) -> Self {
            Self {
                milliliters: u64::from(old.liters) * 1000,
            }
        }
    }

    impl From<FilledV2> for Filled {
        fn from(old: FilledV2) -> Self {
            Self {
                milliliters: old.milliliters,
                liquid: "water".to_owned(),
            }
        }
    }

    #[entity(event_sourced, name = "tank", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    pub(crate) struct Tank {
        milliliters: u64,
        liquids: Vec<String>,
    }

    #[entity]
    impl Tank {
        #[command]
        fn fill(&self, ctx: &mut Context<Self>, milliliters: u64, liquid: String) {
            ctx.emit(Filled {
                milliliters,
                liquid,
            });
        }

        #[query]
        fn content(&self) -> (u64, Vec<String>) {
            (self.milliliters, self.liquids.clone())
        }

        #[event_handler]
        fn filled(&mut self, event: &Filled) {
            self.milliliters += event.milliliters;
            self.liquids.push(event.liquid.clone());
        }

        #[event_handler]
        fn drained(&mut self, _: &Drained) {
            *self = Self::default();
        }
    }
}

#[statefn::test]
async fn upcasters_read_what_older_programs_have_stored() {
    let store = Memory::new();
    let runtime = program::<(first::Tank,)>(&store).await;
    let tank = runtime.entity::<first::Tank>("t");
    tank.fill(7).await.expect("filled");
    tank.drain().await.expect("drained");
    tank.fill(2).await.expect("filled");
    stop(runtime).await;

    // One step: version 1 to 2, the variants in another order.
    let runtime = program::<(second::Tank,)>(&store).await;
    let tank = runtime.entity::<second::Tank>("t");
    assert_eq!(tank.milliliters().await, Ok(2_000));
    tank.fill(500).await.expect("filled");
    stop(runtime).await;

    // A chain: version 1 by way of 2 to 3, and 2 to 3.
    let runtime = program::<(third::Tank,)>(&store).await;
    let tank = runtime.entity::<third::Tank>("t");
    let water = || "water".to_owned();
    assert_eq!(tank.content().await, Ok((2_500, vec![water(), water()])));
    tank.fill(1, "oil").await.expect("filled");
    runtime.crash().await.expect("claimed again");
    let content = (2_501, vec![water(), water(), "oil".to_owned()]);
    assert_eq!(tank.content().await, Ok(content));
    let expected = [
        ("Filled", 1),
        ("Drained", 1),
        ("Filled", 1),
        ("Filled", 2),
        ("Filled", 3),
    ];
    let stored = stored::<third::Tank>(&runtime, "t").await;
    assert_eq!(
        stored,
        expected.map(|(name, version)| (name.to_owned(), version))
    );
    stop(runtime).await;
}

#[statefn::test]
async fn p10_a_version_from_the_future_stops_the_entity() {
    let store = Memory::new();
    let runtime = program::<(third::Tank,)>(&store).await;
    runtime
        .entity::<third::Tank>("t")
        .fill(1, "oil")
        .await
        .expect("filled");
    stop(runtime).await;

    let runtime = program::<(second::Tank,)>(&store).await;
    let tank = runtime.entity::<second::Tank>("t");
    let answer = tank.milliliters().await;
    assert!(
        matches!(answer, Err(CallError::Quarantined { .. })),
        "{answer:?}"
    );
    assert_eq!(
        runtime.entity::<second::Tank>("other").milliliters().await,
        Ok(0)
    );
    stop(runtime).await;
}
