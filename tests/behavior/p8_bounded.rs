//! P8: every queue, batch and window has a limit; reaching it is an answer, never a hang.

use std::time::Duration;

use statefn::store::{PersistenceId, Store};
use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use crate::account::{Account, AccountRef, Refusal};
use crate::kit::{World, at_once, millis, pending, settle};

fn overloaded<T, E>(by: Overload) -> Result<T, CallError<E>> {
    Err(CallError::Overloaded(by))
}

/// The text whose event has exactly this many bytes, between 254 and 65,538.
fn text_for_event(bytes: usize) -> String {
    "x".repeat(bytes - 3)
}

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
            match crate::kit::poll(&mut call) {
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
async fn p8_speculation_commands() {
    let limits = Limits {
        speculation_max: 2,
        mailbox_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let speculated = [pending(alice.add(1)), pending(alice.add(1))];
    let waits = pending(alice.add(1));
    assert_eq!(at_once(alice.add(1)), overloaded(Overload::Mailbox));
    hold.release();
    for call in speculated {
        call.now().await.unwrap();
    }
    assert_eq!(waits.now().await, Ok(3));
    assert_eq!(alice.add(1).await, Ok(4));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_speculation_bytes() {
    let limits = Limits {
        speculation_bytes_max: 2_000,
        mailbox_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first = pending(alice.note("x".repeat(1_000)));
    let second = pending(alice.note("x".repeat(1_000)));
    let waits = pending(alice.note("x"));
    assert_eq!(at_once(alice.note("x")), overloaded(Overload::Mailbox));
    hold.release();
    for call in [first, second, waits] {
        assert_eq!(call.now().await, Ok(()));
    }
    assert_eq!(alice.notes().await, Ok(3));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_batches_by_count() {
    let limits = Limits {
        batch_max: 2,
        ..Limits::default()
    };
    let world = World::build(|builder| builder.only::<(Account,)>().limits(limits).shards(1)).await;
    let accounts: Vec<AccountRef> = (0..6).map(|n| world.account(&n.to_string())).collect();
    for account in &accounts {
        assert_eq!(account.total().await, Ok(0));
    }
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = accounts
        .iter()
        .map(|account| pending(account.add(1)))
        .collect();
    let before = world.store.members();
    assert_eq!(before, 1, "the first is with the store, the others fill");
    for (commits, members) in [(2, 3), (3, 5), (4, 6)] {
        hold.release_one();
        settle().await;
        assert_eq!(world.store.count(Call::Commit), commits);
        assert_eq!(world.store.members(), members);
    }
    hold.release();
    for call in calls {
        assert_eq!(call.now().await, Ok(1));
    }
}

#[statefn::test]
async fn p8_batches_by_bytes() {
    let limits = Limits {
        batch_bytes_max: 3_000,
        ..Limits::default()
    };
    let world = World::build(|builder| builder.only::<(Account,)>().limits(limits).shards(1)).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let texts = [10, 1_000, 1_000, 1_000, 9_000, 10];
    let calls = texts.map(|bytes| pending(alice.note("x".repeat(bytes))));
    for members in [3, 4, 5, 6] {
        hold.release_one();
        settle().await;
        assert_eq!(world.store.members(), members);
    }
    hold.release();
    for call in calls {
        assert_eq!(
            call.now().await,
            Ok(()),
            "one alone may be larger than a batch"
        );
    }
}

#[statefn::test]
async fn p8_payload_of_an_event() {
    let limits = Limits {
        payload_bytes_max: 1_000,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.note(text_for_event(1_000)).await, Ok(()));
    let what = "an event";
    let too_large = Err(CallError::TooLarge {
        what,
        bytes: 1_001,
        limit: 1_000,
    });
    assert_eq!(alice.note(text_for_event(1_001)).await, too_large);
    assert_eq!(alice.notes().await, Ok(1));
    assert_eq!(alice.add(1).await, Ok(1));
}

#[statefn::test]
async fn p8_payload_at_the_default_limit() {
    let world = World::new().await;
    let alice = world.account("alice");
    // A length of four bytes behind a marker.
    let text = "x".repeat((1 << 20) - 5);
    assert_eq!(alice.note(text.clone()).await, Ok(()));
    let refused = alice.note(text + "x").await;
    assert!(matches!(refused, Err(CallError::TooLarge { limit, .. }) if limit == 1 << 20));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.notes().await, Ok(1));
}

#[statefn::test]
async fn p8_payload_of_a_remembered_reply_or_rejection() {
    let limits = Limits {
        payload_bytes_max: 1_000,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    let (fits, too_large) = ("x".repeat(995), "x".repeat(996));
    assert_eq!(
        alice.say(fits.clone()).with_key("a").await,
        Ok(fits.clone())
    );
    assert_eq!(
        alice.note_and_say(fits.clone()).with_key("b").await,
        Ok(fits)
    );
    let answer = alice.say(too_large.clone()).with_key("c").await;
    assert!(
        matches!(answer, Err(CallError::TooLarge { bytes: 1_001, .. })),
        "{answer:?}"
    );
    let answer = alice.note_and_say(too_large.clone()).with_key("c").await;
    assert!(
        matches!(answer, Err(CallError::TooLarge { bytes: 1_001, .. })),
        "{answer:?}"
    );
    let answer = alice.refuse(too_large.clone()).with_key("c").await;
    assert!(
        matches!(answer, Err(CallError::TooLarge { bytes: 1_002, .. })),
        "{answer:?}"
    );
    assert_eq!(
        alice.total().await,
        Ok(1),
        "what was too large left nothing"
    );
    assert_eq!(
        alice.say(too_large.clone()).await,
        Ok(too_large),
        "not stored: no limit"
    );
    let said = alice.refuse("x").with_key("c").await;
    assert_eq!(
        said,
        Err(CallError::Rejected(Refusal::Said("x".into()))),
        "the key is free"
    );
    assert_eq!(alice.add(1).await, Ok(2));
}

#[statefn::test]
async fn p8_one_caller_with_too_much_does_not_close_the_entity_for_others() {
    let limits = Limits {
        payload_bytes_max: 1_000,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    let text = "x".repeat(2_000);
    for _ in 0..20 {
        let reply = alice.note_and_say(text.clone()).with_key("k").await;
        assert!(
            matches!(reply, Err(CallError::TooLarge { .. })),
            "{reply:?}"
        );
        let metadata = alice.add(1).with_metadata("header", text.clone()).await;
        assert!(
            matches!(metadata, Err(CallError::TooLarge { .. })),
            "{metadata:?}"
        );
    }
    assert_eq!(alice.add(1).await, Ok(1));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_snapshots_that_are_too_large_are_left_out() {
    let limits = Limits {
        snapshot_bytes_max: 20,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    for n in 1..=60 {
        assert_eq!(alice.add(1).await, Ok(n));
    }
    assert_eq!(
        world.store.verify().await.unwrap().snapshots,
        1,
        "the early ones fit"
    );
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(60));
}

#[statefn::test]
async fn p8_residents_leave_for_newcomers_the_longest_unused_first() {
    let limits = Limits {
        residents_max: 3,
        ..Limits::default()
    };
    let world = World::build(|builder| builder.only::<(Account,)>().limits(limits).shards(1)).await;
    let accounts: Vec<AccountRef> = (0..4).map(|n| world.account(&n.to_string())).collect();
    for account in &accounts[..3] {
        assert_eq!(account.total().await, Ok(0));
        world.pass(millis(300)).await;
    }
    assert_eq!(accounts[0].total().await, Ok(0), "used again");
    world.pass(millis(300)).await;
    assert_eq!(accounts[3].total().await, Ok(0));
    assert_eq!(world.runtime.admin().residents(), 3);
    let loads = world.store.count(Call::Load);
    for stayed in [0, 2, 3] {
        assert_eq!(at_once(accounts[stayed].total()), Ok(0));
    }
    assert_eq!(world.store.count(Call::Load), loads);
    assert_eq!(accounts[1].total().await, Ok(0));
    assert_eq!(
        world.store.count(Call::Load),
        loads + 1,
        "the one that had left"
    );
}

#[statefn::test]
async fn p8_residents_of_other_shards_leave_too() {
    let limits = Limits {
        residents_max: 3,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    for round in 1..=3 {
        for n in 0..50 {
            let account = world.account(&n.to_string());
            assert_eq!(account.add(1).await, Ok(round));
            assert!(world.runtime.admin().residents() <= 3);
        }
    }
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_residents_that_are_all_busy_leave_no_room() {
    for shards in [1, 64] {
        let limits = Limits {
            residents_max: 2,
            ..Limits::default()
        };
        let shape =
            |builder: statefn::Builder| builder.only::<(Account,)>().limits(limits).shards(shards);
        let world = World::build(shape).await;
        let (alice, bob) = (world.account("alice"), world.account("bob"));
        let carol = world.account("carol");
        assert_eq!((alice.total().await, bob.total().await), (Ok(0), Ok(0)));
        let hold = world.store.hold(Call::Commit);
        let busy = [pending(alice.add(1)), pending(bob.add(1))];
        let mut refused = Box::pin(carol.total().into_future());
        settle().await;
        let refused = crate::kit::poll(&mut refused).expect("an answer, not a hang");
        assert_eq!(refused, overloaded(Overload::Residents));
        hold.release();
        for call in busy {
            assert_eq!(call.now().await, Ok(1));
        }
        assert_eq!(carol.add(1).await, Ok(1), "there is room again");
        assert_eq!(alice.total().await, Ok(1));
        assert_eq!(world.runtime.admin().residents(), 2);
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p8_recoveries_at_the_same_time() {
    let limits = Limits {
        recoveries_max: 2,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let hold = world.store.hold(Call::Load);
    let accounts: Vec<AccountRef> = (0..5).map(|n| world.account(&n.to_string())).collect();
    let calls: Vec<_> = accounts
        .iter()
        .map(|account| pending(account.add(1)))
        .collect();
    for arrived in [2, 3, 4, 5, 5] {
        settle().await;
        assert_eq!(hold.arrived(), arrived);
        hold.release_one();
    }
    for call in calls {
        assert_eq!(call.now().await, Ok(1));
    }
    world.assert_quiet().await;
}

#[statefn::test]
async fn p8_quarantined_entities_remembered() {
    let limits = Limits {
        quarantined_max: 1,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    for id in ["alice", "bob"] {
        assert_eq!(world.account(id).add(1).await, Ok(1));
        world.store.damage(
            &PersistenceId::new("account", id),
            statefn::SequenceNumber::new(1),
        );
    }
    world.runtime.crash().await.unwrap();
    for _ in 0..2 {
        for id in ["alice", "bob"] {
            let answer = world.account(id).total().await;
            assert!(
                matches!(answer, Err(CallError::Quarantined(_))),
                "{id}: {answer:?}"
            );
        }
    }
    assert_eq!(world.runtime.admin().quarantined().len(), 1);
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

#[statefn::test]
async fn p8_limits_of_zero_are_answers_too() {
    let defaults = Limits::default;
    let zeroes: [(&str, Limits); 12] = [
        (
            "mailbox",
            Limits {
                mailbox_max: 0,
                ..defaults()
            },
        ),
        (
            "waiting",
            Limits {
                waiting_max: 0,
                ..defaults()
            },
        ),
        (
            "waiting bytes",
            Limits {
                waiting_bytes_max: 0,
                ..defaults()
            },
        ),
        (
            "speculation",
            Limits {
                speculation_max: 0,
                ..defaults()
            },
        ),
        (
            "speculation bytes",
            Limits {
                speculation_bytes_max: 0,
                ..defaults()
            },
        ),
        (
            "batch",
            Limits {
                batch_max: 0,
                ..defaults()
            },
        ),
        (
            "batch bytes",
            Limits {
                batch_bytes_max: 0,
                ..defaults()
            },
        ),
        (
            "payload",
            Limits {
                payload_bytes_max: 0,
                ..defaults()
            },
        ),
        (
            "snapshot",
            Limits {
                snapshot_bytes_max: 0,
                ..defaults()
            },
        ),
        (
            "keys",
            Limits {
                keys_max: 0,
                ..defaults()
            },
        ),
        (
            "residents",
            Limits {
                residents_max: 0,
                ..defaults()
            },
        ),
        (
            "recoveries",
            Limits {
                recoveries_max: 0,
                ..defaults()
            },
        ),
    ];
    for (what, limits) in zeroes {
        let world = World::with(limits).await;
        let alice = world.account("alice");
        for n in 0..5 {
            let mut call = Box::pin(alice.add(1).with_key(format!("k{n}")).into_future());
            let mut answer = crate::kit::poll(&mut call);
            if answer.is_none() {
                settle().await;
                answer = crate::kit::poll(&mut call);
            }
            assert!(answer.is_some(), "{what}: call {n} hangs");
        }
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p8_limits_without_bounds_are_fine() {
    let limits = Limits {
        mailbox_max: usize::MAX,
        waiting_max: usize::MAX,
        waiting_bytes_max: usize::MAX,
        speculation_max: usize::MAX,
        speculation_bytes_max: usize::MAX,
        batch_max: usize::MAX,
        batch_bytes_max: usize::MAX,
        payload_bytes_max: usize::MAX,
        snapshot_bytes_max: usize::MAX,
        events_max: usize::MAX,
        keys_max: usize::MAX,
        residents_max: usize::MAX,
        recoveries_max: usize::MAX,
        quarantined_max: usize::MAX,
        call_timeout: Duration::MAX,
        passivate_after: Duration::MAX,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(
        alice
            .add(1)
            .with_deadline(Duration::MAX)
            .with_key("k")
            .await,
        Ok(1)
    );
    world.pass(Duration::from_secs(3)).await;
    assert_eq!(alice.total().await, Ok(1));
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
