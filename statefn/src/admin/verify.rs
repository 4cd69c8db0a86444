//! A check of the whole store, replay included.

use statefn_store::{EntityType, Fault, LoadError, PersistenceId, StoreFailure};

use crate::runtime::check::{self, Checked};
use crate::runtime::engine::Engine;

/// Entities whose ids are fetched at once.
const PAGE: usize = 256;

/// What [`Admin::verify`](crate::Admin::verify) saw.
///
/// ```
/// use statefn::Verification;
///
/// assert!(Verification::default().is_clean());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Entities that the store's own check saw.
    pub entities: u64,
    /// Journal entries that it saw.
    pub entries: u64,
    /// Snapshots that it saw.
    pub snapshots: u64,
    /// Entities of hosted types, replayed.
    pub replayed: u64,
    /// Snapshots that were compared with the state their events lead to.
    pub compared: u64,
    /// Snapshots written by code of another shape: they are never used.
    pub outdated: u64,
    /// Entities whose state differs in its bytes only and has no `PartialEq` to compare by.
    pub incomparable: u64,
    /// Stored types without code here: their events were not decoded.
    pub unhosted: Vec<EntityType>,
    /// Everything that is wrong, each with its place.
    pub faults: Vec<Fault>,
}

impl Verification {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    fn note(&mut self, id: &PersistenceId, checked: Checked) {
        self.replayed += 1;
        match checked {
            Checked::NoSnapshot => {}
            Checked::Same => self.compared += 1,
            Checked::Outdated => self.outdated += 1,
            Checked::Incomparable => self.incomparable += 1,
            Checked::Faulty(what) => self.faults.push(Fault {
                id: Some(id.clone()),
                offset: None,
                what,
            }),
        }
    }
}

/// Checks the store, then every entity.
pub(super) async fn verify(engine: &Engine) -> Result<Verification, StoreFailure> {
    let shared = engine.shared();
    let report = shared.store.verify().await?;
    let mut verification = Verification {
        entities: report.entities,
        entries: report.entries,
        snapshots: report.snapshots,
        faults: report.faults,
        ..Verification::default()
    };
    verification.unhosted = shared.store.entity_types().await?;
    verification
        .unhosted
        .retain(|stored| shared.hosted.iter().all(|h| h.entity_type != *stored));
    let mut after: Option<PersistenceId> = None;
    loop {
        let page = shared.store.entities(after.as_ref(), PAGE).await?;
        let Some(last) = page.last().cloned() else {
            return Ok(verification);
        };
        for id in &page {
            match check::entity(shared, id).await {
                Ok(Some(checked)) => verification.note(id, checked),
                Ok(None) => {}
                Err(LoadError::Unavailable(cause)) => return Err(cause),
                // The store's own check has named it already.
                Err(_) => verification.replayed += 1,
            }
        }
        after = Some(last);
    }
}
