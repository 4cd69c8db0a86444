//! P8: speculation, batches and recoveries have limits, and no limit makes anything hang.

use std::time::Duration;

use statefn::{Limits, Overload};
use statefn_store::testing::Call;

use crate::account::{Account, AccountRef};
use crate::kit::{World, at_once, overloaded, pending, poll, settle};

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

type SetZero = fn(&mut Limits);

#[statefn::test]
async fn p8_limits_of_zero_are_answers_too() {
    let zeroes: [(&str, SetZero); 12] = [
        ("mailbox", |limits| limits.mailbox_max = 0),
        ("waiting", |limits| limits.waiting_max = 0),
        ("waiting bytes", |limits| limits.waiting_bytes_max = 0),
        ("speculation", |limits| limits.speculation_max = 0),
        ("speculation bytes", |limits| {
            limits.speculation_bytes_max = 0;
        }),
        ("batch", |limits| limits.batch_max = 0),
        ("batch bytes", |limits| limits.batch_bytes_max = 0),
        ("payload", |limits| limits.payload_bytes_max = 0),
        ("snapshot", |limits| limits.snapshot_bytes_max = 0),
        ("keys", |limits| limits.keys_max = 0),
        ("residents", |limits| limits.residents_max = 0),
        ("recoveries", |limits| limits.recoveries_max = 0),
    ];
    for (what, set_zero) in zeroes {
        let mut limits = Limits::default();
        set_zero(&mut limits);
        let world = World::with(limits).await;
        let alice = world.account("alice");
        for n in 0..5 {
            let mut call = Box::pin(alice.add(1).with_key(format!("k{n}")).into_future());
            let mut answer = poll(&mut call);
            if answer.is_none() {
                settle().await;
                answer = poll(&mut call);
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
