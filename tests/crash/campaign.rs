//! Rounds of starting, killing and looking.

use std::path::{Path, PathBuf};

use statefn_store::testing::Dice;
use tempfile::TempDir;

use super::backups;
use super::book::Book;
use super::breach::{Breach, BreachKind};
use super::journal;
use super::load::Load;
use super::moment::{Moment, Next, Trigger, spin};
use super::money;
use super::oracle;
use super::process::{End, Process};
use super::report::{Again, Assignment, Report};
use super::store::{Opened, check_refused};
use super::totals::Totals;

/// Command numbers of a round.
const ROUND: u64 = 1_000_000;

/// What to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program that is killed.
    pub program: PathBuf,
    /// What it does meanwhile.
    pub load: Load,
    /// How often it dies.
    pub kills: u64,
    /// Decides what is sent and when processes die. Threads run as they like, so a seed repeats a
    /// campaign only nearly.
    pub seed: u64,
}

/// Runs a campaign to its end, or to its first breach.
///
/// # Panics
///
/// The machine does not do what it must: no temporary folder, no such program.
#[expect(clippy::expect_used, reason = "no promise of ours is in question")]
pub fn run(plan: &Plan) -> Totals {
    let threads = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("an async runtime");
    let mut campaign = Campaign {
        plan: plan.clone(),
        dice: Dice::new(plan.seed ^ plan.load as u64),
        totals: Totals::default(),
        rounds: 0,
    };
    let mut life = campaign.new_life();
    while campaign.totals.kills + campaign.totals.aborts < plan.kills {
        if life.rounds_left == 0 {
            campaign.totals.take_book(&life.book);
            life = campaign.new_life();
        }
        if let Err(breach) = threads.block_on(campaign.round(&mut life)) {
            campaign.totals.breaches.push(breach);
        }
        if !campaign.totals.breaches.is_empty() {
            let kept = life.folder.keep();
            let what = format!("round {}, in {}", campaign.rounds, kept.display());
            campaign.totals.breaches.push(BreachKind::Odd.found(what));
            break;
        }
    }
    campaign.totals.take_book(&life.book);
    campaign.totals
}

struct Campaign {
    plan: Plan,
    dice: Dice,
    totals: Totals,
    rounds: u64,
}

/// A store file, from its first process to its last.
struct Life {
    folder: TempDir,
    file: PathBuf,
    book: Book,
    rounds_left: u64,
}

impl Campaign {
    #[expect(clippy::expect_used, reason = "no promise of ours is in question")]
    fn new_life(&mut self) -> Life {
        let folder = TempDir::with_prefix("statefn-crash-").expect("a temporary folder");
        Life {
            file: folder.path().join("store.db"),
            folder,
            book: Book::default(),
            rounds_left: match self.plan.load {
                Load::Large => self.dice.between(3..=5),
                _ => self.dice.between(4..=12),
            },
        }
    }

    async fn round(&mut self, life: &mut Life) -> Result<(), Breach> {
        self.rounds += 1;
        life.rounds_left -= 1;
        let mut trigger = Trigger::pick(&mut self.dice, self.plan.load, &life.file);
        let heavy = trigger.moment == Moment::Checkpointing;
        if heavy {
            // Reading it back takes long enough once.
            life.rounds_left = 0;
        }
        let assignment = Assignment {
            halt: trigger.halt(&mut self.dice),
            orders: life.book.money.again(|| self.dice.chance(30)),
            heavy,
            file: life.file.clone(),
            load: self.plan.load,
            seed: self.dice.number(),
            first_command: self.rounds * ROUND,
            again: self.pick_again(&life.book),
        };
        life.book.new_process();
        let played = self.play(&assignment, &mut trigger, life);
        let end = played.map_err(|breach| Breach {
            what: format!(
                "{:?}, {:?}: {}",
                trigger.moment, assignment.halt, breach.what
            ),
            ..breach
        })?;
        match end {
            End::Killed => {
                self.totals.kills += 1;
                *self.totals.moments.entry(trigger.moment).or_default() += 1;
            }
            End::Aborted if life.book.aborts && self.plan.load == Load::Panics => {
                self.totals.aborts += 1;
            }
            End::Aborted => return Err(BreachKind::Odd.found("the program aborted")),
            End::Finished => {
                self.totals.shutdowns += 1;
                if !life.book.all_answered() {
                    let what = "a shutdown left calls without an answer";
                    return Err(BreachKind::Silent.found(what));
                }
            }
        }
        self.check(life).await
    }

    /// From the start of a process to its end.
    fn play(
        &mut self,
        assignment: &Assignment,
        trigger: &mut Trigger,
        life: &mut Life,
    ) -> Result<End, Breach> {
        let mut process = Process::start(&self.plan.program, assignment)
            .map_err(|error| BreachKind::Odd.found(format!("no program: {error}")))?;
        if trigger.is_start() {
            spin(&mut self.dice);
            process.kill();
        }
        let mut intrudes = self.dice.chance(150) && self.plan.load != Load::Panics;
        while let Some(report) = process.next()? {
            let next = trigger.after(&report);
            let answers = matches!(report, Report::Answered { .. } | Report::Done { .. });
            if answers && std::mem::take(&mut intrudes) {
                check_refused(&life.file)?;
            }
            life.book.note(report)?;
            match next {
                Next::Wait => {}
                Next::Stop => process.stop(),
                Next::Kill => {
                    spin(&mut self.dice);
                    process.kill();
                    // What it said before can still be read, and its store can be opened.
                    intrudes = false;
                }
            }
        }
        process.end()
    }

    /// Looks at the file itself, or at a copy: then the next process finds what this one left.
    async fn check(&mut self, life: &mut Life) -> Result<(), Breach> {
        let copied = self.dice.chance(500);
        let beside = life.folder.path().join("copy.db");
        let file = if copied { &beside } else { &life.file };
        if !life.file.exists() {
            return Ok(());
        }
        if copied {
            copy(&life.file, &beside)
                .map_err(|error| BreachKind::Odd.found(format!("no copy: {error}")))?;
        }
        if self.plan.load == Load::Money {
            let checked = money::check(file, &mut life.book.money).await?;
            self.totals.take_check(checked);
            return Ok(());
        }
        let opened = Opened::open(file).await?;
        opened.verify().await?;
        let journal = journal::read(&opened.store, &opened.runtime).await?;
        opened.close().await?;
        let checked = oracle::check(&journal, &mut life.book, &mut self.totals.breaches);
        self.totals.take_check(checked);
        backups::check(&journal, std::mem::take(&mut life.book.backups)).await
    }

    /// Commands with a key to be sent again: all whose fate nobody has been told, and some others.
    fn pick_again(&mut self, book: &Book) -> Vec<Again> {
        let mut again = Vec::new();
        for (command, known) in &book.commands {
            let is_open = known.told.is_none();
            if known.call.keyed && (is_open || self.dice.chance(30)) {
                again.extend(book.again(*command));
            }
        }
        again.truncate(200);
        again
    }
}

/// Copies a store whose owner is dead, file by file: nobody writes to it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for ending in ["", "-wal"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (from, to) = (with(from), with(to));
        if from.exists() {
            std::fs::copy(from, to)?;
        } else if to.exists() {
            std::fs::remove_file(to)?;
        }
    }
    Ok(())
}
