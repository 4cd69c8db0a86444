//! Backup and verification.

use std::path::Path;

use serde_json::json;
use statefn::prelude::*;

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

pub(crate) async fn verify(data: &Path, json: bool) -> Result<(), Failure> {
    must_exist(data)?;
    let runtime = store::open(data).await?;
    let _ = json;
    store::close(&runtime).await
}

/// Checking or copying a database that was only just made would be a lie.
fn must_exist(data: &Path) -> Result<(), Failure> {
    if data.exists() {
        return Ok(());
    }
    let file = data.display().to_string();
    Err(Failure::Failed(format!("there is no database {file}")))
}
