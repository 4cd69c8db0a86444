//! P5: a runtime that stops lets accepted commands finish, and says what it did not let finish.

use std::time::Duration;

use statefn::{CallError, Limits, Persisted};
use statefn_store::testing::Call;

use crate::account::Account;
use crate::kit::{World, millis, pending, persisted, poll, settle};
use crate::sleeper::{Sleeper, Stop};

const SOON: Duration = Duration::from_secs(10);

async fn world() -> World {
    let limits = Limits {
        speculation_max: 2,
        ..Limits::default()
    };
    World::build(|builder| {
        builder
            .only::<(Account, Sleeper)>()
            .limits(limits)
            .shards(1)
    })
    .await
}

#[statefn::test]
async fn p5_accepted_commands_finish_before_the_runtime_stops() {
    let world = world().await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    let with_the_store = pending(alice.add(1));
    let filling = pending(alice.add(1));
    let in_mailbox = pending(alice.add(1));
    let recovering = pending(bob.add(1));
    let mut shutdown = Box::pin(world.runtime.shutdown(SOON));
    assert!(poll(&mut shutdown).is_none());
    assert_eq!(alice.total().await, Err(CallError::Stopped));
    assert_eq!(world.account("carol").add(1).await, Err(CallError::Stopped));
    loads.release();
    settle().await;
    assert!(poll(&mut shutdown).is_none());
    assert_eq!(world.store.count(Call::Close), 0, "open while they finish");
    commits.release();
    // The clock stands still: the shutdown hears of the end by itself.
    assert!(shutdown.await.unwrap());
    assert_eq!(world.store.count(Call::Close), 1);
    for (call, total) in [(with_the_store, 2), (filling, 3), (in_mailbox, 4)] {
        assert_eq!(call.now().await, Ok(total));
    }
    assert_eq!(recovering.now().await, Ok(1));
    assert_eq!(alice.add(1).with_key("k").await, Err(CallError::Stopped));
    world.assert_quiet().await;

    let next = World::over(world.store.clone(), statefn::Builder::only::<(Account,)>).await;
    assert_eq!(next.account("alice").total().await, Ok(4));
    assert_eq!(next.account("bob").total().await, Ok(1));
}

#[statefn::test]
async fn p5_what_does_not_finish_by_the_deadline_is_told_what_became_of_it() {
    let world = world().await;
    let (alice, bob, carol) = (
        world.account("alice"),
        world.account("bob"),
        world.account("carol"),
    );
    assert_eq!(alice.total().await, Ok(0));
    assert_eq!(carol.add(1).with_key("k").await, Ok(1));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    let lookups = world.store.hold(Call::FindRecord);
    let with_the_store = pending(alice.add(1));
    let filling = pending(alice.add(1));
    let in_mailbox = pending(alice.total());
    let recovering = pending(bob.add(1));
    let looking_up = pending(carol.add(1).with_key("k"));
    let behind = pending(carol.total());
    let mut shutdown = Box::pin(world.runtime.shutdown(SOON));
    assert!(poll(&mut shutdown).is_none());
    world.pass(millis(9_999)).await;
    assert!(poll(&mut shutdown).is_none(), "not before the deadline");
    world.pass(millis(1)).await;
    assert!(!shutdown.await.unwrap(), "not everything has finished");

    assert_eq!(persisted(&with_the_store.now().await), Persisted::Unknown);
    assert_eq!(filling.now().await, Err(CallError::Stopped));
    assert_eq!(in_mailbox.now().await, Err(CallError::Stopped));
    assert_eq!(recovering.now().await, Err(CallError::Stopped));
    assert_eq!(looking_up.now().await, Err(CallError::Stopped));
    assert_eq!(behind.now().await, Err(CallError::Stopped));
    assert_eq!(world.runtime.admin().residents(), 0);
    commits.release();
    loads.release();
    lookups.release();
    world.assert_quiet().await;
    assert_eq!(world.runtime.admin().residents(), 0, "nobody comes back");
}

#[statefn::test]
async fn p5_a_handler_that_does_not_return_does_not_keep_the_runtime_from_stopping() {
    let world = world().await;
    let sleeper = world.runtime.entity::<Sleeper>("stuck at the end");
    let alice = world.account("alice");
    assert_eq!(sleeper.waited().await, Ok(0));
    let stop = Stop::prepare("stuck at the end");
    let stuck = std::thread::spawn(move || sleeper.wait_here().wait());
    stop.reached();
    let behind = pending(alice.add(1));
    assert!(!world.runtime.shutdown(Duration::ZERO).await.unwrap());
    stop.let_go();
    let answer = stuck.join().unwrap();
    assert_eq!(persisted(&answer), Persisted::No, "the store is closed");
    assert!(behind.now().await.is_err());
    world.assert_quiet().await;
}

#[statefn::test]
async fn p5_stopping_twice_and_in_two_places_is_fine() {
    let world = world().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let write = pending(alice.add(1));
    let mut one = Box::pin(world.runtime.shutdown(SOON));
    let mut other = Box::pin(world.runtime.shutdown(SOON));
    assert!(poll(&mut one).is_none() && poll(&mut other).is_none());
    // One is given up.
    drop(one);
    commits.release();
    assert!(other.await.unwrap());
    assert_eq!(write.now().await, Ok(1));
    assert!(world.runtime.shutdown(Duration::ZERO).await.unwrap());
}

#[statefn::test]
async fn p5_a_store_that_does_not_close_is_reported_and_may_be_asked_again() {
    let world = world().await;
    assert_eq!(world.account("alice").add(1).await, Ok(1));
    world.store.fail(Call::Close, 1);
    assert!(world.runtime.shutdown(Duration::ZERO).await.is_err());
    assert_eq!(
        world.account("alice").total().await,
        Err(CallError::Stopped)
    );
    assert!(world.runtime.shutdown(Duration::ZERO).await.unwrap());
    let next = World::over(world.store.clone(), statefn::Builder::only::<(Account,)>).await;
    assert_eq!(next.account("alice").total().await, Ok(1));
}
