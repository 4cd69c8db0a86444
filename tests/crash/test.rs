//! P1, P2, P4, P5, P6 and P7 hold when the process is killed: a hundred kills over all loads.
//!
//! More of them, as a table: see CONTRIBUTING.md, "Long tests".

#![cfg(unix)]

use statefn_tests::crash::{Load, Plan, run};

/// Kills of each load.
const KILLS: u64 = 10;

fn survives(load: Load) {
    let totals = run(&Plan {
        program: env!("CARGO_BIN_EXE_crash-load").into(),
        load,
        kills: KILLS,
        seed: 1,
    });
    println!("{}: {totals:?}", load.name());
    assert_eq!(totals.breaches(), Vec::<String>::new());
    assert!(totals.kills + totals.aborts >= KILLS);
    assert!(totals.acknowledged > 0, "nothing was proved");
}

#[test]
fn many_entities() {
    survives(Load::Uniform);
}

#[test]
fn one_hot_entity() {
    survives(Load::Hot);
}

#[test]
fn commands_of_many_events() {
    survives(Load::Blocks);
}

#[test]
fn commands_sent_again_under_their_keys() {
    survives(Load::Retries);
}

#[test]
fn snapshots_every_third_event() {
    survives(Load::Snapshots);
}

#[test]
fn more_entities_than_fit_in_memory() {
    survives(Load::Churn);
}

#[test]
fn large_events() {
    survives(Load::Large);
}

#[test]
fn refusals_and_queries_between_writes() {
    survives(Load::Refusals);
}

#[test]
fn backups_and_checks_beside_commands() {
    survives(Load::Backups);
}

#[test]
fn money_by_effects_and_timers() {
    survives(Load::Money);
}

#[test]
fn panics_in_handlers() {
    survives(Load::Panics);
}
