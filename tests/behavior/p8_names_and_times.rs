//! P8: the limits of names, headers, waiting bytes and idle time, at the limit and one above; and
//! the defaults are those that README states.

use std::time::Duration;

use statefn::{CallError, Limits, Overload};
use statefn_store::testing::Call;

use crate::kit::{World, at_once, millis, overloaded, pending, settle};

#[statefn::test]
async fn p8_bytes_of_an_id_and_of_a_key() {
    let limits = Limits {
        id_bytes_max: 5,
        key_bytes_max: 3,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    assert_eq!(world.account("alice").add(1).with_key("key").await, Ok(1));
    let (what, bytes, limit) = ("entity id", 6, 5);
    assert_eq!(
        world.account("alice!").add(1).await,
        Err(CallError::TooLarge { what, bytes, limit })
    );
    let (what, bytes, limit) = ("key", 4, 3);
    assert_eq!(
        world.account("alice").add(1).with_key("keys").await,
        Err(CallError::TooLarge { what, bytes, limit })
    );
    assert_eq!(world.account("alice").total().await, Ok(1));
}

#[statefn::test]
async fn p8_bytes_of_all_headers_together() {
    let limits = Limits {
        payload_bytes_max: 100,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    // One header: a count, and two texts with a length of a byte each.
    let fits = "x".repeat(100 - 3 - "name".len());
    let write = alice.add(1).with_metadata("name", fits.as_str());
    assert_eq!(write.await, Ok(1));
    let write = alice.add(1).with_metadata("name", fits.clone() + "x");
    let (what, bytes, limit) = ("the metadata", 101, 100);
    assert_eq!(write.await, Err(CallError::TooLarge { what, bytes, limit }));
    let write = alice
        .add(1)
        .with_metadata("name", fits)
        .with_metadata("n", "");
    assert!(matches!(write.await, Err(CallError::TooLarge { .. })));
    assert_eq!(alice.total().await, Ok(1));
}

#[statefn::test]
async fn p8_bytes_that_wait_to_the_byte() {
    // What one waiting note takes, found by trying.
    let takes = |limit| async move {
        let limits = Limits {
            waiting_bytes_max: limit,
            ..Limits::default()
        };
        let world = World::with(limits).await;
        let alice = world.account("alice");
        let _hold = world.store.hold(Call::Load);
        let mut call = Box::pin(alice.note("x".repeat(5_000)).into_future());
        crate::kit::poll(&mut call).is_none()
    };
    let (mut refused, mut taken) = (5_000, 20_000);
    while taken - refused > 1 {
        let middle = usize::midpoint(refused, taken);
        if takes(middle).await {
            taken = middle;
        } else {
            refused = middle;
        }
    }
    // Two of them fit into twice as much, and not into one byte less.
    for (limit, fits) in [(2 * taken, true), (2 * taken - 1, false)] {
        let limits = Limits {
            waiting_bytes_max: limit,
            ..Limits::default()
        };
        let world = World::with(limits).await;
        let (alice, bob) = (world.account("alice"), world.account("bob"));
        let hold = world.store.hold(Call::Load);
        let first = pending(alice.note("x".repeat(5_000)));
        if fits {
            let second = pending(bob.note("x".repeat(5_000)));
            hold.release();
            assert_eq!(second.now().await, Ok(()));
        } else {
            let second = at_once(bob.note("x".repeat(5_000)));
            assert_eq!(second, overloaded(Overload::WaitingBytes));
            hold.release();
        }
        assert_eq!(first.now().await, Ok(()));
        world.assert_quiet().await;
    }
}

#[statefn::test]
async fn p8_idle_time() {
    let limits = Limits {
        passivate_after: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    settle().await;
    assert_eq!((alice.add(1).await, bob.add(1).await), (Ok(1), Ok(1)));
    world.pass(Duration::from_secs(3)).await;
    assert_eq!(alice.total().await, Ok(1), "used again");
    world.pass(Duration::from_secs(2) + millis(250)).await;
    assert_eq!(world.runtime.admin().residents(), 1, "bob has left");
    // Never while something is uncommitted.
    let hold = world.store.hold(Call::Commit);
    let write = pending(alice.add(1));
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.runtime.admin().residents(), 1);
    hold.release();
    assert_eq!(write.now().await, Ok(2));
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(world.runtime.admin().residents(), 0);
    assert_eq!((alice.total().await, bob.total().await), (Ok(2), Ok(1)));
}

#[statefn::test]
async fn p8_a_crash_forgets_what_only_memory_knew() {
    let world = World::new().await;
    let alice = world.account("alice");
    for _ in 0..5 {
        assert!(alice.panic("again").await.is_err());
    }
    assert_eq!(alice.total().await, overloaded(Overload::Panics));
    let id = statefn::PersistenceId::new("account", "bob");
    assert_eq!(world.account("bob").add(1).await, Ok(1));
    world.store.damage(&id, statefn::SequenceNumber::new(1));
    world.runtime.crash().await.unwrap();
    assert!(world.account("bob").total().await.is_err());
    world.store.heal();
    assert!(
        world.account("bob").total().await.is_err(),
        "until released"
    );

    world.runtime.crash().await.unwrap();
    assert_eq!(alice.total().await, Ok(0));
    assert!(world.runtime.admin().quarantined().is_empty());
    assert_eq!(world.account("bob").total().await, Ok(1));
}

#[test]
fn p8_the_defaults_are_those_of_readme() {
    let readme = include_str!("../../README.md");
    let (_, table) = readme.split_once("## Limits").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let stated = |row: &str| -> Vec<usize> {
        let line = table.lines().find(|line| line.contains(row)).unwrap();
        let words = line.rsplit('|').nth(1).unwrap().replace(',', "");
        let mut numbers: Vec<usize> = Vec::new();
        for word in words.split([' ', ';']) {
            match word {
                "MiB" => *numbers.last_mut().unwrap() <<= 20,
                word => numbers.extend(word.parse::<usize>()),
            }
        }
        numbers
    };
    let limits = Limits::default();
    let rows = [
        ("commands waiting", vec![limits.mailbox_max]),
        (
            "calls waiting",
            vec![limits.waiting_max, limits.waiting_bytes_max],
        ),
        (
            "uncommitted commands",
            vec![limits.speculation_max, limits.speculation_bytes_max],
        ),
        ("one batch", vec![limits.batch_max, limits.batch_bytes_max]),
        (
            "an event, reply",
            vec![limits.payload_bytes_max, limits.snapshot_bytes_max],
        ),
        ("events of one command", vec![limits.events_max]),
        (
            "an entity id",
            vec![1, limits.id_bytes_max, 1, limits.key_bytes_max],
        ),
        ("unexpired keys", vec![limits.keys_max]),
        (
            "entities in memory",
            vec![limits.residents_max, limits.recoveries_max],
        ),
    ];
    for (row, expected) in rows {
        assert_eq!(stated(row), expected, "{row}");
    }
    assert_eq!(limits.call_timeout, Duration::from_secs(30));
    assert!(table.contains("| a call without a deadline | 30 s |"));
}
