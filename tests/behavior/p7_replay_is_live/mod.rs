//! P7: state rebuilt from snapshot and events equals the state in memory.
//!
//! Random commands on a few entities, with a store that fails, crashes, restarts and entities that
//! leave memory. The truth is the journal: after every step the state in memory must be what a
//! plain model makes of the events in there, every answer must be true of it, and so must the
//! state that comes out of a recovery, with the snapshots or without.

mod check;
mod disk;
pub(crate) mod ledger;
mod model;
mod script;
mod stage;

use proptest::prelude::*;

use ledger::{Kind, always, json, never, second, third};
use script::Step;
use stage::Stage;

fn replay_is_live<K: Kind>(steps: &[Step], disk: disk::Disk) {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio.block_on(async {
        let mut stage = Stage::<K>::open(disk).await;
        for step in steps {
            stage.play(step).await;
            stage.check().await;
        }
        stage.close().await;
    });
}

macro_rules! in_memory {
    ($($test:ident: $ledger:ident,)*) => {
        proptest! {
            #![proptest_config(ProptestConfig {
                cases: 40,
                failure_persistence: None,
                ..ProptestConfig::default()
            })]
            $(
                #[test]
                fn $test(steps in script::steps(30)) {
                    replay_is_live::<$ledger::Ledger>(&steps, disk::Disk::memory());
                }
            )*
        }
    };
}

in_memory! {
    p7_replay_is_live_with_a_snapshot_for_every_event: always,
    p7_replay_is_live_with_a_snapshot_for_every_second_event: second,
    p7_replay_is_live_with_a_snapshot_for_every_third_event: third,
    p7_replay_is_live_without_snapshots: never,
    p7_replay_is_live_in_json: json,
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn p7_replay_is_live_on_sqlite(steps in script::steps(24)) {
        replay_is_live::<third::Ledger>(&steps, disk::Disk::sqlite());
    }
}
