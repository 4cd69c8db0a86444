//! Operations on the stores, in memory and on SQLite, beside a plain model.
//!
//! Batches with effects, timers and answers to them, changes of those outside a batch; with stale and overtaken members, fenced ones, erasures, loads that stop early, pages,
//! searches, reopened and killed stores, backups: each answer is the model's, on both.

mod bench;
mod calls;
mod draw;

use statefn_store::Timestamp;

use crate::input::Input;
use crate::world;
use bench::Bench;
use draw::Names;

const STEPS_MAX: usize = 60;

/// Tries one sequence.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let names = Names::draw(&mut input);
    world::block_on(async {
        let mut bench = Bench::open(&mut input).await;
        for _ in 0..STEPS_MAX {
            if input.is_at_end() {
                break;
            }
            step(&mut bench, &names, &mut input).await;
        }
        bench.check().await;
        bench.reopen().await;
        bench.check().await;
        bench.close().await;
    });
}

async fn step(bench: &mut Bench, names: &Names, input: &mut Input<'_>) {
    match input.below(19) {
        0..=6 => {
            let members = draw::members(input, names, &bench.model);
            bench.commit(members).await;
        }
        7 => {
            let members = draw::members(input, names, &bench.model);
            bench.commit_fenced(members).await;
        }
        8 | 9 => {
            let (id, wish) = (names.id(input), draw::wish(input));
            bench.check_load(&id, wish).await;
        }
        10 => {
            let (from, limit) = draw::page(input, bench.model.end().get());
            bench.check_page(from, limit).await;
        }
        11 => {
            let (after, limit) = (names.id(input), usize::from(input.below(6)));
            let after = Some(after).filter(|_| !input.once_in(4));
            bench.check_entities(after.as_ref(), limit).await;
        }
        12 => {
            let (id, key) = (names.id(input), names.key(input));
            let newest = usize::from(input.byte());
            bench.check_record(&id, &key, newest).await;
        }
        13 => bench.reopen().await,
        14 => bench.kill().await,
        15 => {
            let (id, from) = (names.id(input), i64::from(input.byte()));
            bench.erase(&id, Timestamp::from_millis(from)).await;
        }
        16 | 17 => {
            let changes = calls::changes(input, &bench.model);
            bench.tend(changes).await;
            bench
                .check_timers(calls::time(input), usize::from(input.below(5)))
                .await;
        }
        _ => bench.copy(input.once_in(2)).await,
    }
}

/// Sequences by dice, of several lengths.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |number: u64| {
        let mut dice = statefn_store::testing::Dice::new(number);
        let length = 40 + dice.index(900);
        // Small numbers: most pieces of an input are lengths.
        let byte =
            |_| u8::try_from(dice.below(if number.is_multiple_of(2) { 24 } else { 256 })).unwrap();
        (0..length).map(byte).collect()
    };
    (0..24).map(seed).collect()
}
