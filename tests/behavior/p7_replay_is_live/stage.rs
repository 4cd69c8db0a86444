//! Plays the script on a runtime.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use statefn::Runtime;
use statefn::store::{Entry, Offset, PersistenceId};
use statefn::testing::VirtualClock;
use statefn_store::testing::{Call, CommitFault, Faulty};

use super::check::{self, Earlier, Spoken};
use super::disk::Disk;
use super::ledger::{Action, Answer, Kind};
use super::model::Truth;
use super::script::{ENTITIES, Keyed, Sent, Step, Then};
use crate::kit::{poll, settle};

pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Long enough that a next panic does not close an entity.
const A_WHILE: Duration = Duration::from_secs(3);

pub(crate) struct Stage<K> {
    disk: Disk,
    store: Faulty,
    runtime: Runtime,
    clock: VirtualClock,
    /// Every keyed command, for those that repeat it.
    keyed: Vec<Spoken>,
    serials: u32,
    kind: PhantomData<K>,
}

impl<K: Kind> Stage<K> {
    pub(crate) async fn open(disk: Disk) -> Self {
        let store = disk.open();
        let clock = VirtualClock::new();
        let runtime = start::<K>(&store, &clock).await;
        Self {
            disk,
            store,
            runtime,
            clock,
            keyed: Vec::new(),
            serials: 0,
            kind: PhantomData,
        }
    }

    pub(crate) async fn play(&mut self, step: &Step) {
        match step {
            Step::Call(sent, fault) => self.call(sent, *fault).await,
            Step::Burst {
                calls,
                faults,
                then,
            } => self.burst(calls, faults, *then).await,
            Step::Crash { load_fails } => self.crash(*load_fails).await,
            Step::Restart { in_order } => self.restart(*in_order).await,
            Step::Idle => {
                // The caretaker sets its alarm first.
                settle().await;
                self.clock.advance(Duration::from_secs(601));
                settle().await;
                assert_eq!(self.runtime.admin().residents(), 0);
            }
            Step::LoseSnapshots => {
                self.store.lose_snapshots();
                self.crash(false).await;
                self.check().await;
                self.store.heal();
            }
        }
    }

    async fn call(&mut self, sent: &Sent, fault: CommitFault) {
        let spoken = self.speak(sent);
        let before = self.truth(spoken.entity).await;
        self.store.next_commits([fault]);
        let answer = self.send(&spoken).await;
        self.store.heal();
        let after = self.truth(spoken.entity).await;
        check::call(&spoken, &before, fault, &answer, &after);
        self.remember(spoken, answer);
    }

    async fn burst(&mut self, calls: &[Sent], faults: &[CommitFault], then: Then) {
        let mut before = Vec::new();
        for entity in 0..ENTITIES {
            before.push(self.truth(entity).await);
        }
        let hold = match then {
            Then::CrashAfter => self.store.hold_answer(Call::Commit),
            Then::Finish | Then::CrashBefore => self.store.hold(Call::Commit),
        };
        self.store.next_commits(faults.iter().copied());
        let mut under_way = Vec::new();
        for sent in calls {
            // Whether another command of this burst leaves a record is not known yet.
            let key = match sent.key {
                Keyed::Reused(_) => Keyed::Fresh,
                key => key,
            };
            let spoken = self.speak(&Sent {
                key,
                ..sent.clone()
            });
            let mut call = self.send(&spoken);
            let answer = poll(&mut call);
            under_way.push((spoken, call, answer));
        }
        if then != Then::Finish {
            settle().await;
            self.runtime.crash().await.unwrap();
        }
        hold.release();
        let mut answered = Vec::new();
        for (spoken, call, answer) in under_way {
            let answer = match answer {
                Some(answer) => answer,
                None => call.await,
            };
            answered.push((spoken, answer));
        }
        settle().await;
        self.store.heal();
        for (entity, before) in before.iter().enumerate() {
            let after = self.truth(entity).await;
            let own = answered
                .iter()
                .filter(|(spoken, _)| spoken.entity == entity);
            check::burst(own, before, &after);
        }
        for (spoken, answer) in answered {
            self.remember(spoken, answer);
        }
    }

    async fn crash(&self, load_fails: bool) {
        self.runtime.crash().await.unwrap();
        if load_fails {
            self.store.fail(Call::Load, 1);
            let refused = K::view(&self.runtime, &id(0)).await;
            assert!(refused.is_err_and(|error| error.is_retryable()));
        }
    }

    async fn restart(&mut self, in_order: bool) {
        if in_order {
            assert!(self.runtime.shutdown(Duration::ZERO).await.unwrap());
        }
        // An empty store stands in, so that the file is let go before it is opened again.
        self.store = Disk::memory().open();
        self.runtime = start::<K>(&self.store, &self.clock).await;
        self.store = self.disk.open();
        self.runtime = start::<K>(&self.store, &self.clock).await;
    }

    /// What is in memory is what the journal amounts to.
    pub(crate) async fn check(&self) {
        for entity in 0..ENTITIES {
            let live = K::view(&self.runtime, &id(entity)).await;
            assert_eq!(live, Ok(self.truth(entity).await.view()), "{}", id(entity));
        }
    }

    /// The last word: with the snapshots, without them, and by the operator's own check.
    pub(crate) async fn close(self) {
        self.crash(false).await;
        self.check().await;
        let verification = self.runtime.admin().verify().await.unwrap();
        assert_eq!(verification.faults, []);
        assert_eq!(verification.compared, verification.snapshots);
        self.store.lose_snapshots();
        self.crash(false).await;
        self.check().await;
        assert_eq!(self.runtime.admin().waiting(), 0);
    }

    /// Gives a command its number and its key.
    fn speak(&mut self, sent: &Sent) -> Spoken {
        self.serials += 1;
        let serial = self.serials;
        let fresh = Spoken {
            entity: sent.entity,
            serial,
            action: sent.action.clone(),
            key: None,
            earlier: Earlier::Never,
        };
        match sent.key {
            Keyed::Fresh => Spoken {
                key: Some(format!("key of {serial}")),
                ..fresh
            },
            Keyed::Again(index) if !self.keyed.is_empty() => index.get(&self.keyed).clone(),
            Keyed::Reused(index) if !self.keyed.is_empty() => {
                let earlier = index.get(&self.keyed);
                Spoken {
                    entity: earlier.entity,
                    key: earlier.key.clone(),
                    ..fresh
                }
            }
            _ => fresh,
        }
    }

    fn send(&self, spoken: &Spoken) -> BoxFuture<Answer> {
        let Spoken { serial, action, .. } = spoken;
        let panics = matches!(action, Action::Panic | Action::Curse | Action::PanicReply);
        if panics {
            self.clock.advance(A_WHILE);
        }
        let id = id(spoken.entity);
        K::act(&self.runtime, &id, *serial, action, spoken.key.as_deref())
    }

    /// Keeps what is known of the answer under a key.
    fn remember(&mut self, spoken: Spoken, answer: Answer) {
        if spoken.key.is_none() {
            return;
        }
        let same =
            |earlier: &&mut Spoken| earlier.key == spoken.key && earlier.serial == spoken.serial;
        let earlier = if check::is_outcome(&answer) {
            Earlier::Answered(answer)
        } else {
            Earlier::Sent
        };
        match self.keyed.iter_mut().find(same) {
            Some(known) if matches!(known.earlier, Earlier::Answered(_)) => {}
            Some(known) => known.earlier = earlier,
            None => self.keyed.push(Spoken { earlier, ..spoken }),
        }
    }

    async fn truth(&self, entity: usize) -> Truth {
        let id = PersistenceId::new(K::TYPE, id(entity));
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let from = entries
                .last()
                .map_or(Offset::ZERO, |last| last.offset.next());
            let page = self.store.inner().read(from, 10_000).await.unwrap();
            if page.is_empty() {
                break;
            }
            entries.extend(page);
        }
        Truth::of(entries.iter().filter(|entry| entry.id == id))
    }
}

async fn start<K: Kind>(store: &Faulty, clock: &VirtualClock) -> Runtime {
    let builder = Runtime::builder().store(store.clone()).env(clock.clone());
    let builder = builder.only::<(K,)>().shards(2);
    builder.build().await.unwrap()
}

fn id(entity: usize) -> String {
    format!("entity {entity}")
}
