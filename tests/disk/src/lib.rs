//! A simulated disk under the real, bundled SQLite, for the real backend.
//!
//! [`vfs`] is what SQLite calls instead of the operating system; a [`disk`] keeps what is written
//! in memory, fails on request, and notes every operation in a [`trace`]. A [`driver`] runs a
//! [`workload`] against `statefn_store::Sqlite` on such a disk and writes a [`ledger`] of what it
//! was told. Afterwards, every moment of the trace becomes a power cut: a [`platter`] says what is
//! on the disk then, under one of five models, and [`check`] opens it and holds it against the
//! ledger. [`errors`] runs workloads on disks that fail or are full, and [`sweep`] does so for every
//! operation.
//!
//! The only place of the repository with `unsafe`, in two files of [`vfs`].

pub mod calls;
pub mod change;
pub mod check;
pub mod cuts;
pub mod disk;
pub mod driver;
pub mod erasure;
pub mod errors;
pub mod image;
pub mod ledger;
pub mod mount;
pub mod platter;
pub mod random;
pub mod seen;
pub mod sweep;
pub mod trace;
pub mod trouble;
pub mod vfs;
pub mod waiting;
pub mod workload;
