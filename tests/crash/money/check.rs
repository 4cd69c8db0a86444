//! Lets everything that is under way arrive, and counts it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use statefn::codec::Codec;
use statefn::prelude::*;
use statefn::store::{EntryBody, OutboxNumber, Store, Timestamp};
use statefn::testing::VirtualClock;
use statefn::{PersistenceId, SequenceNumber};

use super::book::Money;
use super::entities::{Account, Beat, Draft, INTERVAL, Metronome, Moved, Vault};
use super::order::{DRAFT, Errand, METRONOMES, Outcome};
use crate::crash::breach::{Breach, BreachKind};
use crate::crash::journal;
use crate::crash::oracle::Checked;
use crate::crash::store::{Opened, verify};

/// Whoever has not come to rest after this long never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much later it is when everything must have arrived: more than any timer waits.
const LATER: i64 = 1_000;

/// 2026-01-01T00:00:00Z: where a virtual clock begins.
const CLOCK_START: i64 = 1_767_225_600_000;

/// Checks a store whose owner is dead. What is under way in it arrives meanwhile.
pub(in crate::crash) async fn check(file: &Path, money: &mut Money) -> Result<Checked, Breach> {
    let settled = Settled::open(file).await?;
    settled.is_at_rest().await?;
    let marks = settled.marks().await?;
    settled.sums_up().await?;
    settled.kept_every_beat().await?;
    let checked = compare(&marks, money)?;
    for (clerk, orders) in &money.drafts {
        let written = settled.draft(*clerk).await?;
        let purged = holds(orders, &mut money.orders, &written)?;
        settled
            .is_erased(*clerk, orders.get(..purged).unwrap_or_default())
            .await?;
    }
    verify(&settled.opened.runtime).await?;
    settled.opened.close().await?;
    Ok(checked)
}

/// A store on which nothing is under way any more.
struct Settled {
    opened: Opened,
    now: Timestamp,
}

impl Settled {
    async fn open(file: &Path) -> Result<Self, Breach> {
        let store = Sqlite::open(file).map_err(|error| {
            let what = format!("{} does not open: {error:?}", file.display());
            BreachKind::Locking.found(what)
        })?;
        let entries = journal::entries(&store).await?;
        let newest = entries.iter().map(|entry| entry.time.as_millis()).max();
        let clock = VirtualClock::new();
        let since = newest.unwrap_or(0).max(CLOCK_START) - CLOCK_START + LATER;
        clock.advance(Duration::from_millis(since.unsigned_abs()));
        let builder = Runtime::builder().store(store.clone()).env(clock.clone());
        let builder = builder.only::<(Account, Vault, Draft, Metronome)>();
        let runtime = builder.build().await.map_err(|error| {
            let what = format!("{}: {error:?}", file.display());
            BreachKind::Locking.found(what)
        })?;
        let resting = tokio::time::timeout(PATIENCE, runtime.settle()).await;
        match resting {
            Ok(0) => {}
            other => {
                let what = format!("effects do not come to rest: {other:?}");
                return Err(BreachKind::Silent.found(what));
            }
        }
        Ok(Self {
            opened: Opened { store, runtime },
            now: clock.now(),
        })
    }

    /// Nothing waits, and nothing was given up.
    async fn is_at_rest(&self) -> Result<(), Breach> {
        let store = &self.opened.store;
        let effects = store.effects(OutboxNumber::ZERO, 10).await;
        let timers = store.timers(self.now, 10).await;
        let dead = store.dead_letters(OutboxNumber::ZERO, 10).await;
        let (effects, timers) = (effects.map_err(damaged)?, timers.map_err(damaged)?);
        let dead = dead.map_err(damaged)?;
        if effects.is_empty() && timers.is_empty() && dead.is_empty() {
            return Ok(());
        }
        let what = format!("left over: {effects:?} {timers:?} {dead:?}");
        Err(BreachKind::Lost.found(what))
    }

    /// How often each order has arrived.
    async fn marks(&self) -> Result<BTreeMap<u64, u64>, Breach> {
        let mut marks: BTreeMap<u64, u64> = BTreeMap::new();
        let mut left: BTreeMap<u64, u64> = BTreeMap::new();
        for id in self.ids("account").await? {
            let admin = self.opened.runtime.admin();
            let history = admin.history::<Account>(id.id(), SequenceNumber::ZERO, usize::MAX);
            for event in history.await.map_err(damaged)? {
                match event.event.map_err(damaged)? {
                    Moved::In { order, .. } => *marks.entry(order).or_default() += 1,
                    Moved::Out { order, .. } => *left.entry(order).or_default() += 1,
                }
            }
        }
        for (order, count) in &left {
            if *count > 1 {
                let what = format!("order {order} was sent {count} times");
                return Err(BreachKind::Doubled.found(what));
            }
            if !marks.contains_key(order) {
                let what = format!("order {order} was sent and did not arrive");
                return Err(BreachKind::Lost.found(what));
            }
        }
        Ok(marks)
    }

    /// Money is neither made nor lost.
    async fn sums_up(&self) -> Result<(), Breach> {
        let (runtime, mut sum) = (&self.opened.runtime, 0);
        for id in self.ids("account").await? {
            let balance = runtime.entity::<Account>(id.id()).balance().await;
            sum += balance.map_err(damaged)?;
        }
        for id in self.ids("vault").await? {
            let balance = runtime.entity::<Vault>(id.id()).balance().await;
            sum += balance.map_err(damaged)?;
        }
        if sum == 0 {
            return Ok(());
        }
        let what = format!("the sum of all purses is {sum}, not 0");
        Err(BreachKind::Diverged.found(what))
    }

    async fn ids(&self, entity_type: &str) -> Result<Vec<PersistenceId>, Breach> {
        let all = self.opened.store.entities(None, 10_000).await;
        let all = all.map_err(damaged)?.into_iter();
        Ok(all
            .filter(|id| id.entity_type().as_str() == entity_type)
            .collect())
    }

    /// Every time at which a metronome was due has had one beat, and the next one is due right after them.
    async fn kept_every_beat(&self) -> Result<(), Breach> {
        let end = Timestamp::from_millis(i64::MAX);
        let timers = self.opened.store.timers(end, 1_000).await;
        let timers = timers.map_err(damaged)?;
        for number in 0..METRONOMES {
            let id = format!("metronome-{number}");
            let admin = self.opened.runtime.admin();
            let history = admin.history::<Metronome>(&id, SequenceNumber::ZERO, usize::MAX);
            let (mut started, mut beats) = (Vec::new(), 0);
            for event in history.await.map_err(damaged)? {
                match event.event.map_err(damaged)? {
                    Beat::Started { at_millis } => started.push(at_millis),
                    Beat::Beaten => beats += 1,
                }
            }
            let mine = timers.iter().filter(|timer| timer.owner.id() == id);
            let due: Vec<i64> = mine.map(|timer| timer.due.as_millis()).collect();
            let expected: Vec<i64> = started
                .iter()
                .map(|start| start + (beats + 1) * INTERVAL)
                .collect();
            if started.len() > 1 || due != expected {
                let what = format!(
                    "{id}: started at {started:?}, {beats} beats, next due {due:?}, not {expected:?}"
                );
                return Err(BreachKind::Doubled.found(what));
            }
        }
        Ok(())
    }

    async fn draft(&self, clerk: u64) -> Result<Vec<u64>, Breach> {
        let draft = format!("{DRAFT}{clerk}");
        let orders = self.opened.runtime.entity::<Draft>(draft).orders().await;
        orders.map_err(damaged)
    }

    /// No state in the journal says any more what was purged.
    async fn is_erased(&self, clerk: u64, purged: &[u64]) -> Result<(), Breach> {
        let draft = format!("{DRAFT}{clerk}");
        for entry in journal::entries(&self.opened.store).await? {
            let EntryBody::State { state, .. } = &entry.body else {
                continue;
            };
            if entry.id.id() != draft {
                continue;
            }
            let state: Draft = Codec::Bincode.decode(&state.payload).map_err(damaged)?;
            if let Some(order) = state.orders.iter().find(|order| purged.contains(order)) {
                let what =
                    format!("order {order} is to be read in {draft}, which was purged since");
                return Err(BreachKind::Damaged.found(what));
            }
        }
        Ok(())
    }
}

/// What was acknowledged has arrived once, what was told not done has not; the rest is known from now on.
fn compare(marks: &BTreeMap<u64, u64>, money: &mut Money) -> Result<Checked, Breach> {
    let mut checked = Checked::default();
    if let Some(order) = marks.keys().find(|order| !money.orders.contains_key(order)) {
        let what = format!("order {order} arrived, and nobody gave it");
        return Err(BreachKind::Damaged.found(what));
    }
    for (number, known) in &mut money.orders {
        if known.order.errand == Errand::Purge {
            continue;
        }
        let count = marks.get(number).copied().unwrap_or(0);
        let what = || format!("order {number} arrived {count} times: {known:?}");
        if count > 1 {
            return Err(BreachKind::Doubled.found(what()));
        }
        if count == 0 && known.is_done() {
            return Err(BreachKind::Lost.found(what()));
        }
        if count == 1 && !known.may_be_done() {
            return Err(BreachKind::Untrue.found(what()));
        }
        if known.open && known.told.is_none() {
            checked.durable_unacknowledged += count;
            checked.unknown_absent += 1 - count;
        }
        known.found = Some(count == 1);
        known.open = false;
    }
    Ok(checked)
}

/// A draft holds what was written since its last purge, in order. How many of its orders came before the
/// last purge that was acknowledged.
fn holds(
    orders: &[u64],
    known: &mut BTreeMap<u64, super::book::Known>,
    written: &[u64],
) -> Result<usize, Breach> {
    let (mut begin, mut erased) = (0, 0);
    let mut maybe = None;
    for (index, number) in orders.iter().enumerate() {
        let Some(order) = known.get(number) else {
            continue;
        };
        if order.order.errand != Errand::Purge {
            continue;
        }
        if order.told == Some(Outcome::Done) {
            erased = index;
        }
        if order.is_done() {
            (begin, maybe) = (index, None);
        } else if order.open {
            maybe = Some(index);
        }
    }
    let since = |begin: usize| -> Vec<u64> {
        let done = |number: &&u64| {
            known.get(number).is_some_and(|known| {
                known.order.errand == Errand::Write && known.found == Some(true)
            })
        };
        orders.iter().skip(begin).filter(done).copied().collect()
    };
    let purged = match maybe.filter(|begin| since(*begin) == written) {
        Some(begin) => Some(begin),
        None if since(begin) == written => None,
        None => {
            let what = format!(
                "a draft holds {written:?}, not {:?}, or {:?} after its purge",
                since(begin),
                maybe.map(since)
            );
            return Err(BreachKind::Diverged.found(what));
        }
    };
    for (index, number) in orders.iter().enumerate() {
        if let Some(known) = known.get_mut(number)
            && known.order.errand == Errand::Purge
            && known.open
        {
            known.found = Some(known.told.is_some() || purged == Some(index));
            known.open = false;
        }
    }
    Ok(erased)
}

fn damaged(error: impl std::fmt::Display) -> Breach {
    BreachKind::Damaged.found(error.to_string())
}
