//! The task of one projection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use statefn_store::{
    Advance, CommitError, LoadError, Offset, Projected, Projecting, ProjectionId, RowsWanted,
    StoreFailure,
};

use super::fold::{Page, Pause};
use super::{Projector, REBUILT, StoppedAt, Way, declared};
use crate::projection::Start;
use crate::projection::rows::{RowKey, Rows};
use crate::runtime::backoff::backoff;
use crate::runtime::shared::{Intake, Shared};

/// So many entries are read at a time.
const PAGE: usize = 1024;

/// So many rows of an old version are removed in one commit.
const DROP_ROWS: usize = 1024;

/// Without a ring, the journal is looked at this often.
const LOOK: Duration = Duration::from_secs(1);

/// What the task knows between two turns.
struct Worker {
    /// Name and number under which the rows are stored.
    id: ProjectionId,
    rows: Rows,
    /// Where the projection stands; `None`: to be read from the store.
    offset: Option<Offset>,
    /// Versions of the same name that are to be removed once this one serves.
    others: Vec<ProjectionId>,
    /// Where those stand.
    others_offset: Offset,
    serves: bool,
    /// How often the next entry has failed.
    failures: u32,
    /// How often the store has failed.
    store_failures: u32,
    generation: u64,
}

/// What a turn came to.
enum Turn {
    /// There may be more to do.
    Moved,
    /// Nothing to do before somebody rings.
    Idle,
    /// To be tried again after a while.
    Wait(Duration),
    /// The runtime no longer owns the store.
    Over,
}

/// Works until the runtime ends.
pub(super) async fn work(engine: Way, projector: Arc<Projector>) {
    let mut worker = Worker::new(projector.id.clone());
    loop {
        let Some(shared) = engine.upgrade().map(|engine| Arc::clone(engine.shared())) else {
            return;
        };
        if shared.intake() != Intake::Open {
            return projector.stand(|standing| standing.has_ended = true);
        }
        let turn = worker.turn(&shared, &projector).await;
        let wait = match turn {
            Turn::Moved => continue,
            Turn::Idle => LOOK,
            Turn::Wait(wait) => wait,
            Turn::Over => return projector.stand(|standing| standing.has_ended = true),
        };
        let mut sleep = shared.env.sleep(wait);
        let bell = Arc::clone(&projector.bell);
        let is_resting = matches!(turn, Turn::Wait(_));
        // Whoever waits holds nothing: a runtime that is dropped lets its store go.
        drop(shared);
        let mut rung = pin!(bell.notified());
        poll_fn(|cx| {
            let is_rung = rung.as_mut().poll(cx).is_ready();
            if is_rung && (!is_resting || projector.account().resumed) {
                return Poll::Ready(());
            }
            if is_rung {
                rung.set(bell.notified());
                let _ = rung.as_mut().poll(cx);
            }
            sleep.as_mut().poll(cx)
        })
        .await;
    }
}

impl Worker {
    fn new(id: ProjectionId) -> Self {
        Self {
            id,
            rows: Rows::default(),
            offset: None,
            others: Vec::new(),
            others_offset: Offset::ZERO,
            serves: false,
            failures: 0,
            store_failures: 0,
            generation: 0,
        }
    }

    async fn turn(&mut self, shared: &Shared, projector: &Projector) -> Turn {
        let generation = shared.projectors.generation();
        if std::mem::replace(&mut self.generation, generation) != generation {
            self.lose();
        }
        if std::mem::take(&mut projector.account().resumed) {
            self.failures = 0;
            self.lose();
        }
        if self.offset.is_some() && self.serves && projector.account().rebuilds {
            return self.begin_again(shared, projector).await;
        }
        if projector.standing.borrow().stopped.is_some() {
            return Turn::Idle;
        }
        let done = match self.offset {
            None => self.find(shared, projector).await,
            Some(offset) => self.go_on(shared, projector, offset).await,
        };
        match done {
            Ok(turn) => {
                self.store_failures = 0;
                turn
            }
            Err(trouble) => self.trouble(shared, projector, trouble),
        }
    }

    /// Forgets what it believes of the store.
    fn lose(&mut self) {
        self.offset = None;
        if !planted!(RowsOutliveFailure) {
            self.rows.forget();
        }
    }

    /// Reads where the projection stands; begins it if it is new.
    async fn find(&mut self, shared: &Shared, projector: &Projector) -> Result<Turn, Trouble> {
        let stored = shared.store.projections().await?;
        shared.projectors.committed(stored.end);
        let is_own = |id: &ProjectionId| {
            id.name == projector.id.name && declared(id.version) == projector.id.version
        };
        // Of two, the one that is being built.
        let own = stored.versions.iter().filter(|stored| is_own(&stored.id));
        let own = own.min_by_key(|stored| stored.serves);
        let Some(own) = own else {
            let offset = match projector.definition.start() {
                Start::Beginning => Offset::ZERO,
                Start::Now => stored.end,
            };
            let begin = Projecting::Begin {
                id: projector.id.clone(),
                offset,
                layout: projector.layout.to_bytes(),
            };
            // Refused: somebody else has begun it, and it is there now.
            let _ = self.project(shared, begin).await?;
            return Ok(Turn::Moved);
        };
        self.offset = Some(own.offset);
        self.serves = own.serves;
        self.id = own.id.clone();
        let is_other = |id: &ProjectionId| id.name == own.id.name && *id != own.id;
        let others = stored.versions.iter().filter(|other| is_other(&other.id));
        self.others_offset = others.clone().map(|o| o.offset).max().unwrap_or_default();
        self.others = others.map(|other| other.id.clone()).collect();
        projector.stand(|standing| {
            standing.offset = Some(own.offset);
            standing.stored_version = own.id.version;
            standing.serves = own.serves;
        });
        Ok(Turn::Moved)
    }

    /// Begins the same version anew, beside its rows.
    async fn begin_again(&mut self, shared: &Shared, projector: &Projector) -> Turn {
        let begin = Projecting::Begin {
            id: ProjectionId::new(self.id.name.clone(), self.id.version ^ REBUILT),
            offset: Offset::ZERO,
            layout: projector.layout.to_bytes(),
        };
        match self.project(shared, begin).await {
            Ok(_) => {
                projector.stand(|standing| standing.serves = false);
                projector.account().rebuilds = false;
                self.lose();
                Turn::Moved
            }
            Err(trouble) => self.trouble(shared, projector, trouble),
        }
    }

    /// Folds the next entries.
    async fn go_on(
        &mut self,
        shared: &Shared,
        projector: &Projector,
        offset: Offset,
    ) -> Result<Turn, Trouble> {
        let has_caught_up = shared.projectors.end().get() <= offset.get() + PAGE as u64;
        if has_caught_up && offset >= self.others_offset && !(self.serves && self.others.is_empty())
        {
            return self.take_over(shared, projector).await;
        }
        let entries = shared.store.read(offset.next(), PAGE).await?;
        if entries.is_empty() {
            return Ok(Turn::Idle);
        }
        let mut page = Page::new(entries);
        let failed = loop {
            match page.tell(&*projector.definition, &mut self.rows) {
                Pause::Enough => break None,
                Pause::Needs(keys) => self.fetch(shared, projector, offset, keys).await?,
                Pause::Failed { reason, is_final } => break Some((reason, is_final)),
            }
        };
        self.commit(shared, projector, offset, &page).await?;
        let Some((reason, is_final)) = failed else {
            return Ok(Turn::Moved);
        };
        let Some(entry) = page.next() else {
            return Ok(Turn::Moved);
        };
        let at = StoppedAt {
            offset: entry.offset,
            entity: Some(entry.id.clone()),
            sequence: entry.sequence,
            reason,
        };
        Ok(self.failed(shared, projector, at, is_final))
    }

    /// Stores what was made of the entries told so far.
    async fn commit(
        &mut self,
        shared: &Shared,
        projector: &Projector,
        expected: Offset,
        page: &Page,
    ) -> Result<(), Trouble> {
        let Some(last) = page.last_told() else {
            return Ok(());
        };
        let views: Vec<&str> = projector
            .definition
            .views()
            .iter()
            .map(|v| v.name)
            .collect();
        let advance = Projecting::Advance(Advance {
            id: self.id.clone(),
            expected,
            offset: if planted!(OffsetAheadOfRows) {
                shared.projectors.end().max(last.offset)
            } else {
                last.offset
            },
            rows: self.rows.changes(&views),
            passed: Vec::new(),
        });
        match self.project(shared, advance).await? {
            Projected::Done | Projected::More => {}
            Projected::Refused { .. } if planted!(OvertakenIgnored) => {}
            Projected::Refused { .. } => return Err(Trouble::Overtaken),
        }
        self.rows.committed();
        self.offset = Some(last.offset);
        self.failures = 0;
        {
            let mut account = projector.account();
            account.told += page.heard;
            account.time = Some(last.time);
            account.failing = None;
        }
        projector.stand(|standing| {
            standing.offset = Some(last.offset);
            standing.is_failing = false;
        });
        Ok(())
    }

    /// Reads rows that handlers have asked for.
    async fn fetch(
        &mut self,
        shared: &Shared,
        projector: &Projector,
        offset: Offset,
        keys: Vec<RowKey>,
    ) -> Result<(), Trouble> {
        let views = projector.definition.views();
        let named = keys.iter().map(|(view, key)| {
            let view = views.get(usize::from(*view)).map_or("", |view| view.name);
            (view.to_owned(), key.clone())
        });
        let wanted = RowsWanted {
            id: self.id.clone(),
            rows: named.collect(),
        };
        let found = shared.store.rows(wanted).await?;
        let Some(found) = found.filter(|found| found.offset == offset) else {
            return Err(Trouble::Overtaken);
        };
        for (row, held) in keys.into_iter().zip(found.rows) {
            self.rows.learn(row, held);
        }
        Ok(())
    }

    /// Answers reads from now on, and removes what an older version has left.
    async fn take_over(&mut self, shared: &Shared, projector: &Projector) -> Result<Turn, Trouble> {
        if !self.serves {
            let serve = Projecting::Serve(self.id.clone());
            if let Projected::Refused { .. } = self.project(shared, serve).await? {
                return Err(Trouble::Overtaken);
            }
            self.serves = true;
            tracing::info!(projection = %projector.id, "has caught up and serves");
            projector.stand(|standing| standing.serves = true);
            return Ok(Turn::Moved);
        }
        if let Some(other) = self.others.last().cloned() {
            let drop = Projecting::Drop {
                id: other,
                limit: DROP_ROWS,
            };
            if self.project(shared, drop).await? != Projected::More {
                self.others.pop();
            }
        }
        Ok(Turn::Moved)
    }

    async fn project(&self, shared: &Shared, change: Projecting) -> Result<Projected, Trouble> {
        let held = shared.epoch();
        let done = shared.store.project(held, change).await;
        done.map_err(|error| match error {
            CommitError::Fenced { .. } if shared.fenced_itself(held) => Trouble::Overtaken,
            CommitError::Fenced { .. } => Trouble::Fenced,
            CommitError::Unavailable(failure) | CommitError::Unknown(failure) => failure.into(),
            other => Trouble::Store(other.to_string()),
        })
    }

    /// The next entry cannot be folded.
    fn failed(
        &mut self,
        shared: &Shared,
        projector: &Projector,
        at: StoppedAt,
        is_final: bool,
    ) -> Turn {
        self.failures += 1;
        let attempts = shared.limits.projection_attempts_max;
        let stops = is_final || self.failures >= attempts;
        {
            let mut account = projector.account();
            account.errors += 1;
            account.failing = Some((self.failures, at.clone()));
        }
        // The reason may quote the entry, so it stays out of the log: operators ask for it.
        let (projection, offset) = (&projector.id, at.offset);
        if stops {
            tracing::error!(%projection, %offset, "a projection stops; `Admin::projections` says why");
            projector.stand(|standing| {
                standing.stopped = Some(Arc::new(at));
                standing.is_failing = false;
            });
            return Turn::Idle;
        }
        tracing::warn!(%projection, %offset, failures = self.failures, "an entry is tried again");
        projector.stand(|standing| standing.is_failing = true);
        Turn::Wait(backoff(self.failures))
    }

    /// The store is in the way.
    fn trouble(&mut self, shared: &Shared, projector: &Projector, trouble: Trouble) -> Turn {
        self.lose();
        match trouble {
            Trouble::Fenced => Turn::Over,
            Trouble::Overtaken => {
                self.store_failures += 1;
                Turn::Wait(backoff(self.store_failures))
            }
            Trouble::Store(error) => {
                tracing::warn!(projection = %projector.id, error, "the store is in the way");
                self.store_failures += 1;
                Turn::Wait(backoff(self.store_failures))
            }
            Trouble::Damaged(at) => self.failed(shared, projector, at, true),
        }
    }
}

/// What keeps a turn from its end, besides handlers.
enum Trouble {
    /// Another owner.
    Fenced,
    /// The projection stands somewhere else than it was believed to.
    Overtaken,
    /// The store cannot.
    Store(String),
    /// An entry is damaged.
    Damaged(StoppedAt),
}

impl From<StoreFailure> for Trouble {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(failure.to_string())
    }
}

impl From<LoadError> for Trouble {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Corrupt {
                offset,
                sequence,
                what,
            } => Self::Damaged(StoppedAt {
                offset,
                entity: None,
                sequence,
                reason: format!("the entry is damaged: {what}"),
            }),
            other => Self::Store(other.to_string()),
        }
    }
}
