//! Backup and verification.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use statefn::prelude::*;
use statefn::store::Fault;
use statefn::{Offset, PersistenceId, Verification};

use crate::failure::Failure;
use crate::print::{self, Plain};
use crate::store;

/// Copies the database to a new file.
pub(crate) async fn backup(data: &Path, json: bool, file: &Path) -> Result<(), Failure> {
    must_exist(data)?;
    let runtime = store::open(data).await?;
    let done = copy(&runtime, json, file).await;
    done.and(store::close(&runtime).await)
}

async fn copy(runtime: &Runtime, json: bool, file: &Path) -> Result<(), Failure> {
    let copied = runtime.admin().backup(file).await;
    copied.map_err(|error| Failure::of("no backup was made", &error))?;
    let file = file.display().to_string();
    if json {
        print::lines(json!({"backup": file}))
    } else {
        print::lines(format!("The copy is in {}.", Plain(&file)))
    }
}

/// Checks the database; an error when anything in it is wrong.
pub(crate) async fn verify(data: &Path, json: bool) -> Result<(), Failure> {
    must_exist(data)?;
    let runtime = store::open(data).await?;
    let done = check(&runtime, json).await;
    done.and(store::close(&runtime).await)
}

async fn check(runtime: &Runtime, json: bool) -> Result<(), Failure> {
    let seen = runtime.admin().verify().await;
    let seen = seen.map_err(|error| Failure::of("cannot check the database", &error))?;
    if json {
        print::lines(report(&seen))?;
    } else {
        print::lines(page(&seen))?;
    }
    if seen.is_clean() {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn report(seen: &Verification) -> Value {
    let fault = |fault: &Fault| {
        json!({
            "user": fault.id.as_ref().map(PersistenceId::id),
            "offset": fault.offset.map(Offset::get),
            "fault": fault.what,
        })
    };
    json!({
        "carts": seen.entities,
        "entries": seen.entries,
        "snapshots": seen.snapshots,
        "faults": seen.faults.iter().map(fault).collect::<Vec<_>>(),
    })
}

fn page(seen: &Verification) -> String {
    let mut page = format!(
        "Checked: carts {}, journal entries {}, snapshots {}.\n",
        seen.entities, seen.entries, seen.snapshots
    );
    if seen.is_clean() {
        return page + "Nothing is wrong.";
    }
    // Writing to a string cannot fail.
    let _ = write!(page, "Faults: {}", seen.faults.len());
    for fault in &seen.faults {
        let _ = write!(page, "\n  {}", Plain(&fault.to_string()));
    }
    page
}

/// Checking or copying a database that was only just made would be a lie.
fn must_exist(data: &Path) -> Result<(), Failure> {
    if data.exists() {
        return Ok(());
    }
    let file = data.display().to_string();
    Err(Failure::Failed(format!("there is no database {file}")))
}
