//! An entity without macros: what `#[entity]` writes can be written by hand.

#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "helpers of a test; its tasks are not the runtime's"
)]

use serde::{Deserialize, Serialize};
use statefn::codec::{Codec, DecodeError};
use statefn::command::{Command, Operation, Query, Reads, Writes};
use statefn::entity::{Behavior, Entity, EntityRef, EventOf, EventSourcedKind, Options};
use statefn::event::{Event, EventDeclaration, EventForm};
use statefn::reply::Handled;
use statefn::store::Memory;
use statefn::{Call, CallError, Context, Infallible, Runtime};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Added(i64);

impl Event for Added {
    const FORM: EventForm = EventForm::Struct;
    const EVENTS: &'static [EventDeclaration] = &[EventDeclaration {
        name: "added",
        version: 1,
    }];

    fn index(&self) -> usize {
        0
    }

    fn upcast(_: usize, _: u32, _: Codec, _: &[u8]) -> Option<Result<Self, DecodeError>> {
        None
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[derive(Clone, Debug)]
struct CounterRef(statefn::__private::Handle<Counter>);

impl EntityRef for CounterRef {
    type Entity = Counter;

    fn from_handle(handle: statefn::__private::Handle<Counter>) -> Self {
        Self(handle)
    }
}

impl CounterRef {
    fn add(&self, amount: i64) -> Call<Add> {
        self.0.call(Add { amount })
    }

    fn value(&self) -> Call<Value> {
        self.0.call(Value)
    }
}

impl Entity for Counter {
    type Kind = EventSourcedKind;
    type Ref = CounterRef;
    const TYPE: &'static str = "counter";
    const OPTIONS: Options = Options::DEFAULT.snapshot_every(5);
}

impl Behavior for Counter {
    type Event = Added;

    fn apply(&mut self, event: &Added) {
        self.value += event.0;
    }
}

impl EventOf<Counter> for Added {
    fn into_event(self) -> Added {
        self
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Add {
    amount: i64,
}

impl Operation for Add {
    type Entity = Counter;
    type Reply = i64;
    type Error = String;
    type Mode = Writes;
    const NAME: &'static str = "add";
}

impl Command for Add {
    fn handle(self, _: &mut Counter, ctx: &mut Context<Counter>) -> Handled<Counter, i64, String> {
        assert!(self.amount != 13, "thirteen");
        ctx.emit(Added(self.amount));
        if self.amount < 0 {
            return Handled::Rejected("negative".to_owned());
        }
        Handled::Then(ctx.then(|counter| counter.value))
    }
}

#[derive(Debug)]
struct Value;

impl Operation for Value {
    type Entity = Counter;
    type Reply = i64;
    type Error = Infallible;
    type Mode = Reads;
    const NAME: &'static str = "value";
}

impl Query for Value {
    fn answer(self, entity: &Counter) -> Result<i64, Infallible> {
        Ok(entity.value)
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a tokio runtime")
        .block_on(future)
}

#[test]
fn an_entity_written_by_hand_works() {
    block_on(async {
        let store = Memory::new();
        let runtime = Runtime::builder()
            .store(store.clone())
            .register::<Counter>()
            .build()
            .await;
        let runtime = runtime.expect("a runtime");
        let counter = runtime.entity::<Counter>("a");
        assert_eq!(counter.add(2).await, Ok(2));
        assert_eq!(
            counter.add(-1).await,
            Err(CallError::Rejected("negative".to_owned()))
        );
        assert!(matches!(
            counter.add(13).await,
            Err(CallError::Panicked { .. })
        ));
        assert_eq!(counter.add(3).with_key("k").await, Ok(5));
        assert_eq!(counter.add(3).with_key("k").await, Ok(5));
        assert!(matches!(
            counter.add(4).with_key("k").await,
            Err(CallError::KeyReused { .. })
        ));
        assert_eq!(counter.value().await, Ok(5));
        for _ in 0..20 {
            counter.add(1).await.expect("added");
        }
        runtime.crash().await.expect("claimed");
        assert_eq!(counter.value().await, Ok(25));
        assert_eq!(counter.add(3).with_key("k").await, Ok(5));
        let calls: Vec<_> = (0..1000)
            .map(|_| {
                let counter = counter.clone();
                tokio::spawn(async move { counter.add(1).await })
            })
            .collect();
        for call in calls {
            call.await.expect("not panicked").expect("added");
        }
        assert_eq!(counter.value().await, Ok(1025));
        assert_eq!(runtime.admin().waiting(), 0);
        assert!(
            runtime
                .shutdown(std::time::Duration::from_secs(1))
                .await
                .expect("closed")
        );
        assert_eq!(counter.value().await, Err(CallError::Stopped));
    });
}

#[test]
fn calls_from_threads_outside_the_runtime_wait() {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("tokio");
    let runtime = tokio
        .block_on(Runtime::builder().register::<Counter>().build())
        .expect("a runtime");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let counter = runtime.entity::<Counter>("b");
            scope.spawn(move || {
                for _ in 0..1000 {
                    counter.add(1).wait().expect("added");
                }
            });
        }
    });
    assert_eq!(runtime.entity::<Counter>("b").value().wait(), Ok(4000));
}
