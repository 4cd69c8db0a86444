//! P9: whatever goes away first, the runtime, its references or tokio: everybody has an answer,
//! and the store is let go.

use std::path::Path;
use std::time::Duration;

use statefn::store::{Memory, Sqlite};
use statefn::{OpenError, Persisted, Runtime};
use statefn_store::sqlite::Tuning;
use statefn_store::testing::{Call, Faulty};
use tempfile::tempdir;

use crate::account::{Account, AccountRef};
use crate::kit::{at_once, pending, persisted, poll};
use crate::sleeper::{Sleeper, Stop};

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

async fn on_file(path: &Path) -> Runtime {
    let builder = Runtime::builder().store(open(path));
    builder.only::<(Account,)>().build().await.unwrap()
}

/// Opens the file as soon as nobody holds it: a task may be just about to let it go.
fn open(path: &Path) -> Sqlite {
    // The speed of the machine must not say on which thread a load runs.
    let tuning = Tuning {
        slow_load: Duration::MAX,
        ..Tuning::default()
    };
    for _ in 0..1_000_000 {
        match Sqlite::open_tuned(path, tuning) {
            Err(OpenError::Locked { .. }) => std::thread::yield_now(),
            other => return other.unwrap(),
        }
    }
    panic!("the file is held for ever");
}

fn total_in(path: &Path) -> i64 {
    tokio_runtime().block_on(async {
        let runtime = on_file(path).await;
        let total = runtime.entity::<Account>("alice").total().await.unwrap();
        assert!(runtime.shutdown(Duration::from_secs(5)).await.unwrap());
        total
    })
}

#[test]
fn p9_a_runtime_dropped_inside_tokio_lets_its_file_go() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("store.db");
    let single = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (round, tokio) in [tokio_runtime(), single].into_iter().enumerate() {
        tokio.block_on(async {
            let runtime = on_file(&path).await;
            let alice = runtime.entity::<Account>("alice");
            alice.add(1).await.unwrap();
            drop(alice);
            drop(runtime);
        });
        assert_eq!(total_in(&path), i64::try_from(round).unwrap() + 1);
    }
}

#[test]
fn p9_a_runtime_dropped_outside_tokio_lets_its_file_go() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("store.db");
    let tokio = tokio_runtime();
    let runtime = tokio.block_on(on_file(&path));
    let alice = runtime.entity::<Account>("alice");
    assert_eq!(alice.add(1).wait(), Ok(1));
    drop(runtime);
    assert_eq!(alice.add(1).wait(), Ok(2), "a reference keeps it alive");
    drop(alice);
    assert_eq!(total_in(&path), 2);
}

#[test]
fn p9_tokio_that_ends_first_leaves_answers_and_a_file_that_opens() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("store.db");
    let tokio = tokio_runtime();
    let runtime = tokio.block_on(on_file(&path));
    let (alice, bob) = (
        runtime.entity::<Account>("alice"),
        runtime.entity::<Account>("bob"),
    );
    assert_eq!(alice.add(1).wait(), Ok(1));
    drop(tokio);
    // A short load needs no task. Of what needs one nobody knows: the store is asked, but nobody
    // hears it.
    let write = alice.add(1).wait();
    assert_eq!(persisted(&write), Persisted::Unknown);
    assert_eq!(bob.total().wait(), Ok(0));
    drop((alice, bob, runtime));
    let total = total_in(&path);
    assert!((1..=2).contains(&total), "{total}");
}

#[test]
fn p9_calls_under_way_outlive_the_runtime_that_they_were_sent_to() {
    tokio_runtime().block_on(async {
        let store = Faulty::new(Memory::new());
        let builder = Runtime::builder().store(store.clone());
        let runtime = builder.only::<(Account,)>().build().await.unwrap();
        let alice = runtime.entity::<Account>("alice");
        let loads = store.hold(Call::Load);
        let commits = store.hold(Call::Commit);
        let calls: Vec<_> = (0..200).map(|_| pending(alice.add(1))).collect();
        drop((alice, runtime));
        loads.release();
        commits.release();
        for (n, call) in (1..).zip(calls) {
            assert_eq!(call.await, Ok(n));
        }
    });
}

#[test]
fn p9_a_long_queue_is_answered_when_tokio_is_gone() {
    const CALLS: usize = 300;
    let tokio = tokio_runtime();
    let runtime = tokio.block_on(async {
        let builder = Runtime::builder().only::<(Account, Sleeper)>().shards(1);
        builder.build().await.unwrap()
    });
    let id = "stuck while tokio ends";
    let sleeper = runtime.entity::<Sleeper>(id);
    let alice: AccountRef = runtime.entity::<Account>("alice");
    assert_eq!(sleeper.waited().wait(), Ok(0));
    assert_eq!(alice.total().wait(), Ok(0));
    let stop = Stop::prepare(id);
    let stuck = std::thread::spawn(move || sleeper.wait_here().wait());
    stop.reached();
    // More than one visitor may run: the rest goes to a task, and there are none any more.
    let mut calls: Vec<_> = (0..CALLS)
        .map(|_| Box::pin(alice.add(1).into_future()))
        .collect();
    for call in &mut calls {
        assert!(poll(call).is_none(), "the shard is busy");
    }
    drop(tokio);
    stop.let_go();
    assert_eq!(stuck.join().unwrap(), Ok(1));
    let mut done = 0;
    for call in &mut calls {
        match poll(call).expect("an answer, not a hang") {
            Ok(total) => {
                done += 1;
                assert_eq!(total, done);
            }
            Err(error) => assert_eq!(error.persisted(), Persisted::No, "{error:?}"),
        }
    }
    assert_eq!(at_once(alice.total()), Ok(done));
    assert_eq!(
        alice.add(1).wait(),
        Ok(done + 1),
        "what needs no task goes on"
    );
}

/// A waker that panics.
struct Bad;

impl std::task::Wake for Bad {
    fn wake(self: std::sync::Arc<Self>) {
        panic!("not now");
    }
}

#[statefn::test]
async fn p9_a_waker_that_panics_harms_nobody_else() {
    let store = Faulty::new(Memory::new());
    let builder = Runtime::builder().store(store.clone());
    let runtime = builder
        .only::<(Account,)>()
        .shards(1)
        .build()
        .await
        .unwrap();
    let (alice, bob) = (
        runtime.entity::<Account>("alice"),
        runtime.entity::<Account>("bob"),
    );
    assert_eq!((alice.total().await, bob.total().await), (Ok(0), Ok(0)));
    let commits = store.hold(Call::Commit);
    let mut bad = Box::pin(alice.add(1).into_future());
    let waker = std::sync::Arc::new(Bad).into();
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(bad.as_mut().poll(&mut cx).is_pending());
    let filling = pending(bob.add(1));
    commits.release();
    assert_eq!(filling.await, Ok(1));
    assert_eq!(poll(&mut bad), Some(Ok(1)));
    assert_eq!(alice.add(1).await, Ok(2));
}
