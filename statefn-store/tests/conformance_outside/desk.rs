//! The fixture of the notebook: paper that is closed, crashed, scratched and opened again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use statefn_store::testing::{Fixture, Work};
use statefn_store::{EntryBody, Offset, PersistenceId, Store, StoredCalls, StoredViews};

use crate::bug::Bug;
use crate::notebook::Notebook;
use crate::paper::Paper;

/// Paper on which one notebook after another is opened.
pub(crate) struct Desk {
    bug: Bug,
    paper: Mutex<Arc<Mutex<Paper>>>,
    synced: Arc<Mutex<Paper>>,
}

impl Desk {
    pub(crate) fn with(bug: Bug) -> Self {
        Self {
            bug,
            paper: Mutex::default(),
            synced: Arc::default(),
        }
    }

    fn paper(&self) -> Arc<Mutex<Paper>> {
        Arc::clone(&locked(&self.paper))
    }

    /// What a notebook finds when it is opened, mistakes of its predecessor included.
    fn found(&self) -> Paper {
        let mut paper = locked(&self.paper()).clone();
        match self.bug {
            Bug::ForgetsTheEpochAtClose => paper.epoch = 0,
            Bug::NumbersFromOneAgain => paper.numbered = 0,
            Bug::LosesTheLastCommitAtClose => drop(paper.lines.pop()),
            Bug::ForgetsViewsAtClose => paper.views = StoredViews::default(),
            Bug::ForgetsCallsAtClose => paper.calls = StoredCalls::default(),
            _ => {}
        }
        paper
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fixture for Desk {
    fn open(&self) -> Work<'_, Arc<dyn Store>> {
        let paper = Arc::new(Mutex::new(self.found()));
        *locked(&self.paper) = Arc::clone(&paper);
        let synced = Arc::clone(&self.synced);
        Box::pin(async { Arc::new(Notebook::new(self.bug, paper, synced)) as Arc<dyn Store> })
    }

    /// A copy, so that a notebook that goes on after the crash writes on nobody's paper.
    fn crash(&self) {
        let left = match self.bug {
            Bug::AnswersBeforeSyncing => locked(&self.synced).clone(),
            _ => locked(&self.paper()).clone(),
        };
        *locked(&self.paper) = Arc::new(Mutex::new(left));
    }

    fn damage(&self, offset: Offset) {
        let paper = self.paper();
        let mut paper = locked(&paper);
        let line = paper
            .lines
            .iter_mut()
            .find(|line| line.entry.offset == offset);
        let Some(EntryBody::Event { event, .. }) = line.map(|line| &mut line.entry.body) else {
            panic!("there is no event at {offset}");
        };
        event.payload[0] ^= 1;
    }

    fn damage_snapshot(&self, id: &PersistenceId) {
        let paper = self.paper();
        let mut paper = locked(&paper);
        let picture = paper
            .pictures
            .iter_mut()
            .rev()
            .find(|picture| picture.id == *id);
        let Some(picture) = picture else {
            panic!("{id} has no snapshot");
        };
        picture.snapshot.payload[0] ^= 1;
    }

    fn fail(&self, applied: bool) {
        locked(&self.paper()).next_fails = Some(applied);
    }
}
