//! A database file that is not what a store wrote, opened by the SQLite store.
//!
//! Arbitrary bytes; a real file with bytes changed, cut off, or with changes in its log; rows changed
//! by SQL, also under checksums that say the rows are right. Whatever it is: a typed error, or what
//! was written. Damage is named by `verify`, other entities are served, a refused file stays as it
//! is, and what is committed on top is there.

mod rows;
mod template;
mod trial;

use crate::disk::Disk;
use crate::input::Input;
use crate::world;
use template::Template;
use trial::{Damage, Trial};

/// Bytes changed in one file: few enough that a checksum over them cannot be right by chance.
const CHANGES_MAX: u8 = 8;

/// Tries one file.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.below(8);
    let plan = Plan {
        salvages: input.once_in(4),
        template: match kind {
            4 | 5 => Template::killed(),
            _ => Template::closed(),
        },
    };
    match kind {
        0 => plan.anything(input.rest()),
        1 | 2 => plan.changed(&mut input),
        3 => plan.cut(&mut input),
        4 | 5 => plan.log_changed(&mut input),
        6 => plan.rows_changed(&mut input, false),
        _ => plan.rows_changed(&mut input, true),
    }
}

struct Plan {
    salvages: bool,
    template: &'static Template,
}

impl Plan {
    fn anything(&self, mut bytes: Vec<u8>) {
        // Every second one gets past the first look.
        if bytes.first().is_some_and(|byte| byte % 2 == 1) {
            let start = &self.template.database[..100];
            bytes.splice(..bytes.len().min(start.len()), start.iter().copied());
        }
        self.tried(Disk::of(&bytes, None), Damage::Anything);
    }

    fn changed(&self, input: &mut Input<'_>) {
        let mut bytes = self.template.database.clone();
        change(&mut bytes, input);
        self.tried(Disk::of(&bytes, None), Damage::Bytes);
    }

    fn cut(&self, input: &mut Input<'_>) {
        let mut bytes = self.template.database.clone();
        bytes.truncate(place(input, bytes.len() + 1));
        if !bytes.is_empty() {
            change(&mut bytes, input);
        }
        self.tried(Disk::of(&bytes, None), Damage::Bytes);
    }

    fn log_changed(&self, input: &mut Input<'_>) {
        let mut log = self.template.log.clone().unwrap();
        if input.once_in(4) {
            log.truncate(place(input, log.len() + 1));
        }
        if !log.is_empty() {
            change(&mut log, input);
        }
        let disk = Disk::of(&self.template.database, Some(&log));
        self.tried(disk, Damage::Log);
    }

    fn rows_changed(&self, input: &mut Input<'_>, sums_are_right: bool) {
        let disk = Disk::of(&self.template.database, None);
        rows::change(&disk.path(), input, sums_are_right);
        let damage = if sums_are_right {
            Damage::Forged
        } else {
            Damage::Bytes
        };
        self.tried(disk, damage);
    }

    fn tried(&self, disk: Disk, damage: Damage) {
        let trial = Trial {
            disk,
            damage,
            model: &self.template.model,
            commits: &self.template.commits,
        };
        world::block_on(trial.run(self.salvages));
    }
}

/// A place below `end`, at most 2^32.
fn place(input: &mut Input<'_>, end: usize) -> usize {
    usize::try_from(input.number() % end as u64).unwrap()
}

/// Changes some bytes.
fn change(bytes: &mut [u8], input: &mut Input<'_>) {
    for _ in 0..=input.below(CHANGES_MAX) {
        let at = place(input, bytes.len());
        bytes[at] ^= input.byte();
    }
}

/// Files of every kind.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        Vec::new(),
        b"\0\0SQLite format 3\0".to_vec(),
        [&[0, 0, 1][..], &[0; 600]].concat(),
    ];
    let mut dice = statefn_store::testing::Dice::new(5);
    for kind in 1..8_u8 {
        for number in 0..16_u8 {
            let mut seed = vec![kind, number % 4];
            seed.extend((0..40).map(|_| u8::try_from(dice.below(256)).unwrap()));
            seeds.push(seed);
        }
    }
    seeds
}
