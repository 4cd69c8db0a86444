//! Whatever is sent, frozen, delayed and crashed in whatever order: no cent appears or disappears.

use std::time::Duration;

use proptest::prelude::*;
use statefn::prelude::*;
use statefn::testing::VirtualClock;

use crate::account::{Account, PATIENCE};
use crate::ledger::{Ledger, NAMES};

/// What happens to a bank.
#[derive(Clone, Debug)]
enum Step {
    Send {
        from: usize,
        to: usize,
        cents: u64,
    },
    Freeze {
        who: usize,
        is_frozen: bool,
    },
    /// Tasks run, so many turns: effects are on their way, or there.
    Turns(usize),
    /// Time passes.
    Pass(u64),
    /// Everything in memory is gone.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..NAMES.len();
    prop_oneof![
        4 => (who(), who(), 0_u64..80).prop_map(|(from, to, cents)| Step::Send { from, to, cents }),
        1 => (who(), any::<bool>()).prop_map(|(who, is_frozen)| Step::Freeze { who, is_frozen }),
        3 => (0_usize..6).prop_map(Step::Turns),
        2 => (0_u64..90).prop_map(Step::Pass),
        2 => Just(Step::Crash),
    ]
}

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// Runs the steps, and looks at the money after each.
async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    const EACH: u64 = 100;
    const TOTAL: u64 = EACH * NAMES.len() as u64;
    let clock = VirtualClock::new();
    let builder = Runtime::builder().env(clock.clone());
    let runtime = builder.only::<(Account,)>().build().await;
    let runtime = runtime.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let account = |who: usize| runtime.entity::<Account>(NAMES[who]);
    for who in 0..NAMES.len() {
        account(who).deposit(EACH).await.unwrap();
    }
    for (number, step) in steps.into_iter().enumerate() {
        let shown = format!("{step:?}");
        match step {
            Step::Send { from, to, cents } => {
                let call = account(from).send(number.to_string(), NAMES[to], cents);
                let sent = call.with_key(number.to_string()).await;
                prop_assert!(
                    matches!(sent, Ok(()) | Err(CallError::Rejected(_))),
                    "{sent:?}"
                );
            }
            Step::Freeze { who, is_frozen } => account(who).freeze(is_frozen).await.unwrap(),
            Step::Turns(count) => turns(count).await,
            Step::Pass(seconds) => clock.advance(Duration::from_secs(seconds)),
            Step::Crash => runtime.crash().await.unwrap(),
        }
        let ledger = Ledger::read(&runtime).await.unwrap();
        prop_assert_eq!(ledger.sum(), TOTAL, "after {}: {}", shown, ledger);
    }
    // What was refused comes back.
    for _ in 0..3 {
        runtime.settle().await;
        clock.advance(PATIENCE);
    }
    prop_assert_eq!(runtime.settle().await, 0);
    let ledger = Ledger::read(&runtime).await.unwrap();
    prop_assert_eq!((ledger.sum(), ledger.in_flight), (TOTAL, 0));
    prop_assert!(
        runtime
            .admin()
            .dead_letters(statefn::store::OutboxNumber::ZERO, 1)
            .await
            .unwrap()
            .is_empty()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_cent_appears_or_disappears_whatever_crashes(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        tokio.block_on(run(steps))?;
    }
}
