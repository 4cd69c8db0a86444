//! A reply that waits for the answers of effects.

use std::sync::{Arc, PoisonError};

use super::depart;
use crate::runtime::isolate::wake;
use crate::runtime::slot::{Opened, Waiter};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// The effects of one command that its reply waits for.
pub(crate) struct Group {
    left: AtomicUsize,
    waiters: Mutex<Vec<Arc<dyn Waiter>>>,
}

/// One of them; answered at the latest when it is dropped.
pub(crate) struct Awaited(Arc<Group>);

impl Group {
    /// So many effects, for whose answers these wait.
    pub(crate) fn new(effects: usize, waiters: Vec<Arc<dyn Waiter>>) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(effects),
            waiters: Mutex::new(waiters),
        })
    }

    /// One of the effects.
    pub(crate) fn one(self: &Arc<Self>) -> Awaited {
        Awaited(Arc::clone(self))
    }

    /// Lets the replies go, whatever is still to be answered.
    pub(crate) fn open(&self) {
        let waiters = {
            let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *waiters)
        };
        for waiter in waiters {
            match waiter.open() {
                Opened::Wakes(waker) => waker.into_iter().for_each(wake),
                Opened::Departs(departure) => depart(departure),
            }
        }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.open();
        }
    }
}
