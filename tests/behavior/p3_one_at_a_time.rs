//! P3: an entity handles one command after another, in the order of their arrival.

use statefn::{Limits, Runtime};
use statefn_store::Memory;
use statefn_store::testing::{Call, CommitFault, Faulty};

use crate::account::Account;
use crate::kit::{World, pending, poll};

#[statefn::test]
async fn p3_commands_of_one_caller_run_in_the_order_of_their_first_polls() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = (0..200).map(|n| pending(alice.add(n))).collect();
    hold.release();
    for call in calls {
        call.now().await.unwrap();
    }
    assert_eq!(alice.moves().await.unwrap(), (0..200).collect::<Vec<i64>>());
    world.assert_quiet().await;
}

#[statefn::test]
async fn p3_order_holds_across_recovery() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1000).await, Ok(1000));
    world.runtime.crash().await.unwrap();
    let hold = world.store.hold(Call::Load);
    // More than one visitor may run: the rest is handed to a task, more than once.
    let calls: Vec<_> = (0..500).map(|n| pending(alice.add(n))).collect();
    hold.release();
    for call in calls {
        call.now().await.unwrap();
    }
    let expected: Vec<i64> = [1000].into_iter().chain(0..500).collect();
    assert_eq!(alice.moves().await.unwrap(), expected);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p3_order_holds_when_the_speculation_window_is_full() {
    let limits = Limits {
        speculation_max: 2,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = (0..100).map(|n| pending(alice.add(n))).collect();
    hold.release();
    for call in calls {
        call.now().await.unwrap();
    }
    assert_eq!(alice.moves().await.unwrap(), (0..100).collect::<Vec<i64>>());
}

#[statefn::test]
async fn p3_order_holds_across_a_failed_commit() {
    let limits = Limits {
        speculation_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    world.store.next_commits([CommitFault::Unavailable]);
    let first = pending(alice.add(0));
    // These wait in the mailbox: they run on the recovered state.
    let calls: Vec<_> = (1..100).map(|n| pending(alice.add(n))).collect();
    hold.release();
    assert!(first.now().await.is_err());
    for call in calls {
        call.now().await.unwrap();
    }
    assert_eq!(alice.moves().await.unwrap(), (1..100).collect::<Vec<i64>>());
    world.assert_quiet().await;
}

#[statefn::test]
async fn p3_a_lookup_of_a_key_does_not_let_later_commands_pass() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    let hold = world.store.hold(Call::FindRecord);
    let again = pending(alice.add(1).with_key("k"));
    let mut second = pending(alice.add(2));
    let mut query = pending(alice.total());
    second.assert_waits().await;
    query.assert_waits().await;
    hold.release();
    assert_eq!(again.now().await, Ok(1));
    assert_eq!(second.now().await, Ok(3));
    assert_eq!(query.now().await, Ok(3));
}

/// A movement that tells who made it, and as which of his.
fn stamp(caller: i64, number: i64) -> i64 {
    caller * 1_000_000 + number
}

fn assert_in_order(moves: &[i64], callers: i64, each: i64) {
    for caller in 0..callers {
        let own = moves.iter().filter(|stamp| **stamp / 1_000_000 == caller);
        let own: Vec<i64> = own.map(|stamp| stamp % 1_000_000).collect();
        assert_eq!(own, (0..each).collect::<Vec<i64>>(), "caller {caller}");
    }
}

#[test]
fn p3_each_caller_keeps_its_order_among_many() {
    const CALLERS: i64 = 8;
    const EACH: i64 = 300;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    tokio.block_on(async {
        let builder = Runtime::builder().store(Faulty::new(Memory::new()));
        let runtime = builder
            .only::<(Account,)>()
            .shards(1)
            .build()
            .await
            .unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let account = runtime.entity::<Account>("shared");
            tasks.spawn(async move {
                for block in 0..EACH / 10 {
                    // Ten at a time, accepted by their first polls and answered later.
                    let mut answers = Vec::new();
                    for n in block * 10..(block + 1) * 10 {
                        let mut call = Box::pin(account.add(stamp(caller, n)).into_future());
                        match poll(&mut call) {
                            Some(answer) => drop(answer.unwrap()),
                            None => answers.push(call),
                        }
                    }
                    for answer in answers {
                        answer.await.unwrap();
                    }
                }
            });
        }
        tasks.join_all().await;
        let moves = runtime.entity::<Account>("shared").moves().await.unwrap();
        assert_in_order(&moves, CALLERS, EACH);
        assert_eq!(runtime.admin().waiting(), 0);
    });
}

#[test]
fn p3_threads_keep_their_order_too() {
    const CALLERS: i64 = 4;
    const EACH: i64 = 500;
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let builder = Runtime::builder().only::<(Account,)>();
    let runtime = tokio.block_on(builder.build()).unwrap();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let account = runtime.entity::<Account>("shared");
            scope.spawn(move || {
                for n in 0..EACH {
                    account.add(stamp(caller, n)).wait().unwrap();
                }
            });
        }
    });
    let moves = runtime.entity::<Account>("shared").moves().wait().unwrap();
    assert_in_order(&moves, CALLERS, EACH);
}
