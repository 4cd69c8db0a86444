//! The suite on the in-memory store: as it is, shared by one runtime after another, and with faults.
#![cfg(feature = "testing")]
#![expect(
    clippy::unwrap_used,
    reason = "a fixture fails by panicking, as tests do"
)]

mod fresh {
    use statefn_store::Memory;

    statefn_store::conformance!(|| async { Memory::new() });
}

mod shared {
    use std::sync::Arc;

    use statefn_store::testing::{Fixture, Work};
    use statefn_store::{Memory, Store};

    /// Clones share their entries, so a store outlives a close and a crash of its runtime.
    #[derive(Default)]
    struct Shared(Memory);

    impl Fixture for Shared {
        fn open(&self) -> Work<'_, Arc<dyn Store>> {
            Box::pin(async { Arc::new(self.0.clone()) as Arc<dyn Store> })
        }

        /// Memory has nothing that a crash of its user could take away.
        fn crash(&self) {}
    }

    statefn_store::conformance!(Shared::default(), reopen, crash);
}

mod in_a_runtime {
    use std::sync::Arc;

    use statefn_store::testing::{Fixture, Work};
    use statefn_store::{Memory, Store};

    /// Runs the suite the way a backend does that needs an async runtime.
    struct InTokio(tokio::runtime::Runtime);

    impl InTokio {
        fn new() -> Self {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            Self(runtime.unwrap_or_else(|error| panic!("no runtime: {error}")))
        }
    }

    impl Fixture for InTokio {
        fn open(&self) -> Work<'_, Arc<dyn Store>> {
            Box::pin(async { Arc::new(Memory::new()) as Arc<dyn Store> })
        }

        fn run(&self, work: Work<'_, ()>) {
            self.0.block_on(async {
                assert!(tokio::runtime::Handle::try_current().is_ok());
                work.await;
            });
        }
    }

    statefn_store::conformance!(InTokio::new());
}

mod through_the_faulty_store {
    use std::sync::{Arc, Mutex};

    use statefn_store::testing::{CommitFault, Faulty, Fixture, Work};
    use statefn_store::{Memory, Store};

    /// A memory store behind the wrapper that plants faults.
    #[derive(Default)]
    struct Wrapped {
        memory: Memory,
        open: Mutex<Option<Faulty>>,
    }

    impl Fixture for Wrapped {
        fn open(&self) -> Work<'_, Arc<dyn Store>> {
            let store = Faulty::new(self.memory.clone());
            *self.open.lock().unwrap() = Some(store.clone());
            Box::pin(async { Arc::new(store) as Arc<dyn Store> })
        }

        fn crash(&self) {}

        fn fail(&self, applied: bool) {
            let fault = if applied {
                CommitFault::UnknownApplied
            } else {
                CommitFault::UnknownNotApplied
            };
            self.open
                .lock()
                .unwrap()
                .as_ref()
                .unwrap()
                .next_commits([fault]);
        }
    }

    statefn_store::conformance!(Wrapped::default(), reopen, crash, fail);
}
