//! `top` and `rebuild`: reading a view, and building it anew.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use statefn::env::{Env, TokioEnv};
use statefn::prelude::*;
use statefn::{ProjectionState, ProjectionStatus};

use crate::bestsellers::Bestseller;
use crate::failure::Failure;
use crate::print::{self, Plain};
use crate::store;

/// How the projection is called in the database.
const PROJECTION: &str = "bestsellers";

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Prints the products that sell best, everything checked out so far included.
pub(crate) async fn top(data: &Path, json: bool, limit: usize) -> Result<(), Failure> {
    with_runtime(data, async |runtime| {
        follow(runtime, json).await?;
        show(runtime, json, limit).await
    })
    .await
}

/// Builds the view anew from the first event on; the old one stays until the new one is complete.
pub(crate) async fn rebuild(data: &Path, json: bool) -> Result<(), Failure> {
    with_runtime(data, async |runtime| {
        follow(runtime, true).await?;
        runtime.admin().rebuild_projection(PROJECTION);
        let status = follow(runtime, json).await?;
        let entries = status.offset.get();
        if json {
            print::lines(json!({"rebuilt": PROJECTION, "entries": entries}))
        } else {
            print::lines(format!("Rebuilt up to entry {entries} of the journal."))
        }
    })
    .await
}

async fn with_runtime(
    data: &Path,
    work: impl AsyncFnOnce(&Runtime) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if !data.exists() {
        let file = data.display().to_string();
        return Err(Failure::Failed(format!("there is no database {file}")));
    }
    let runtime = store::open(data).await?;
    let done = work(&runtime).await;
    done.and(store::close(&runtime).await)
}

/// Waits until the projection has folded what is in the database, behind a bar if somebody looks.
async fn follow(runtime: &Runtime, json: bool) -> Result<ProjectionStatus, Failure> {
    let env = TokioEnv::current().map_err(|error| Failure::of("cannot start", &error))?;
    let bar = bar(json);
    loop {
        let all = runtime.admin().projections();
        let Some(status) = all.into_iter().find(|status| status.name == PROJECTION) else {
            return Err(Failure::Failed(format!("{PROJECTION} does not run")));
        };
        bar.set_length(status.end.get());
        bar.set_position(status.offset.get());
        if let ProjectionState::Stopped(at) = &status.state {
            let (offset, reason) = (at.offset, &at.reason);
            return Err(Failure::Failed(format!(
                "{PROJECTION} has stopped at entry {offset}: {reason}"
            )));
        }
        if status.serves && status.entries_behind() == 0 {
            bar.finish_and_clear();
            return Ok(status);
        }
        env.sleep(LOOK).await;
    }
}

fn bar(json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {pos} of {len} journal entries ({per_sec}, {eta} left)";
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(0);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn show(runtime: &Runtime, json: bool, limit: usize) -> Result<(), Failure> {
    let view = runtime.view::<Bestseller>().after(runtime.position());
    let best = view.index(Bestseller::BOUGHT).descending().limit(limit);
    let page = best.page().await;
    let page = page.map_err(|error| Failure::of("cannot read what sells best", &error))?;
    if json {
        let rows = page.rows.iter().map(row);
        return print::lines(rows.collect::<Value>());
    }
    if page.rows.is_empty() {
        return print::lines("Nothing has been bought yet.");
    }
    let mut text = String::new();
    for (place, row) in page.rows.iter().enumerate() {
        let (name, id) = (Plain(&row.name), Plain(&row.product_id));
        // Writing to a string cannot fail.
        let _ = write!(text, "{:>3}. {:>6} × {name} ({id})", place + 1, row.bought);
        let carts = if row.carts == 1 { "cart" } else { "carts" };
        let _ = writeln!(text, ", in {} {carts}", row.carts);
    }
    print::lines(text.trim_end())
}

fn row(row: &Bestseller) -> Value {
    json!({
        "product": row.product_id,
        "name": row.name,
        "bought": row.bought,
        "carts": row.carts,
    })
}
