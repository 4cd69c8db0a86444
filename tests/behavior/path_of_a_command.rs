//! The path of a command to an entity in memory: no task, no timer; time and tasks come through
//! the one trait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use statefn::env::{BoxFuture, Env};
use statefn::store::{Memory, Sqlite};
use statefn::testing::VirtualClock;
use statefn::{Runtime, Timestamp};
use statefn_store::testing::{Call, Faulty};

use crate::account::Account;

/// Counts what the runtime asks for.
#[derive(Clone, Debug, Default)]
struct Counting {
    clock: VirtualClock,
    tasks: Arc<AtomicUsize>,
    timers: Arc<AtomicUsize>,
}

impl Counting {
    /// Tasks and timers since the last time this was asked.
    fn take(&self) -> [usize; 2] {
        [&self.tasks, &self.timers].map(|count| count.swap(0, Ordering::SeqCst))
    }
}

impl Env for Counting {
    fn now(&self) -> Duration {
        Env::now(&self.clock)
    }

    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture {
        self.timers.fetch_add(1, Ordering::SeqCst);
        self.clock.sleep(duration)
    }

    fn spawn(&self, task: BoxFuture) {
        self.tasks.fetch_add(1, Ordering::SeqCst);
        self.clock.spawn(task);
    }
}

async fn start(store: &Faulty, env: &Counting) -> Runtime {
    let builder = Runtime::builder().store(store.clone()).env(env.clone());
    builder.only::<(Account,)>().build().await.unwrap()
}

#[statefn::test]
async fn a_command_to_an_entity_in_memory_needs_no_task_and_no_timer() {
    let env = Counting::default();
    let runtime = start(&Faulty::new(Memory::new()), &env).await;
    crate::kit::settle().await;
    assert_eq!(
        env.take(),
        [3, 2],
        "the caretaker, the timekeeper, and a look into the outbox"
    );
    for n in 0..100 {
        let account = runtime.entity::<Account>(format!("account {n}"));
        for total in 1..=10 {
            assert_eq!(account.add(1).await, Ok(total));
            assert_eq!(account.total().await, Ok(total));
        }
        assert!(account.panic("no").await.is_err());
        assert_eq!(account.total().await, Ok(10));
        // Tokio lets a task that never yields wait now and then.
        tokio::task::yield_now().await;
    }
    assert_eq!(env.take(), [0, 0], "not even recoveries, on this store");
    let deadline = Duration::from_secs(1);
    let account = runtime.entity::<Account>("account 0");
    assert_eq!(account.add(1).with_deadline(deadline).await, Ok(11));
    assert_eq!(env.take(), [0, 1], "a deadline is a timer");
}

#[statefn::test]
async fn on_a_store_that_waits_a_task_is_for_a_batch_not_for_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let store = Faulty::new(Sqlite::open(folder.path().join("store.db")).unwrap());
    let env = Counting::default();
    let runtime = start(&store, &env).await;
    let account = runtime.entity::<Account>("alice");
    assert_eq!(account.total().await, Ok(0));
    crate::kit::settle().await;
    env.take();
    let hold = store.hold(Call::Commit);
    let calls: Vec<_> = (0..500)
        .map(|_| crate::kit::pending(account.add(1)))
        .collect();
    hold.release();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(store.count(Call::Commit), 2, "the first, and all others");
    assert_eq!(env.take(), [2, 0]);
    for _ in 0..500 {
        account.total().await.unwrap();
    }
    assert_eq!(env.take(), [0, 0], "a query needs none");
}
