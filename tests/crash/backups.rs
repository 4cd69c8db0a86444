//! Backups that were made beside commands.

use std::path::Path;

use super::book::Backup;
use super::breach::{Breach, BreachKind};
use super::journal::{self, Journal};
use super::store::Opened;

/// A complete backup is a beginning of the journal, with everything that had been told before it
/// began. One that was cut short is nothing, or whole.
pub(super) async fn check(journal: &Journal, backups: Vec<Backup>) -> Result<(), Breach> {
    // Each is read as a whole, so of many only the newest are.
    let newest = backups.len().saturating_sub(2);
    for (index, backup) in backups.into_iter().enumerate() {
        let is_there = backup.file.exists();
        if backup.complete && !is_there {
            let what = format!("{} is gone", backup.file.display());
            return Err(BreachKind::Lost.found(what));
        }
        if is_there && index >= newest {
            check_one(journal, &backup).await?;
        }
        remove(&backup.file);
    }
    Ok(())
}

async fn check_one(journal: &Journal, backup: &Backup) -> Result<(), Breach> {
    let opened = Opened::open(&backup.file).await?;
    opened.verify().await?;
    let copy = journal::read(&opened.store, &opened.runtime).await?;
    opened.close().await?;
    if !journal.entries.starts_with(&copy.entries) {
        let what = format!(
            "{} is not a beginning of the journal",
            backup.file.display()
        );
        return Err(BreachKind::Damaged.found(what));
    }
    for (entity, floor) in &backup.floors {
        if copy.version(*entity) < *floor {
            let what = format!(
                "the backup has {} events of {entity:?}, {floor} had been told when it began",
                copy.version(*entity)
            );
            return Err(BreachKind::Lost.found(what));
        }
    }
    Ok(())
}

fn remove(file: &Path) {
    for ending in ["", ".partial", ".lock", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        // What is not there need not go.
        let _ = std::fs::remove_file(name);
    }
}
