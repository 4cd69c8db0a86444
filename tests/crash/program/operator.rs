//! An operator at work while commands go on: backups and checks in turn.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::World;
use crate::crash::report::Report;

/// Works until the program is told to stop.
pub(super) async fn work(world: Arc<World>, stopped: watch::Receiver<bool>) {
    let admin = world.runtime.admin();
    let voice = &world.voice;
    for number in world.assignment.first_command.. {
        if *stopped.borrow() {
            return;
        }
        let copy = copy_name(&world.assignment.file, number);
        voice.say(&Report::BackingUp(copy.clone()));
        let done = admin.backup(&copy).await.map_err(|error| error.to_string());
        voice.say(&Report::BackedUp(copy, done));
        if *stopped.borrow() {
            return;
        }
        voice.say(&Report::Verifying);
        let faults = match admin.verify().await {
            Ok(seen) => seen.faults.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        voice.say(&Report::Verified(faults));
    }
}

fn copy_name(file: &std::path::Path, number: u64) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".copy-{number}"));
    PathBuf::from(name)
}
