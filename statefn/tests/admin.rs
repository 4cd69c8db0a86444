//! What operators do: quarantine, release, skip, verify.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of a test; generated references are as public as their entities"
)]

use statefn::admin::SkipError;
use statefn::prelude::*;
use statefn::store::{Batch, Member, Memory, NewEvent, NewSnapshot, OwnerEpoch, Store, Timestamp};
use statefn::{PersistenceId, SequenceNumber};

/// A program that knows both events.
mod newer {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub enum Change {
        Added { amount: i64 },
        Doubled { times: u32 },
    }

    #[entity(event_sourced, name = "account", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Account {
        total: i64,
    }

    #[entity]
    impl Account {
        #[command]
        fn add(&self, ctx: &mut Context<Self>, amount: i64) {
            ctx.emit(Change::Added { amount });
        }

        #[command]
        fn double(&self, ctx: &mut Context<Self>) {
            ctx.emit(Change::Doubled { times: 1 });
        }

        #[query]
        fn total(&self) -> i64 {
            self.total
        }

        #[event_handler]
        fn apply(&mut self, event: &Change) {
            match event {
                Change::Added { amount } => self.total += amount,
                Change::Doubled { times } => self.total *= 1 << times,
            }
        }
    }
}

/// A program that has never heard of one of them.
mod older {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub enum Change {
        Added { amount: i64 },
    }

    #[entity(event_sourced, name = "account", snapshot_every = 0)]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Account {
        total: i64,
    }

    #[entity]
    impl Account {
        #[command]
        fn add(&self, ctx: &mut Context<Self>, amount: i64) {
            ctx.emit(Change::Added { amount });
        }

        #[query]
        fn total(&self) -> i64 {
            self.total
        }

        #[event_handler]
        fn apply(&mut self, event: &Change) {
            let Change::Added { amount } = event;
            self.total += amount;
        }
    }
}

async fn store_with_a_doubled_account() -> Memory {
    let store = Memory::new();
    let runtime = Runtime::builder()
        .store(store.clone())
        .only::<(newer::Account,)>()
        .build()
        .await
        .unwrap();
    let account = runtime.entity::<newer::Account>("a");
    account.add(5).await.unwrap();
    account.double().await.unwrap();
    account.add(1).await.unwrap();
    assert_eq!(account.total().await, Ok(11));
    runtime.entity::<newer::Account>("b").add(3).await.unwrap();
    runtime
        .shutdown(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    store
}

async fn older_program(store: Memory) -> Runtime {
    Runtime::builder()
        .store(store)
        .only::<(older::Account,)>()
        .build()
        .await
        .unwrap()
}

#[statefn::test]
async fn p10_an_unknown_event_stops_its_entity_until_an_operator_skips_it() {
    let store = store_with_a_doubled_account().await;
    let runtime = older_program(store.clone()).await;
    let admin = runtime.admin();
    let account = runtime.entity::<older::Account>("a");

    let Err(CallError::Quarantined(quarantine)) = account.total().await else {
        panic!("an unknown event was skipped in silence");
    };
    assert_eq!(quarantine.sequence, SequenceNumber::new(2));
    assert!(quarantine.reason.contains("Doubled") || quarantine.reason.contains("doubled"));
    assert_eq!(runtime.entity::<older::Account>("b").total().await, Ok(3));
    assert_eq!(admin.quarantined().len(), 1);

    let first = SequenceNumber::new(1);
    assert!(matches!(
        admin.skip("account", "a", first, "wrong one").await,
        Err(SkipError::AnotherEvent { at, .. }) if at.get() == 2
    ));
    assert!(matches!(
        admin.skip("account", "b", first, "healthy").await,
        Err(SkipError::NotQuarantined { .. })
    ));
    let second = SequenceNumber::new(2);
    assert!(matches!(
        admin.skip("account", "a", second, "").await,
        Err(SkipError::Reason { bytes: 0, .. })
    ));
    admin
        .skip("account", "a", second, "never doubled")
        .await
        .unwrap();

    assert_eq!(account.total().await, Ok(6));
    account.add(4).await.unwrap();
    runtime.crash().await.unwrap();
    assert_eq!(
        account.total().await,
        Ok(10),
        "the decision outlives a crash"
    );
    assert!(admin.quarantined().is_empty());
}

#[statefn::test]
async fn p10_a_released_entity_is_quarantined_again_while_the_cause_remains() {
    let runtime = older_program(store_with_a_doubled_account().await).await;
    let account = runtime.entity::<older::Account>("a");
    assert!(matches!(
        account.total().await,
        Err(CallError::Quarantined(_))
    ));
    assert!(runtime.admin().release("account", "a"));
    assert!(!runtime.admin().release("account", "a"));
    assert!(matches!(
        account.total().await,
        Err(CallError::Quarantined(_))
    ));
}

#[statefn::test]
async fn p10_verify_names_events_that_do_not_decode() {
    let runtime = older_program(store_with_a_doubled_account().await).await;
    let seen = runtime.admin().verify().await.unwrap();
    assert_eq!((seen.entities, seen.entries, seen.replayed), (2, 4, 2));
    assert_eq!(seen.faults.len(), 1, "{:?}", seen.faults);
    assert_eq!(seen.faults[0].id, Some(PersistenceId::new("account", "a")));
    assert!(seen.faults[0].what.contains("sequence number 2"));
}

/// The same entity with snapshots.
mod snapshots {
    use serde::{Deserialize, Serialize};
    use statefn::prelude::*;

    #[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
    pub enum Change {
        Added { amount: i64 },
    }

    #[entity(
        event_sourced,
        name = "tally",
        snapshot_every = 2,
        codec = "json",
        shape = "v1"
    )]
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub struct Tally {
        total: i64,
    }

    #[entity]
    impl Tally {
        #[command]
        fn add(&self, ctx: &mut Context<Self>, amount: i64) {
            ctx.emit(Change::Added { amount });
        }

        #[event_handler]
        fn apply(&mut self, event: &Change) {
            let Change::Added { amount } = event;
            self.total += amount;
        }
    }
}

#[statefn::test]
async fn p7_verify_names_a_snapshot_that_its_events_do_not_lead_to() {
    let store = Memory::new();
    let runtime = Runtime::builder()
        .store(store.clone())
        .only::<(snapshots::Tally,)>()
        .build()
        .await
        .unwrap();
    for id in ["right", "wrong"] {
        let tally = runtime.entity::<snapshots::Tally>(id);
        tally.add(2).await.unwrap();
        tally.add(3).await.unwrap();
    }
    let clean = runtime.admin().verify().await.unwrap();
    assert!(clean.is_clean(), "{:?}", clean.faults);
    assert_eq!((clean.snapshots, clean.compared), (2, 2));

    // A snapshot that lies, as a bug of an earlier release might have left it.
    let epoch = store.claim().await.unwrap();
    plant_snapshot(&store, epoch, br#"{"total":999}"#).await;
    let seen = runtime.admin().verify().await.unwrap();
    assert_eq!(seen.faults.len(), 1, "{:?}", seen.faults);
    assert_eq!(
        seen.faults[0].id,
        Some(PersistenceId::new("tally", "wrong"))
    );
    assert!(
        seen.faults[0].what.contains("sequence number 3"),
        "{}",
        seen.faults[0]
    );
}

async fn plant_snapshot(store: &Memory, epoch: OwnerEpoch, payload: &[u8]) {
    let id = PersistenceId::new("tally", "wrong");
    let mut member = Member::new(id, SequenceNumber::new(2), Timestamp::from_millis(0));
    member.events = vec![NewEvent {
        name: "Added".into(),
        version: 1,
        codec: 2,
        payload: br#"{"amount":1}"#.to_vec(),
    }];
    member.snapshot = Some(NewSnapshot {
        shape: statefn::shape::Shape::named("v1", statefn::codec::Codec::Json).hash(),
        codec: 2,
        payload: payload.to_vec(),
    });
    let members = vec![member];
    let outcomes = store.commit(Batch { epoch, members }).await.unwrap();
    assert_eq!(outcomes.len(), 1);
}
