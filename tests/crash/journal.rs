//! A store read back through the public interface, and whether it is whole in itself.

use std::collections::{BTreeMap, BTreeSet};

use statefn::prelude::*;
use statefn::store::{Entry, EntryBody, Offset, Store};
use statefn::{HistoryEvent, SequenceNumber};

use super::breach::{Breach, BreachKind};
use super::ledger::{Ledger, Notebook, Part, Posting, View};
use super::report::{Address, EntityKind, command_of};

/// Entries read at once.
const PAGE: usize = 4_096;

/// Everything in a store.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) entries: Vec<Entry>,
    /// The state of each entity after each of its events, by a plain fold; the first is the empty
    /// one.
    pub(super) states: BTreeMap<Address, Vec<View>>,
    pub(super) blocks: BTreeMap<u64, Block>,
    /// Commands whose outcome is recorded under their key.
    pub(super) records: BTreeSet<u64>,
}

/// The events of one command.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) entity: Address,
    /// The entity's version before it.
    pub(super) before: u64,
    pub(super) first: Offset,
    pub(super) last: Offset,
    pub(super) amounts: Vec<i64>,
    pub(super) padding: u64,
}

/// Reads a store; checks offsets, sequence numbers, blocks, and the live state of each entity.
pub(super) async fn read(store: &Sqlite, runtime: &Runtime) -> Result<Journal, Breach> {
    let entries = entries(store).await?;
    let mut journal = Journal {
        states: BTreeMap::new(),
        blocks: BTreeMap::new(),
        records: records(&entries)?,
        entries,
    };
    for (entity, offsets) in offsets(&journal.entries)? {
        let events = history(runtime, entity).await?;
        let parts = parts(entity, &events, &offsets)?;
        journal.take_blocks(entity, &parts)?;
        let mut states = vec![View::default()];
        for (_, part) in &parts {
            let last = states.last().copied().unwrap_or_default();
            states.push(last.after(*part));
        }
        let live = look(runtime, entity).await?;
        if states.last() != Some(&live) {
            let what = format!(
                "{entity:?} is {live:?} live and {:?} by the model",
                states.last()
            );
            return Err(BreachKind::Diverged.found(what));
        }
        journal.states.insert(entity, states);
    }
    Ok(journal)
}

/// All entries; their offsets count from one without a gap.
pub(super) async fn entries(store: &Sqlite) -> Result<Vec<Entry>, Breach> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let next = Offset::new(entries.len() as u64 + 1);
        let page = store.read(next, PAGE).await.map_err(damaged)?;
        if page.is_empty() {
            return Ok(entries);
        }
        for entry in page {
            let expected = entries.len() as u64 + 1;
            if entry.offset.get() != expected {
                let what = format!("offset {} where {expected} was expected", entry.offset);
                return Err(BreachKind::Damaged.found(what));
            }
            entries.push(entry);
        }
    }
}

/// The offsets of each entity's events.
fn offsets(entries: &[Entry]) -> Result<BTreeMap<Address, Vec<Offset>>, Breach> {
    let mut offsets: BTreeMap<Address, Vec<Offset>> = BTreeMap::new();
    for entry in entries {
        let entity = Address::of(entry.id.entity_type().as_str(), entry.id.id());
        let Some(entity) = entity else {
            let what = format!("an entry of {}, which nobody used", entry.id);
            return Err(BreachKind::Damaged.found(what));
        };
        let events = offsets.entry(entity).or_default();
        if matches!(entry.body, EntryBody::Event { .. }) {
            events.push(entry.offset);
        }
        if entry.sequence.get() != events.len() as u64 {
            let what = format!(
                "{entity:?} has sequence number {} after {} events",
                entry.sequence,
                events.len()
            );
            return Err(BreachKind::Damaged.found(what));
        }
    }
    Ok(offsets)
}

/// Each key has one record, on the last event of its command if that has events.
fn records(entries: &[Entry]) -> Result<BTreeSet<u64>, Breach> {
    let mut records = BTreeSet::new();
    for record in entries.iter().filter_map(|entry| entry.body.record()) {
        let Some(command) = command_of(&record.key) else {
            let what = format!("a record under {:?}, which nobody used", record.key);
            return Err(BreachKind::Damaged.found(what));
        };
        if !records.insert(command) {
            let what = format!("two records of command {command}");
            return Err(BreachKind::Doubled.found(what));
        }
    }
    Ok(records)
}

async fn history(runtime: &Runtime, entity: Address) -> Result<Vec<HistoryEvent<Posting>>, Breach> {
    let (id, from) = (entity.id(), SequenceNumber::ZERO);
    let admin = runtime.admin();
    let events = match entity.kind {
        EntityKind::Ledger => admin.history::<Ledger>(&id, from, usize::MAX).await,
        EntityKind::Notebook => admin.history::<Notebook>(&id, from, usize::MAX).await,
    };
    events.map_err(damaged)
}

async fn look(runtime: &Runtime, entity: Address) -> Result<View, Breach> {
    let seen = match entity.kind {
        EntityKind::Ledger => runtime.entity::<Ledger>(entity.id()).look().await,
        EntityKind::Notebook => runtime.entity::<Notebook>(entity.id()).look().await,
    };
    seen.map_err(damaged)
}

/// The history of an entity is what the journal has of it: decoded, in order, without a gap.
fn parts(
    entity: Address,
    events: &[HistoryEvent<Posting>],
    offsets: &[Offset],
) -> Result<Vec<(Offset, Part)>, Breach> {
    let mut parts = Vec::new();
    for (sequence, event) in (1..).zip(events) {
        let Ok(Posting::Posted { part, padding }) = &event.event else {
            let what = format!("{entity:?} holds {:?}", event.event);
            return Err(BreachKind::Damaged.found(what));
        };
        if event.sequence.get() != sequence || padding.len() as u64 != part.padding {
            let what = format!("{entity:?} has {part:?} at {}", event.sequence);
            return Err(BreachKind::Damaged.found(what));
        }
        parts.push((event.offset, *part));
    }
    if !parts.iter().map(|(offset, _)| offset).eq(offsets) {
        let what = format!("the chain of {entity:?} is not what the journal has of it");
        return Err(BreachKind::Damaged.found(what));
    }
    Ok(parts)
}

impl Journal {
    /// Cuts an entity's events into the blocks of its commands.
    fn take_blocks(&mut self, entity: Address, parts: &[(Offset, Part)]) -> Result<(), Breach> {
        let mut rest = parts;
        let mut before = 0;
        while let Some((first, start)) = rest.first() {
            let command = start.command;
            let (block, behind) = rest
                .split_at_checked(usize::try_from(start.of).unwrap_or(usize::MAX))
                .ok_or_else(|| torn(entity, command))?;
            for (index, (offset, part)) in (0..).zip(block) {
                let is_next = offset.get() == first.get() + index;
                if part.command != command || part.index != index || !is_next {
                    return Err(torn(entity, command));
                }
            }
            let found = Block {
                entity,
                before,
                first: *first,
                last: block.last().map_or(*first, |(offset, _)| *offset),
                amounts: block.iter().map(|(_, part)| part.amount).collect(),
                padding: start.padding,
            };
            if self.blocks.insert(command, found).is_some() {
                let what = format!("command {command} is in the journal twice");
                return Err(BreachKind::Doubled.found(what));
            }
            before += block.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    /// The state of an entity at a version, if it ever had that one.
    pub(super) fn state(&self, entity: Address, version: u64) -> Option<View> {
        let Some(states) = self.states.get(&entity) else {
            return (version == 0).then(View::default);
        };
        states.get(usize::try_from(version).ok()?).copied()
    }

    /// How many events an entity has.
    pub(super) fn version(&self, entity: Address) -> u64 {
        let states = self.states.get(&entity).map_or(1, Vec::len);
        states as u64 - 1
    }
}

fn torn(entity: Address, command: u64) -> Breach {
    let what = format!("only a part of command {command} on {entity:?}, or not in one piece");
    BreachKind::Torn.found(what)
}

fn damaged(error: impl std::fmt::Display) -> Breach {
    BreachKind::Damaged.found(error.to_string())
}
