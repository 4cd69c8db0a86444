//! When a process is killed: at a count of reports or at a named one, and then a little later.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use statefn_store::testing::Dice;

use super::load::Load;
use super::report::Report;
use super::step::{Halt, Step};

/// What the process is doing when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// It has hardly begun.
    Starting,
    /// It opens the store: it moves what a dead process left in the log, rebuilds heads, claims.
    Opening,
    /// Its first commands recover entities.
    Recovering,
    /// It works.
    Working,
    /// It moves the log into the database.
    Checkpointing,
    BackingUp,
    Verifying,
    /// At a step of what a store is asked, to the instruction or a little later.
    At(Step),
    /// It shuts down.
    Stopping,
    /// It is not killed: it shuts down in order.
    Never,
}

/// A moment and what must happen until it has come.
pub(super) struct Trigger {
    pub(super) moment: Moment,
    /// Reports of this kind until it has come.
    left: u64,
    /// The database, and when it was changed last.
    database: PathBuf,
    changed: Option<SystemTime>,
}

/// What to do after a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Wait,
    Stop,
    Kill,
}

impl Moment {
    fn pick(dice: &mut Dice, load: Load) -> Self {
        match (dice.below(100), load) {
            (0..5, _) => Self::Starting,
            (5..17, _) => Self::Opening,
            (17..29, _) => Self::Recovering,
            (29..39, _) => Self::Stopping,
            (39..47, _) => Self::Never,
            (47..57, Load::Large) => Self::Checkpointing,
            (47..72, Load::Backups) => Self::BackingUp,
            (72..90, Load::Backups) => Self::Verifying,
            (47..95, Load::Money) => Self::At(Step::pick(dice)),
            _ => Self::Working,
        }
    }
}

impl Trigger {
    pub(super) fn pick(dice: &mut Dice, load: Load, database: &Path) -> Self {
        let moment = Moment::pick(dice, load);
        let left = match moment {
            Moment::Starting | Moment::Opening | Moment::Checkpointing | Moment::At(_) => 1,
            Moment::Recovering => dice.between(1..=24),
            Moment::Working | Moment::Stopping | Moment::Never => {
                // Most kills meet a process of some age, some a young one.
                let most = if dice.chance(300) { 40 } else { load.reach() };
                dice.between(1..=most)
            }
            Moment::BackingUp | Moment::Verifying => dice.between(1..=3),
        };
        Self {
            moment,
            left,
            database: database.to_owned(),
            changed: None,
        }
    }

    /// Where the process stops by itself, if it dies at a step.
    pub(super) fn halt(&self, dice: &mut Dice) -> Option<Halt> {
        let Moment::At(step) = self.moment else {
            return None;
        };
        Some(Halt {
            step,
            after: dice.between(1..=step.reach()),
            stays: dice.chance(700),
        })
    }

    /// Whether the process dies before it says anything.
    pub(super) fn is_start(&self) -> bool {
        self.moment == Moment::Starting
    }

    pub(super) fn after(&mut self, report: &Report) -> Next {
        let counts = match self.moment {
            Moment::Starting => true,
            Moment::Opening => matches!(report, Report::Opening),
            Moment::Recovering => !matches!(report, Report::Opening),
            Moment::Checkpointing => self.has_checkpointed(report),
            Moment::BackingUp => matches!(report, Report::BackingUp(_)),
            Moment::Verifying => matches!(report, Report::Verifying),
            Moment::At(_) => matches!(report, Report::Reached(_)),
            Moment::Stopping if matches!(report, Report::Stopping) => return Next::Kill,
            Moment::Working | Moment::Stopping | Moment::Never => is_answer(report),
        };
        if !counts || self.left == 0 {
            return Next::Wait;
        }
        self.left -= 1;
        match (self.left, self.moment) {
            (0, Moment::Stopping | Moment::Never) => Next::Stop,
            (0, _) => Next::Kill,
            _ => Next::Wait,
        }
    }

    /// Only a checkpoint writes to the database itself; while it is open, nothing else does.
    fn has_checkpointed(&mut self, report: &Report) -> bool {
        if matches!(report, Report::Opening) {
            return false;
        }
        let changed = std::fs::metadata(&self.database).and_then(|file| file.modified());
        let changed = changed.ok();
        if self.changed.is_none() {
            self.changed = changed;
        }
        self.changed != changed
    }
}

fn is_answer(report: &Report) -> bool {
    matches!(report, Report::Answered { .. } | Report::Done { .. })
}

/// Lets a random time pass, from nothing to some milliseconds, shorter ones more often.
pub(super) fn spin(dice: &mut Dice) {
    let magnitude = dice.below(18);
    for _ in 0..dice.below(1 << magnitude) {
        std::hint::spin_loop();
    }
}
