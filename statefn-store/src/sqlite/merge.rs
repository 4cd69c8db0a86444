//! Merging gathered heads into their table: sorted, a few in each commit, behind a watermark.

use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::head::EntityHead;
use super::heads::{HeadCache, HeadMap};
use super::limits::SORTED_ASIDE;
use super::shared::{Published, Shared};
use crate::PersistenceId;

type Sorted = Vec<(PersistenceId, EntityHead)>;

/// Where the merge stands. At most one is under way; what changes meanwhile is gathered for the
/// next one.
#[derive(Default)]
pub(super) struct Merge {
    state: State,
    /// Up to here the table has every head.
    watermark: u64,
}

#[derive(Default)]
enum State {
    #[default]
    Gathering,
    /// A helper thread sorts: it would hold up commits for a tenth of a second.
    Sorting {
        target: u64,
        heads: Arc<HeadMap>,
        sorter: JoinHandle<Sorted>,
    },
    Writing {
        target: u64,
        heads: Sorted,
        done: usize,
    },
}

/// What a step has written; it counts once its transaction has committed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    written: usize,
    /// The new watermark, if the merge is complete with this step.
    pub(super) watermark: Option<u64>,
}

impl Merge {
    /// Nothing under way; the table is complete up to `watermark`.
    pub(super) fn after(watermark: u64) -> Self {
        Self {
            state: State::Gathering,
            watermark,
        }
    }

    /// Begins a merge when enough has been gathered.
    pub(super) fn begin_if_due(&mut self, shared: &Shared) {
        if !matches!(self.state, State::Gathering) {
            return;
        }
        let tuning = &shared.tuning;
        let mut published = shared.published();
        let gathered = published.unmerged.filling.len();
        let behind = published.end.saturating_sub(self.watermark);
        if gathered >= tuning.gathered_entities
            || (behind >= tuning.gathered_entries && gathered > 0)
        {
            self.begin(&mut published);
        }
    }

    /// Begins a merge of everything gathered, if none is under way and there is something.
    pub(super) fn begin(&mut self, published: &mut Published) {
        if !matches!(self.state, State::Gathering) || published.unmerged.filling.is_empty() {
            return;
        }
        let heads = Arc::new(std::mem::take(&mut published.unmerged.filling));
        published.unmerged.merging = Arc::clone(&heads);
        let target = published.end;
        if heads.len() < SORTED_ASIDE {
            let (heads, done) = (sorted(&heads), 0);
            self.state = State::Writing {
                target,
                heads,
                done,
            };
            return;
        }
        let to_sort = Arc::clone(&heads);
        let sort = move || sorted(&to_sort);
        let sorter = std::thread::Builder::new()
            .name("statefn-sqlite-sort".to_owned())
            .spawn(sort);
        self.state = match sorter {
            Ok(sorter) => State::Sorting {
                target,
                heads,
                sorter,
            },
            // No thread to be had: sort here.
            Err(_) => State::Writing {
                target,
                heads: sorted(&heads),
                done: 0,
            },
        };
    }

    /// Writes the next heads inside the transaction that appended `entries`: two for each, and
    /// `more`.
    pub(super) fn step(
        &mut self,
        conn: &Connection,
        entries: usize,
        more: usize,
    ) -> rusqlite::Result<Step> {
        if matches!(&self.state, State::Sorting { sorter, .. } if sorter.is_finished()) {
            self.finish_sorting();
        }
        let State::Writing {
            target,
            heads,
            done,
        } = &self.state
        else {
            return Ok(Step::default());
        };
        let count = entries.saturating_mul(2).saturating_add(more);
        let mut written = 0;
        for (id, head) in heads.iter().skip(*done).take(count) {
            head.store(conn, id)?;
            written += 1;
        }
        Ok(Step {
            written,
            watermark: (done + written == heads.len()).then_some(*target),
        })
    }

    /// Waits for the sorting thread, if it is at work.
    pub(super) fn finish_sorting(&mut self) {
        match std::mem::take(&mut self.state) {
            State::Sorting {
                target,
                heads,
                sorter,
            } => {
                let heads = sorter.join().unwrap_or_else(|_| sorted(&heads));
                let done = 0;
                self.state = State::Writing {
                    target,
                    heads,
                    done,
                };
            }
            state => self.state = state,
        }
    }

    /// The step's transaction has committed.
    pub(super) fn confirm(&mut self, step: Step, published: &mut Published, cache: &mut HeadCache) {
        if let State::Writing { done, .. } = &mut self.state {
            *done += step.written;
        }
        if let Some(watermark) = step.watermark {
            self.watermark = watermark;
            let merged = std::mem::take(&mut published.unmerged.merging);
            let before = cache.merged(merged);
            let State::Writing { heads, .. } = std::mem::take(&mut self.state) else {
                return;
            };
            if before.len().max(heads.len()) < SORTED_ASIDE {
                return;
            }
            // Freeing a hundred thousand ids takes long enough to be felt by a commit.
            let free = move || drop((before, heads));
            if let Ok(_detached) = std::thread::Builder::new().spawn(free) {}
        }
    }

    /// Whether a merge is under way.
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.state, State::Gathering)
    }
}

fn sorted(heads: &HeadMap) -> Sorted {
    let mut sorted: Sorted = heads.iter().map(|(id, head)| (id.clone(), *head)).collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    sorted
}
