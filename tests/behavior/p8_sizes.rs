//! P8: what is stored has a largest size, and what is larger leaves nothing.

use statefn::store::Store;
use statefn::{CallError, Limits};

use crate::account::Refusal;
use crate::kit::World;

/// The text whose event has exactly this many bytes, between 254 and 65,538.
fn text_for_event(bytes: usize) -> String {
    "x".repeat(bytes - 3)
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
async fn p8_a_key_of_a_command_that_writes_too_much_stays_free() {
    let limits = Limits {
        batch_bytes_max: 400,
        snapshot_bytes_max: 100,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let alice = world.account("alice");
    assert_eq!(alice.total().await, Ok(0));
    for _ in 0..2 {
        let refused = alice.refuse("x".repeat(500)).with_key("k").await;
        assert!(
            matches!(refused, Err(CallError::TooLarge { limit: 500, .. })),
            "{refused:?}"
        );
        let written = alice.note_often("x".repeat(100), 5).with_key("k").await;
        assert!(
            matches!(written, Err(CallError::TooLarge { limit: 500, .. })),
            "{written:?}"
        );
    }
    assert_eq!(alice.add(1).with_key("k").await, Ok(1));
    assert_eq!(alice.notes().await, Ok(0));
    world.assert_quiet().await;
}
