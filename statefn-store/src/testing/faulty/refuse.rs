//! A commit of which one entity's part is refused.

use crate::{Batch, CommitError, Outcome, Refusal, Store};

/// Commits all but the member at `index`, counted round the batch, and the later ones of its entity.
pub(super) async fn commit(
    store: &dyn Store,
    batch: Batch,
    index: usize,
) -> Result<Vec<Outcome>, CommitError> {
    let index = index.checked_rem(batch.members.len()).unwrap_or(0);
    let victim = batch.members.get(index).map(|member| member.id.clone());
    let mut refusals = Vec::with_capacity(batch.members.len());
    let mut kept = Vec::with_capacity(batch.members.len());
    for (at, member) in batch.members.into_iter().enumerate() {
        let refusal = if victim.as_ref() != Some(&member.id) || at < index {
            None
        } else if at == index {
            Some(Refusal::Stale {
                expected: member.expected,
                actual: member.expected.next(),
            })
        } else {
            Some(Refusal::Overtaken)
        };
        refusals.push(refusal);
        if refusal.is_none() {
            kept.push(member);
        }
    }
    let rest = Batch {
        epoch: batch.epoch,
        members: kept,
    };
    let mut committed = store.commit(rest).await?.into_iter();
    let outcomes = refusals.into_iter().filter_map(|refusal| match refusal {
        Some(refusal) => Some(Outcome::Refused(refusal)),
        None => committed.next(),
    });
    Ok(outcomes.collect())
}
