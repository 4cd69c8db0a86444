//! The promises of the runtime, a module each.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod account;
mod actions;
mod async_commands;
mod bad_input;
mod crdt;
mod crud;
mod effects;
mod forwards;
mod kit;
mod p10_never_skip;
mod p1_durable;
mod p2_gated;
mod p3_one_at_a_time;
mod p4_all_or_nothing;
mod p5_deadlines;
mod p5_said_plainly;
mod p5_shutdown;
mod p6_at_most_once;
mod p7_replay_is_live;
mod p7_snapshots;
mod p8_names_and_times;
mod p8_queues;
mod p8_residents;
mod p8_sizes;
mod p8_windows;
mod p9_drops;
mod p9_isolated;
mod p9_reentrancy;
mod p9_runtime_gone;
mod path_of_a_command;
mod projections;
mod sleeper;
mod timers;
