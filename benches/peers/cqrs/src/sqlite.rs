//! cqrs-es on SQLite: sqlite-es with its own pool, WAL, and `synchronous=FULL` (it has NORMAL).

use std::str::FromStr;
use std::sync::Arc;

use anyhow::Result;
use sqlite_es::{SqliteCqrs, sqlite_cqrs};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use statefn_bench_kit::{Caller, Load, Sample, data, load};

use crate::cart::{AddItem, Cart};

/// Connections, as `default_sqlite_pool` has them.
const CONNECTIONS: u32 = 10;

/// Commands a second of `callers` on entities of an existing file.
pub(crate) fn run(file: &str, entities: usize, callers: usize, seconds: f64) -> Result<Sample> {
    let runtime = load::runtime()?;
    let options = SqliteConnectOptions::from_str(file)?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(std::time::Duration::from_secs(60))
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
    let pool = runtime.block_on(pool.connect_with(options))?;
    let cqrs: Arc<SqliteCqrs<Cart>> = Arc::new(sqlite_cqrs(pool.clone(), vec![], ()));
    let sample = Load::of(seconds).callers(&runtime, callers, 1, |caller| Shopper {
        cqrs: Arc::clone(&cqrs),
        caller,
        callers,
        entities,
    });
    runtime.block_on(pool.close());
    Ok(sample)
}

/// Uses entities that no other caller uses: cqrs-es answers conflicts, it does not queue.
struct Shopper {
    cqrs: Arc<SqliteCqrs<Cart>>,
    caller: usize,
    callers: usize,
    entities: usize,
}

impl Caller for Shopper {
    async fn call(&mut self, number: u64) {
        let own = self.entities / self.callers;
        // Spread evenly, without a pattern that follows the file.
        let step = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let entity = self.caller + self.callers * (step as usize % own);
        let command = AddItem {
            product: data::product(number).to_owned(),
            name: data::name(number).to_owned(),
            quantity: 1,
        };
        let done = self.cqrs.execute(&data::entity(entity), command).await;
        done.expect("nobody else uses this cart");
    }
}
