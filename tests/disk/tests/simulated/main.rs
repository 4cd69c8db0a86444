//! The SQLite store on a simulated disk. The long run of the same: `cargo run --release -p
//! statefn-disk`.

mod determinism;
mod failed_syncs;
mod failing_disk;
mod full_disk;
mod power_cuts;
