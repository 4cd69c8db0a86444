//! Power cuts at every operation of a run, under every model.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Mutex;

use crate::check::{self, Wrong};
use crate::image::Image;
use crate::ledger::{Bounds, Ledger};
use crate::mount::{DATABASE, Mount};
use crate::platter::{FailedSync, Model, Platter, Rules};
use crate::random::{Random, mix};
use crate::trace::Op;
use crate::workload::Run;

/// What a number of power cuts showed.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Power cuts that were checked, by model. Cuts that leave what an earlier one left are not
    /// counted.
    pub cuts: BTreeMap<Model, u64>,
    /// Power cuts inside a recovery.
    pub nested: u64,
    /// Moments of all traces.
    pub moments: u64,
    /// Batches that had been acknowledged, summed over all cuts.
    pub acknowledged: u64,
    /// Cuts that lost something acknowledged.
    pub lost: u64,
    /// Cuts that left a damaged store.
    pub corrupt: u64,
    /// Cuts that left a batch which nobody had heard of.
    pub unheard: u64,
    /// Cuts inside an erasure.
    pub erasing: u64,
    /// Cuts that left a part of an erasure.
    pub half_erased: u64,
    /// Runs that went wrong before their power was cut.
    pub failed: u64,
    /// The first things that were wrong, with where to find them again.
    pub wrong: Vec<String>,
}

impl Totals {
    /// All power cuts.
    pub fn all(&self) -> u64 {
        self.cuts.values().sum::<u64>() + self.nested
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        for (model, count) in &other.cuts {
            *self.cuts.entry(*model).or_default() += count;
        }
        self.nested += other.nested;
        self.moments += other.moments;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.corrupt += other.corrupt;
        self.unheard += other.unheard;
        self.erasing += other.erasing;
        self.half_erased += other.half_erased;
        self.failed += other.failed;
        self.wrong.extend(other.wrong.iter().cloned());
        self.wrong.truncate(20);
    }

    fn note(
        &mut self,
        checked: &Result<check::Recovered, Wrong>,
        bounds: Bounds,
        place: &dyn fmt::Display,
    ) {
        let (must, _) = bounds.batches;
        self.erasing += u64::from(bounds.erasures.0 < bounds.erasures.1);
        self.acknowledged += must as u64;
        let what = match checked {
            Ok(recovered) => {
                self.unheard += u64::from(recovered.batches > must);
                self.half_erased += u64::from(recovered.half_erased);
                return;
            }
            Err(Wrong::Lost(what)) => {
                self.lost += 1;
                what
            }
            Err(Wrong::Corrupt(what) | Wrong::Unavailable(_, what)) => {
                self.corrupt += 1;
                what
            }
        };
        if self.wrong.len() < 20 {
            let what: String = what.chars().take(400).collect();
            self.wrong.push(format!("{place}: {what}"));
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (model, count) in &self.cuts {
            writeln!(f, "| power cuts, {model:?} | {count} |")?;
        }
        writeln!(f, "| power cuts inside a recovery | {} |", self.nested)?;
        writeln!(f, "| power cuts | {} |", self.all())?;
        writeln!(
            f,
            "| acknowledged batches, summed over cuts | {} |",
            self.acknowledged
        )?;
        writeln!(
            f,
            "| cuts that left an unacknowledged batch | {} |",
            self.unheard
        )?;
        writeln!(f, "| cuts inside an erasure | {} |", self.erasing)?;
        writeln!(f, "| of these left half of it | {} |", self.half_erased)?;
        writeln!(
            f,
            "| cuts that lost something acknowledged | {} |",
            self.lost
        )?;
        writeln!(f, "| cuts that left a damaged store | {} |", self.corrupt)?;
        for wrong in &self.wrong {
            writeln!(f, "WRONG: {wrong}")?;
        }
        Ok(())
    }
}

/// How a trace is cut.
#[derive(Clone, Copy, Debug)]
pub struct Cutting {
    /// The rules of the disk.
    pub rules: Rules,
    /// The seed that is printed when something is wrong.
    pub seed: u64,
    /// The first moment that is cut, and every how many-th after it.
    pub moments: (usize, usize),
    /// Every so many recoveries are cut themselves, at each of their operations; 0 for none.
    pub nested_every: u64,
    /// Threads.
    pub threads: usize,
}

impl Cutting {
    /// Every moment of a healthy disk's trace.
    pub fn every(seed: u64) -> Self {
        Self {
            rules: Rules::default(),
            seed,
            moments: (0, 1),
            nested_every: 40,
            threads: 2,
        }
    }
}

/// Cuts the power at every moment of a run.
pub fn cut_everywhere(run: &Run, cutting: Cutting) -> Totals {
    let totals = Mutex::new(Totals::default());
    std::thread::scope(|scope| {
        for worker in 0..cutting.threads {
            let totals = &totals;
            scope.spawn(move || {
                let mut knife = Knife::new(run, cutting);
                knife.walk(worker);
                totals
                    .lock()
                    .expect("no panic under the lock")
                    .add(&knife.totals);
            });
        }
    });
    totals.into_inner().expect("no panic under the lock")
}

/// One thread's share of the cuts of a run.
struct Knife<'r> {
    run: &'r Run,
    cutting: Cutting,
    mount: Mount,
    totals: Totals,
    done: HashSet<(u64, Bounds)>,
}

impl<'r> Knife<'r> {
    fn new(run: &'r Run, cutting: Cutting) -> Self {
        Self {
            run,
            cutting,
            mount: Mount::new(),
            totals: Totals::default(),
            done: HashSet::new(),
        }
    }

    fn walk(&mut self, worker: usize) {
        let base = Image::empty(DATABASE);
        let rules = self.cutting.rules;
        let mut platter = Platter::new(&base, &self.run.trace, rules, self.cutting.seed);
        loop {
            let (from, every) = self.cutting.moments;
            let number = platter.done().checked_sub(from);
            let number = number.filter(|since| since.is_multiple_of(every));
            if number.is_some_and(|since| since / every % self.cutting.threads == worker) {
                self.moment(&platter);
            }
            if !platter.step() {
                break;
            }
        }
    }

    fn moment(&mut self, platter: &Platter<'_>) {
        let mut blind = self.run.blind.iter();
        if self.cutting.rules.failed_sync != FailedSync::StaysDirty
            && blind.any(|blind| blind.contains(&platter.done()))
        {
            return;
        }
        self.totals.moments += 1;
        let ledger = self.run.ledger_at(platter.done());
        let bounds = ledger.bounds(platter.done());
        for (number, model) in Model::ALL.into_iter().enumerate() {
            let salt = (platter.done() * Model::ALL.len() + number) as u64;
            let mut random = Random::new(mix(self.cutting.seed) ^ salt);
            let (image, recipe) = platter.cut(model, &mut random);
            if !self.done.insert((recipe, bounds)) {
                continue;
            }
            *self.totals.cuts.entry(model).or_default() += 1;
            let checked = self.check(&image, ledger, bounds, &mut random);
            let place = Place {
                seed: self.cutting.seed,
                moment: platter.done(),
                model,
                nested: None,
            };
            self.totals.note(&checked, bounds, &place);
            let cuts: u64 = self.totals.cuts.values().sum();
            if let Ok(recovered) = checked
                && self.cutting.nested_every > 0
                && cuts.is_multiple_of(self.cutting.nested_every)
            {
                let known = (ledger, bounds);
                self.nested(&image, &recovered.trace, known, place, &mut random);
            }
        }
    }

    fn check(
        &self,
        image: &Image,
        ledger: &Ledger,
        bounds: Bounds,
        random: &mut Random,
    ) -> Result<check::Recovered, Wrong> {
        check::check(
            &self.mount,
            image,
            self.run.powersafe,
            ledger,
            bounds,
            random,
        )
    }

    /// Cuts the power again while the store recovers.
    fn nested(
        &mut self,
        image: &Image,
        trace: &[Op],
        (ledger, mut bounds): (&Ledger, Bounds),
        mut place: Place,
        random: &mut Random,
    ) {
        // The recovery itself claims once.
        bounds.claims.1 += 1;
        let mut platter = Platter::new(image, trace, self.cutting.rules, self.cutting.seed);
        loop {
            let model = Model::ALL[random.index(Model::ALL.len())];
            let (image, _) = platter.cut(model, random);
            let checked = self.check(&image, ledger, bounds, random);
            self.totals.nested += 1;
            place.nested = Some((platter.done(), model));
            self.totals.note(&checked, bounds, &place);
            if !platter.step() {
                break;
            }
        }
    }
}

/// Where a cut was made.
struct Place {
    seed: u64,
    moment: usize,
    model: Model,
    nested: Option<(usize, Model)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}, moment {}, {:?}",
            self.seed, self.moment, self.model
        )?;
        if let Some((moment, model)) = self.nested {
            write!(f, ", then moment {moment} of the recovery, {model:?}")?;
        }
        Ok(())
    }
}
