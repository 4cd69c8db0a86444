//! The one place that knows where carts are kept.

use std::path::Path;
use std::time::Duration;

use statefn::prelude::*;

use crate::failure::{Failure, sentence};

/// How long the end of the program waits for what it has begun.
const CLOSING: Duration = Duration::from_secs(30);

/// Opens the database, or makes it, and starts the runtime on it.
pub(crate) async fn open(path: &Path) -> Result<Runtime, Failure> {
    let store = Sqlite::open(path).map_err(|error| Failure::Failed(sentence(&error)))?;
    let runtime = Runtime::builder().store(store).build().await;
    runtime.map_err(|error| Failure::of(&format!("cannot use {}", path.display()), &error))
}

/// Stops the runtime and closes the database.
pub(crate) async fn close(runtime: &Runtime) -> Result<(), Failure> {
    let closed = runtime.shutdown(CLOSING).await;
    closed.map(|_| ()).map_err(|error| {
        Failure::of(
            "cannot close the database cleanly (nothing is lost)",
            &error,
        )
    })
}
