//! P8: queues have limits: reaching one is an answer, and all goes on afterwards.

use std::time::Duration;

use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use crate::account::AccountRef;
use crate::kit::{World, at_once, millis, overloaded, pending, poll, settle};

#[statefn::test]
async fn p8_mailbox() {
    let limits = Limits {
        mailbox_max: 3,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    for round in 0..3 {
        let hold = world.store.hold(Call::Load);
        let calls: Vec<_> = (0..3).map(|_| pending(alice.add(1))).collect();
        assert_eq!(at_once(alice.add(1)), overloaded(Overload::Mailbox));
        assert_eq!(at_once(alice.total()), overloaded(Overload::Mailbox));
        assert_eq!(world.runtime.admin().waiting(), 3);
        hold.release();
        for call in calls {
            call.now().await.unwrap();
        }
        assert_eq!(alice.total().await, Ok(3 * (round + 1)));
        world.assert_quiet().await;
        world.runtime.crash().await.unwrap();
    }
}

#[statefn::test]
async fn p8_waiting_calls_of_a_process() {
    let limits = Limits {
        waiting_max: 3,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let accounts: Vec<AccountRef> = (0..5).map(|n| world.account(&n.to_string())).collect();
    for account in &accounts {
        assert_eq!(account.total().await, Ok(0));
    }
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = accounts
        .iter()
        .take(3)
        .map(|account| pending(account.add(1)))
        .collect();
    assert_eq!(at_once(accounts[3].add(1)), overloaded(Overload::Waiting));
    assert_eq!(at_once(accounts[0].total()), overloaded(Overload::Waiting));
    let unknown = world.account("not in memory");
    assert_eq!(at_once(unknown.total()), overloaded(Overload::Waiting));
    assert_eq!(at_once(accounts[4].total()), Ok(0), "nothing to wait for");
    hold.release();
    for call in calls {
        assert_eq!(call.now().await, Ok(1));
    }
    world.assert_quiet().await;
    assert_eq!(accounts[3].add(1).await, Ok(1));
    assert_eq!(unknown.total().await, Ok(0));
}

#[statefn::test]
async fn p8_bytes_that_wait_in_queues() {
    let limits = Limits {
        waiting_bytes_max: 10_000,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    for _ in 0..3 {
        let hold = world.store.hold(Call::Load);
        let fits = pending(alice.note("x".repeat(8_000)));
        let too_much = at_once(bob.note("x".repeat(8_000)));
        assert_eq!(too_much, overloaded(Overload::WaitingBytes));
        let small = pending(bob.note("x"));
        hold.release();
        assert_eq!(fits.now().await, Ok(()));
        assert_eq!(small.now().await, Ok(()));
        world.assert_quiet().await;
        world.runtime.crash().await.unwrap();
    }
}

#[statefn::test]
async fn p8_bytes_that_wait_for_commits() {
    let limits = Limits {
        waiting_bytes_max: 100_000,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let accounts: Vec<AccountRef> = (0..100).map(|n| world.account(&n.to_string())).collect();
    for account in &accounts {
        assert_eq!(account.total().await, Ok(0));
    }
    for _ in 0..3 {
        let hold = world.store.hold(Call::Commit);
        let mut calls = Vec::new();
        let mut refused = 0;
        for account in &accounts {
            let mut call = Box::pin(account.note("x".repeat(10_000)).into_future());
            match poll(&mut call) {
                None => calls.push(call),
                Some(answer) => {
                    assert_eq!(answer, overloaded(Overload::WaitingBytes));
                    refused += 1;
                }
            }
        }
        // The last one that finds room may go over the limit by what it writes.
        assert_eq!(calls.len(), 10, "ten times ten thousand");
        assert_eq!(refused, 90);
        hold.release();
        for call in calls {
            call.await.unwrap();
        }
        world.assert_quiet().await;
        assert_eq!(accounts[99].note("x".repeat(10_000)).await, Ok(()));
    }
}

#[statefn::test]
async fn p8_a_call_without_a_deadline_does_not_wait_for_ever() {
    let limits = Limits {
        speculation_max: 1,
        call_timeout: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!(alice.total().await, Ok(0));
    let commits = world.store.hold(Call::Commit);
    let loads = world.store.hold(Call::Load);
    let mut write = pending(alice.add(1));
    let mut in_mailbox = pending(alice.total());
    let mut in_recovery = pending(bob.add(1));
    world.pass(Duration::from_secs(5)).await;
    write.assert_waits().await;
    in_mailbox.assert_waits().await;
    in_recovery.assert_waits().await;
    world.pass(millis(1_500)).await;
    assert!(matches!(
        write.now().await,
        Err(CallError::OutcomeUnknown { .. })
    ));
    assert_eq!(in_mailbox.now().await, Err(CallError::Timeout));
    assert_eq!(in_recovery.now().await, Err(CallError::Timeout));
    commits.release();
    loads.release();
    settle().await;
    assert_eq!(alice.total().await, Ok(1), "it ran to its end");
    assert_eq!(bob.total().await, Ok(0), "it never ran");
    world.assert_quiet().await;
}

#[test]
fn p8_a_long_queue_takes_no_stack() {
    const CALLS: usize = 60_000;
    let body = || {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio.block_on(async {
            let limits = Limits {
                mailbox_max: CALLS,
                ..Limits::default()
            };
            let world = World::with(limits).await;
            let alice = world.account("alice");
            let hold = world.store.hold(Call::Load);
            let calls: Vec<_> = (0..CALLS).map(|_| pending(alice.note(""))).collect();
            hold.release();
            for call in calls {
                call.await.unwrap();
            }
            assert_eq!(alice.notes().await, Ok(CALLS));
            world.assert_quiet().await;
        });
    };
    // Half a mebibyte: what a handler may count on, whoever runs it.
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(body).unwrap().join().unwrap();
}
