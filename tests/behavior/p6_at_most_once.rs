//! P6: a command sent with a key takes effect at most once within its retention.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use statefn::prelude::*;
use statefn::store::Memory;
use statefn::{CallError, Persisted};
use statefn_store::testing::{Call, CommitFault, Faulty};

use crate::account::{Account, Refusal};
use crate::kit::{World, millis, pending, persisted};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[statefn::test]
async fn p6_a_duplicate_of_a_finished_command_answers_what_the_first_did() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.add(1).await, Ok(6));
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.moves().await, Ok(vec![5, 1]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_a_duplicate_attaches_to_a_command_under_way_and_runs_once() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let calls: Vec<_> = (0..10)
        .map(|_| pending(alice.add(5).with_key("k")))
        .collect();
    hold.release();
    for call in calls {
        assert_eq!(call.now().await, Ok(5));
    }
    assert_eq!(alice.moves().await, Ok(vec![5]));
    assert_eq!(world.journal("alice").await.len(), 1);
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_a_duplicate_that_waits_for_recovery_with_the_first_runs_once() {
    let world = World::new().await;
    let alice = world.account("alice");
    let hold = world.store.hold(Call::Load);
    let calls: Vec<_> = (0..10)
        .map(|_| pending(alice.add(5).with_key("k")))
        .collect();
    hold.release();
    for call in calls {
        assert_eq!(call.now().await, Ok(5));
    }
    assert_eq!(alice.moves().await, Ok(vec![5]));
}

#[statefn::test]
async fn p6_keys_outlive_a_crash() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.add(-9).with_key("r").await, refused(5));
    for _ in 0..3 {
        world.runtime.crash().await.unwrap();
        assert_eq!(alice.add(5).with_key("k").await, Ok(5));
        assert_eq!(alice.add(-9).with_key("r").await, refused(5));
    }
    assert_eq!(alice.moves().await, Ok(vec![5]));
}

fn refused(total: i64) -> Result<i64, CallError<Refusal>> {
    Err(CallError::Rejected(Refusal::Overdrawn { total }))
}

#[statefn::test]
async fn p6_keys_outlive_passivation() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    world.pass(Duration::from_secs(601)).await;
    assert_eq!(world.runtime.admin().residents(), 0);
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.moves().await, Ok(vec![5]));
}

#[statefn::test]
async fn p6_a_rejection_is_remembered_even_if_it_would_succeed_now() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(-9).with_key("k").await, refused(0));
    assert_eq!(alice.add(10).await, Ok(10));
    assert_eq!(alice.add(-9).with_key("k").await, refused(0));
    assert_eq!(alice.moves().await, Ok(vec![10]));
}

#[statefn::test]
async fn p6_another_command_under_a_used_key_is_an_error() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    for _ in 0..2 {
        let other_arguments = alice.add(6).with_key("k").await;
        assert_eq!(
            other_arguments,
            Err(CallError::KeyReused { key: "k".into() })
        );
        let other_command = alice.look().with_key("k").await;
        assert_eq!(other_command, Err(CallError::KeyReused { key: "k".into() }));
        assert_eq!(alice.add(5).with_key("k").await, Ok(5));
        world.runtime.crash().await.unwrap();
    }
}

#[statefn::test]
async fn p6_a_key_belongs_to_one_entity() {
    let world = World::new().await;
    assert_eq!(world.account("alice").add(5).with_key("k").await, Ok(5));
    assert_eq!(world.account("bob").add(7).with_key("k").await, Ok(7));
}

#[statefn::test]
async fn p6_the_key_of_a_command_that_was_not_applied_is_free() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert!(alice.panic("not today").with_key("k").await.is_err());
    assert!(alice.curse().with_key("k").await.is_err());
    world.store.next_commits([CommitFault::Unavailable]);
    assert_eq!(persisted(&alice.add(3).with_key("k").await), Persisted::No);
    let late = alice
        .add(2)
        .with_key("k")
        .with_deadline(Duration::ZERO)
        .await;
    assert_eq!(late, Err(CallError::Timeout));
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.moves().await, Ok(vec![5]));
}

#[statefn::test]
async fn p6_a_retry_after_an_unknown_outcome_is_safe() {
    for (fault, after) in [
        (CommitFault::UnknownApplied, 5),
        (CommitFault::UnknownNotApplied, 0),
    ] {
        let world = World::new().await;
        let alice = world.account("alice");
        world.store.next_commits([fault]);
        let first = alice.add(5).with_key("k").await;
        assert_eq!(persisted(&first), Persisted::Unknown);
        assert_eq!(alice.total().await, Ok(after));
        world.runtime.crash().await.unwrap();
        assert_eq!(alice.add(5).with_key("k").await, Ok(5));
        assert_eq!(alice.moves().await, Ok(vec![5]));
    }
}

#[statefn::test]
async fn p6_a_retry_while_the_first_commit_is_lost_is_safe() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    // The commit is applied, but the runtime crashes before it hears of it.
    let hold = world.store.hold_answer(Call::Commit);
    let first = pending(alice.add(5).with_key("k"));
    hold.reached(1).await;
    world.runtime.crash().await.unwrap();
    hold.release();
    assert_eq!(persisted(&first.now().await), Persisted::Unknown);
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    assert_eq!(alice.moves().await, Ok(vec![5]));
}

#[statefn::test]
async fn p6_a_commit_that_arrives_after_a_crash_is_fenced_off() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first = pending(alice.add(5).with_key("k"));
    hold.reached(1).await;
    world.runtime.crash().await.unwrap();
    // The retry overtakes the first, which is still on its way to the store.
    let retry = pending(alice.add(5).with_key("k"));
    hold.release();
    assert_eq!(persisted(&first.now().await), Persisted::Unknown);
    assert_eq!(retry.now().await, Ok(5));
    assert_eq!(alice.moves().await, Ok(vec![5]));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_a_key_expires_after_its_retention_and_not_before() {
    for reload in [false, true] {
        let world = World::new().await;
        let alice = world.account("alice");
        assert_eq!(alice.add(5).with_key("k").await, Ok(5));
        world.clock.advance(DAY);
        if reload {
            world.runtime.crash().await.unwrap();
        }
        assert_eq!(
            alice.add(5).with_key("k").await,
            Ok(5),
            "to the millisecond"
        );
        world.clock.advance(millis(1));
        if reload {
            world.runtime.crash().await.unwrap();
        }
        assert_eq!(alice.add(5).with_key("k").await, Ok(10), "a new command");
        assert_eq!(alice.add(5).with_key("k").await, Ok(10));
        assert_eq!(alice.moves().await, Ok(vec![5, 5]));
    }
}

#[statefn::test]
async fn p6_a_key_used_again_after_its_retention_counts_from_then() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(5).with_key("k").await, Ok(5));
    world.clock.advance(DAY + millis(1));
    assert_eq!(
        alice.add(7).with_key("k").await,
        Ok(12),
        "even another command"
    );
    world.clock.advance(DAY);
    assert_eq!(alice.add(7).with_key("k").await, Ok(12));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.add(7).with_key("k").await, Ok(12));
    world.clock.advance(millis(1));
    assert_eq!(alice.add(7).with_key("k").await, Ok(19));
}

#[statefn::test]
async fn p6_keys_beyond_the_memory_limit_are_found_in_the_store() {
    let limits = Limits {
        keys_max: 4,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    for n in 0..50 {
        let key = format!("k{n}");
        assert_eq!(alice.add(1).with_key(key).await, Ok(n + 1));
    }
    for reload in [false, true] {
        if reload {
            world.runtime.crash().await.unwrap();
        }
        for n in 0..50 {
            let key = format!("k{n}");
            assert_eq!(alice.add(1).with_key(key).await, Ok(n + 1), "key {n}");
        }
    }
    assert_eq!(alice.total().await, Ok(50));
    // A key that was never used is asked for in vain, and runs.
    assert_eq!(alice.add(1).with_key("new").await, Ok(51));
    world.assert_quiet().await;
}

#[statefn::test]
async fn p6_keys_beyond_the_memory_limit_expire_too() {
    let limits = Limits {
        keys_max: 4,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    for n in 0..20 {
        let key = format!("k{n}");
        assert_eq!(alice.add(1).with_key(key).await, Ok(n + 1));
    }
    world.clock.advance(DAY + millis(1));
    assert_eq!(alice.add(1).with_key("k0").await, Ok(21));
    assert_eq!(alice.add(1).with_key("k0").await, Ok(21));
    assert_eq!(alice.add(1).with_key("k19").await, Ok(22));
}

#[statefn::test]
async fn p6_many_keys_under_way_at_once_are_all_remembered() {
    let limits = Limits {
        keys_max: 4,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first: Vec<_> = (0..30)
        .map(|n| pending(alice.add(1).with_key(format!("k{n}"))))
        .collect();
    let again: Vec<_> = (0..30)
        .map(|n| pending(alice.add(1).with_key(format!("k{n}"))))
        .collect();
    hold.release();
    for (n, call) in (1..).zip(first) {
        assert_eq!(call.now().await, Ok(n));
    }
    for (n, call) in (1..).zip(again) {
        assert_eq!(call.now().await, Ok(n));
    }
    assert_eq!(alice.total().await, Ok(30));
}

#[statefn::test]
async fn p6_a_command_without_events_is_remembered_as_well() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.add(1).await, Ok(1));
    assert_eq!(alice.look().with_key("k").await, Ok(1));
    assert_eq!(alice.add(1).await, Ok(2));
    assert_eq!(alice.look().with_key("k").await, Ok(1));
    world.runtime.crash().await.unwrap();
    assert_eq!(alice.look().with_key("k").await, Ok(1));
    assert_eq!(alice.look().await, Ok(2));
}

#[statefn::test]
async fn p6_a_deadline_of_a_duplicate_does_not_say_not_applied() {
    let world = World::new().await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    let hold = world.store.hold(Call::Commit);
    let first = pending(alice.add(5).with_key("k"));
    let again = pending(alice.add(5).with_key("k").with_deadline(millis(10)));
    world.pass(millis(20)).await;
    assert_eq!(persisted(&again.now().await), Persisted::Unknown);
    hold.release();
    assert_eq!(first.now().await, Ok(5));
}

/// Decodes only while the test says so, like a reply whose type has changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Fickle(u8);

static READABLE: AtomicBool = AtomicBool::new(true);

impl<'de> Deserialize<'de> for Fickle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u8::deserialize(deserializer)?;
        if READABLE.load(Ordering::Relaxed) {
            Ok(Self(value))
        } else {
            Err(serde::de::Error::custom("of another time"))
        }
    }
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
struct Asked;

#[entity(event_sourced, name = "oracle")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Oracle {
    asked: u32,
}

#[entity]
impl Oracle {
    #[command]
    fn ask(&self, ctx: &mut Context<Self>) -> Fickle {
        ctx.emit(Asked);
        Fickle(7)
    }

    #[query]
    fn asked(&self) -> u32 {
        self.asked
    }

    #[event_handler]
    fn apply(&mut self, _: &Asked) {
        self.asked += 1;
    }
}

#[statefn::test]
async fn p6_a_reply_that_no_longer_decodes_is_said_to_be_applied() {
    let store = Faulty::new(Memory::new());
    let world = World::over(store, statefn::Builder::only::<(Oracle, Account)>).await;
    let oracle = world.runtime.entity::<Oracle>("delphi");
    assert_eq!(oracle.ask().with_key("k").await, Ok(Fickle(7)));
    assert_eq!(oracle.ask().with_key("k").await, Ok(Fickle(7)));
    READABLE.store(false, Ordering::Relaxed);
    let answer = oracle.ask().with_key("k").await;
    assert_eq!(answer, Err(CallError::AlreadyApplied { key: "k".into() }));
    assert_eq!(persisted(&answer), Persisted::Yes);
    READABLE.store(true, Ordering::Relaxed);
    assert_eq!(oracle.asked().await, Ok(1));
}
