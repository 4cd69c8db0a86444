//! The fuzz targets as ordinary tests: every seed, every input that is kept, and some mutations of
//! each, always the same ones. `bash .ci/prove fuzz` goes on from there.
//!
//! `STATEFN_MUTATIONS=200` tries more of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as the tests do"
)]

use std::fs;
use std::path::Path;

use statefn_fuzz::{TARGETS, Target};
use statefn_store::testing::Dice;

/// Mutations of each input, where the target does not open a database for each.
const MUTATIONS: u64 = 24;

fn replay(name: &str, mutations: u64) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let mutations = match std::env::var("STATEFN_MUTATIONS") {
        Ok(number) => number.parse().unwrap(),
        Err(_) => mutations,
    };
    let inputs = inputs(target);
    assert!(inputs.len() > 5, "the inputs are not where they were");
    for (number, (origin, input)) in inputs.iter().enumerate() {
        let _told = Told(origin.clone(), input.clone());
        (target.run)(input);
        for mutation in 0..mutations {
            let mut dice = Dice::new(number as u64 * 1_000_003 + mutation);
            let other = dice.index(inputs.len());
            let mutated = mutated(input, &inputs[other].1, &mut dice);
            let _told = Told(format!("{origin}, mutation {mutation}"), mutated.clone());
            (target.run)(&mutated);
        }
    }
}

/// Names the input that a target panics on.
struct Told(String, Vec<u8>);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.0, self.1.escape_ascii());
        }
    }
}

fn inputs(target: &Target) -> Vec<(String, Vec<u8>)> {
    let seeds = (target.seeds)().into_iter().enumerate();
    let mut inputs: Vec<(String, Vec<u8>)> = seeds
        .map(|(number, seed)| (format!("seed {number}"), seed))
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut kept: Vec<_> = fs::read_dir(folder.join(target.name))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    kept.sort();
    inputs.extend(kept.into_iter().map(|path| {
        let bytes = fs::read(&path).unwrap();
        (path.display().to_string(), bytes)
    }));
    inputs
}

/// One to four small changes: what a fuzzer does, without looking at the outcome.
fn mutated(input: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..dice.between(1..=4) {
        let at = dice.index(bytes.len() + 1);
        let byte = u8::try_from(dice.below(256)).unwrap();
        let end = at + dice.index(bytes.len() + 1 - at);
        match dice.below(7) {
            0 => bytes.insert(at, byte),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => {
                let from = dice.index(other.len() + 1);
                bytes.splice(at..end, other[from..].iter().copied());
            }
            _ if at == bytes.len() => bytes.push(byte),
            4 => bytes[at] ^= 1 << dice.below(8),
            5 => bytes[at] = byte,
            _ => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.index(5)],
        }
    }
    bytes
}

#[test]
fn p10_a_stored_event_is_read_as_it_was_written_or_named() {
    replay("entry", MUTATIONS);
}

#[test]
fn p7_a_snapshot_is_the_state_or_is_left_aside() {
    replay("snapshot", MUTATIONS);
}

#[test]
fn p8_a_name_is_an_entity_or_a_key_of_its_own_or_refused() {
    replay("key", MUTATIONS);
}

#[test]
fn headers_come_back_as_they_were_sent() {
    replay("metadata", MUTATIONS);
}

#[test]
fn a_line_is_a_command_on_a_cart_or_malformed() {
    replay("lines", MUTATIONS);
}

#[test]
fn p9_a_damaged_file_is_refused_or_answers_what_was_written() {
    replay("database", 2);
}

#[test]
fn both_stores_answer_what_a_plain_model_does() {
    replay("operations", 8);
}
