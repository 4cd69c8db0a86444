//! P8: memory holds so many entities and not one more.

use statefn::store::PersistenceId;
use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use crate::account::{Account, AccountRef};
use crate::kit::{World, at_once, millis, overloaded, pending, poll, settle};

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
        let refused = poll(&mut refused).expect("an answer, not a hang");
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
