//! The test kit's scenarios of what a command sends on: effects, timers, forwards; and async commands.

#![expect(missing_docs, reason = "test entities")]

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::Metadata;
use statefn::prelude::*;
use statefn::schedule::Schedule;
use statefn::testing::{Scenario, entity};

const HOUR: Duration = Duration::from_secs(3_600);

/// An account that is stored whole.
#[entity(crud, name = "account")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    cents: i64,
}

#[entity]
impl Account {
    #[command]
    fn deposit(&mut self, cents: i64) -> Result<i64, String> {
        self.cents += cents;
        Ok(self.cents)
    }

    #[command]
    fn send(&mut self, ctx: &mut Context<Self>, to: String, cents: i64) -> Result<(), String> {
        ctx.effect(ctx.entity::<Account>(to).deposit(cents));
        ctx.schedule("remind", HOUR, ctx.me().check(String::new()));
        ctx.schedule("audit", Schedule::every(HOUR), ctx.me().deposit(0));
        ctx.cancel("old");
        if cents > self.cents {
            return Err("not enough".to_owned());
        }
        self.cents -= cents;
        Ok(())
    }

    #[command]
    fn check(&mut self, note: String) {
        drop(note);
    }

    #[command]
    fn pass(
        &mut self,
        ctx: &mut Context<Self>,
        to: Option<String>,
    ) -> Result<Forward<i64, String>, String> {
        match to {
            Some(to) => Ok(ctx.forward(ctx.entity::<Account>(to).deposit(1))),
            None => Ok(Forward::reply(-1)),
        }
    }

    #[command]
    async fn grow(&mut self, ctx: &mut Context<Self>, by: i64) -> Result<i64, String> {
        tokio::task::yield_now().await;
        ctx.effect(ctx.me().deposit(by));
        self.cents += by;
        Ok(self.cents)
    }

    #[command]
    async fn hang(&mut self) {
        pending::<()>().await;
    }

    #[command]
    fn send_something(&mut self, ctx: &mut Context<Self>) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let note = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
        ctx.effect(ctx.me().check(note));
    }

    #[command]
    fn send_too_much(&mut self, ctx: &mut Context<Self>) {
        ctx.effect(ctx.me().check("x".repeat(2 << 20)));
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub struct Asked;

/// An event-sourced one.
#[entity(event_sourced, name = "desk")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Desk {
    asked: u32,
}

#[entity]
impl Desk {
    #[command]
    fn ask(&self, ctx: &mut Context<Self>, who: String) -> Forward<i64, String> {
        ctx.emit(Asked);
        ctx.forward(ctx.entity::<Account>(who).deposit(2))
    }

    #[event_handler]
    fn asked(&mut self, _: &Asked) {
        self.asked += 1;
    }
}

fn rich() -> Scenario<Account> {
    Scenario::new("alice").given_state(Account { cents: 10 })
}

fn bob() -> <Account as statefn::entity::Entity>::Ref {
    entity::<Account>("bob")
}

/// What the kit says of a scenario that does not hold.
#[track_caller]
fn complaint<T>(scenario: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(scenario)).map(drop);
    let Err(panic) = panic else {
        panic!("expected a complaint");
    };
    panic.downcast_ref().cloned().unwrap_or_default()
}

#[test]
fn effects_and_timers_of_a_crud_command_are_compared_whole() {
    let me = entity::<Account>("alice");
    rich()
        .when(|account, ctx| account.send(ctx, "bob".into(), 3))
        .then_reply(())
        .then_state(Account { cents: 7 })
        .then_effects([bob().deposit(3)])
        .then_scheduled((
            ("remind", HOUR, me.check("")),
            ("audit", Schedule::every(HOUR), me.deposit(0)),
        ))
        .then_cancelled(["old"])
        .when(|account, ctx| account.send(ctx, "bob".into(), 8))
        .then_rejection("not enough".into())
        .then_nothing_sent()
        .when_infallible(|account, _| account.check(String::new()))
        .then_nothing_sent();
}

#[test]
fn a_forward_is_compared_with_what_it_carries() {
    let mut metadata = Metadata::new();
    metadata.insert("user", "carl");
    rich()
        .metadata(metadata)
        .when(|account, ctx| account.pass(ctx, Some("bob".into())))
        .then_forward(bob().deposit(1).with_metadata("user", "carl"))
        .when(|account, ctx| account.pass(ctx, None))
        .then_reply(-1)
        .then_nothing_sent();
    Scenario::<Desk>::new("front")
        .when(|desk, ctx| desk.ask(ctx, "bob".into()))
        .then_events([Asked])
        .then_forward(bob().deposit(2))
        .then_state(Desk { asked: 1 });
}

#[test]
fn an_async_command_runs_as_far_as_it_goes_by_itself() {
    rich()
        .when_async(async |account, ctx| account.grow(ctx, 2).await)
        .then_reply(12)
        .then_effects([entity::<Account>("alice").deposit(2)])
        .when_async(async |account, ctx| account.grow(ctx, 1).await)
        .then_state(Account { cents: 13 });
    let said = complaint(|| rich().when_async(async |account, _| account.hang().await));
    assert!(said.contains("waits for something"), "{said}");
}

#[test]
fn a_complaint_shows_the_calls_that_were_sent_and_those_that_were_expected() {
    let sends = || rich().when(|account, ctx| account.send(ctx, "bob".into(), 3));
    let said = complaint(|| sends().then_effects([bob().deposit(4)]));
    for part in [
        "sends other effects",
        r#"account/bob: deposit {"cents":3}"#,
        r#"account/bob: deposit {"cents":4}"#,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Another command, another target, another number of them, other metadata.
    complaint(|| sends().then_effects([bob().check("3")]));
    complaint(|| sends().then_effects([entity::<Account>("carl").deposit(3)]));
    complaint(|| sends().then_effects([bob().deposit(3), bob().deposit(3)]));
    let said = complaint(|| sends().then_effects([bob().deposit(3).with_metadata("a", "b")]));
    assert!(said.contains(r#""a": "b""#), "{said}");

    let me = entity::<Account>("alice");
    let said = complaint(|| {
        sends().then_scheduled((
            ("remind", HOUR * 2, me.check("")),
            ("audit", Schedule::every(HOUR / 2), me.deposit(0)),
        ))
    });
    for part in [
        "sets other timers",
        r#""remind" due at"#,
        "3600000",
        "1800000",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = complaint(|| sends().then_cancelled(["new"]));
    assert!(said.contains("old") && said.contains("new"), "{said}");
    let said = complaint(|| sends().then_nothing_sent());
    assert!(said.contains("sends something on"), "{said}");
    let said = complaint(|| sends().then_forward(bob().deposit(3)));
    assert!(said.contains("answers by itself"), "{said}");
    let passes = || rich().when(|account, ctx| account.pass(ctx, Some("bob".into())));
    let said = complaint(|| passes().then_forward(bob().deposit(2)));
    assert!(
        said.contains(r#"{"cents":1}"#) && said.contains(r#"{"cents":2}"#),
        "{said}"
    );
    let said = complaint(|| passes().then_reply(1));
    assert!(said.contains("account/bob: deposit"), "{said}");
    complaint(|| passes().then_nothing_sent());
    complaint(|| passes().answer().is_ok());
}

#[test]
fn what_the_runtime_would_refuse_is_refused_here() {
    let said = complaint(|| rich().when_infallible(Account::send_too_much));
    assert!(
        said.contains("the arguments of a call that is sent on"),
        "{said}"
    );
    let said = complaint(|| rich().when(|account, ctx| account.pass(ctx, Some("alice".into()))));
    assert!(said.contains("the command fails"), "{said}");
}

#[test]
fn a_handler_that_sends_one_thing_and_then_another_is_not_deterministic() {
    let said = complaint(|| rich().when_infallible(Account::send_something));
    assert!(said.contains("not deterministic"), "{said}");
}
