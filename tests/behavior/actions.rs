//! Actions: handlers without a state, called as methods and by name on encoded values.

use serde::{Deserialize, Serialize};
use statefn::codec::Codec;
use statefn::prelude::*;
use statefn::{ActionError, BuildError, Builder};

use crate::account::Account;
use crate::kit::{World, pending};

struct Bank;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unpaid(String);

#[action(name = "bank")]
impl Bank {
    /// Moves money from one account to another.
    async fn transfer(
        &self,
        ctx: &ActionContext,
        from: String,
        to: String,
        amount: i64,
    ) -> Result<i64, Unpaid> {
        let unpaid = |error: String| Unpaid(error);
        let taken = ctx.entity::<Account>(from).add(-amount).await;
        taken.map_err(|error| unpaid(error.to_string()))?;
        let there = ctx.entity::<Account>(to).add(amount).await;
        there.map_err(|error| unpaid(error.to_string()))
    }

    /// Adds all that comes in.
    async fn collect(&self, ctx: &ActionContext, id: String, amounts: Items<i64>) -> i64 {
        let (account, mut amounts) = (ctx.entity::<Account>(id), amounts);
        let mut total = 0;
        while let Some(amount) = amounts.next().await {
            total = account.add(amount).await.unwrap_or(total);
        }
        total
    }

    /// The totals of some accounts, one after another.
    fn totals(&self, ctx: &ActionContext, ids: Vec<String>) -> Items<i64> {
        let (ctx, ids) = (ctx.clone(), ids.into_iter());
        Items::unfold((ctx, ids), |(ctx, mut ids)| async {
            let account = ctx.entity::<Account>(ids.next()?);
            Some((account.total().await.ok()?, (ctx, ids)))
        })
    }

    /// Both ways, without further arguments.
    async fn follow(&self, ctx: &ActionContext, ids: Items<String>) -> Result<Items<i64>, Unpaid> {
        let ctx = ctx.clone();
        Ok(Items::unfold((ctx, ids), |(ctx, mut ids)| async {
            let account = ctx.entity::<Account>(ids.next().await?);
            Some((account.total().await.ok()?, (ctx, ids)))
        }))
    }

    async fn stumble(&self, _ctx: &ActionContext) {
        panic!("no {}", Self::helper());
    }

    fn helper() -> &'static str {
        "luck"
    }
}

async fn world() -> World {
    World::build(|builder: Builder| builder.only::<(Account,)>().action(Bank)).await
}

/// Runs a handler on JSON.
async fn invoke(world: &World, handler: &str, input: &[&str]) -> Vec<Result<String, ActionError>> {
    let input: Vec<Vec<u8>> = input.iter().map(|json| json.as_bytes().to_vec()).collect();
    let runtime = &world.runtime;
    let output = runtime.invoke("bank", handler, Codec::Json, Items::of(input));
    let output = output.collect().await.into_iter();
    output
        .map(|item| item.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
        .collect()
}

fn good(items: &[&str]) -> Vec<Result<String, ActionError>> {
    items.iter().map(|item| Ok((*item).to_owned())).collect()
}

#[statefn::test]
async fn a_hosted_action_is_listed_with_the_kinds_of_its_handlers() {
    let world = world().await;
    let actions = world.runtime.actions();
    let listed: Vec<_> = actions.iter().map(|action| action.name).collect();
    assert_eq!(listed, ["bank"]);
    let kinds: Vec<_> = actions[0]
        .handlers
        .iter()
        .map(|handler| (handler.name, handler.takes_stream, handler.gives_stream))
        .collect();
    let expected = [
        ("transfer", false, false),
        ("collect", true, false),
        ("totals", false, true),
        ("follow", true, true),
        ("stumble", false, false),
    ];
    assert_eq!(kinds, expected);
}

#[statefn::test]
async fn every_kind_of_handler_runs_by_name_on_encoded_values() {
    let world = world().await;
    let collected = invoke(&world, "collect", &[r#"{"id":"ann"}"#, "5", "2"]).await;
    assert_eq!(collected, good(&["7"]));
    let moved = r#"{"from":"ann","to":"bob","amount":3}"#;
    assert_eq!(invoke(&world, "transfer", &[moved]).await, good(&["3"]));
    let totals = invoke(&world, "totals", &[r#"{"ids":["ann","bob"]}"#]).await;
    assert_eq!(totals, good(&["4", "3"]));
    let followed = invoke(&world, "follow", &[r#""bob""#, r#""ann""#]).await;
    assert_eq!(followed, good(&["3", "4"]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn a_handler_is_called_as_the_plain_method_that_it_is() {
    let world = world().await;
    let ctx = world.runtime.action_context();
    let total = Bank
        .collect(&ctx, "ann".to_owned(), Items::of([1, 2]))
        .await;
    assert_eq!(total, 3);
    let refused = Bank
        .transfer(&ctx, "bob".to_owned(), "ann".to_owned(), 1)
        .await;
    assert_eq!(refused, Err(Unpaid("rejected: only 0 is there".to_owned())));
}

#[statefn::test]
async fn p5_an_action_that_fails_says_why() {
    let world = world().await;
    let moved = r#"{"from":"ann","to":"bob","amount":3}"#;
    let rejected = br#""rejected: only 0 is there""#.to_vec();
    let answer = invoke(&world, "transfer", &[moved]).await;
    assert_eq!(answer, [Err(ActionError::Rejected(rejected))]);
    let is_undecodable = |answer: &[Result<String, ActionError>]| {
        matches!(answer, [Err(ActionError::Undecodable { .. })])
    };
    for input in [&[][..], &["7"], &[r#"{"from":"ann"}"#]] {
        let answer = invoke(&world, "transfer", input).await;
        assert!(is_undecodable(&answer), "{answer:?}");
    }
    // What was decided on a half of the input is no answer.
    let half = invoke(&world, "collect", &[r#"{"id":"ann"}"#, "5", "five", "6"]).await;
    assert!(is_undecodable(&half), "{half:?}");
    assert_eq!(world.account("ann").moves().await, Ok(vec![5]));
    let unknown = invoke(&world, "steal", &[]).await;
    assert!(
        matches!(&*unknown, [Err(ActionError::NotHosted { .. })]),
        "{unknown:?}"
    );
}

#[statefn::test]
async fn p9_an_action_that_panics_answers_its_caller() {
    let world = world().await;
    let answer = invoke(&world, "stumble", &["{}"]).await;
    let message = "no luck".into();
    assert_eq!(answer, [Err(ActionError::Panicked { message })]);
}

#[statefn::test]
async fn p8_a_stream_runs_only_as_far_as_its_reader_asks() {
    let world = world().await;
    let (ann, bob) = (world.account("ann"), world.account("bob"));
    ann.add(1).await.unwrap();
    let input = Items::of([br#"{"ids":["ann","bob"]}"#.to_vec()]);
    let mut totals = world.runtime.invoke("bank", "totals", Codec::Json, input);
    assert_eq!(totals.next().await, Some(Ok(b"1".to_vec())));
    assert_eq!(
        world.runtime.admin().residents(),
        1,
        "nobody has asked for bob"
    );
    bob.add(2).await.unwrap();
    assert_eq!(totals.next().await, Some(Ok(b"2".to_vec())));
    assert_eq!(totals.next().await, None);
    assert_eq!(totals.next().await, None);
    // Dropped on its way, a handler ends there.
    let loads = world.store.hold(statefn_store::testing::Call::Load);
    let moved = Items::of([br#"{"from":"cid","to":"ann","amount":0}"#.to_vec()]);
    let mut output = world.runtime.invoke("bank", "transfer", Codec::Json, moved);
    drop(pending(std::future::poll_fn(move |cx| {
        std::pin::Pin::new(&mut Box::pin(output.next()))
            .as_mut()
            .poll(cx)
    })));
    loads.release();
    world.assert_quiet().await;
    assert_eq!(ann.moves().await, Ok(vec![1]));
}

#[statefn::test]
async fn two_actions_of_one_name_do_not_start() {
    let builder = statefn::Runtime::builder().only::<(Account,)>();
    let built = builder.action(Bank).action(Bank).build().await;
    assert!(matches!(
        built,
        Err(BuildError::ActionTaken { name: "bank" })
    ));
}
