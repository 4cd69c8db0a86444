//! What is asked of purses and drafts, and how that was answered.

use serde::{Deserialize, Serialize};

/// One order, under a number that no other has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::crash) struct Order {
    pub(in crate::crash) number: u64,
    /// Who gives it. Drafts belong to one clerk each, who waits for an answer before the next order.
    pub(in crate::crash) clerk: u64,
    pub(in crate::crash) errand: Errand,
    /// Whether it has an idempotency key: its number.
    pub(in crate::crash) keyed: bool,
    /// Whether its clerk goes away once it is accepted.
    pub(in crate::crash) dropped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::crash) enum Errand {
    /// Money from one purse to another.
    Send {
        from: Purse,
        to: Purse,
        amount: i64,
        how: How,
    },
    /// All that a vault has goes to the bank, and the vault is deleted.
    Close { vault: u64 },
    /// A number is written into the clerk's own draft.
    Write,
    /// The clerk's own draft is purged.
    Purge,
}

impl Errand {
    /// Whether the domain says no, after the command has asked for its effect.
    pub(in crate::crash) fn is_refused(&self) -> bool {
        matches!(self, Self::Send { amount, .. } if amount % 10 == 0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::crash) enum How {
    Effect,
    /// The reply waits for the other purse.
    Waiting,
    /// After so many milliseconds; from accounts only, as a vault that is deleted ends its timers.
    Later(u64),
    /// By a command that asks another entity first; from accounts only.
    Async,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::crash) struct Purse {
    pub(in crate::crash) kind: PurseKind,
    pub(in crate::crash) number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::crash) enum PurseKind {
    /// Event-sourced, never deleted.
    Account,
    /// CRUD, deleted now and then.
    Vault,
}

impl Purse {
    pub(in crate::crash) fn id(self) -> String {
        match self.kind {
            PurseKind::Account => format!("account-{}", self.number),
            PurseKind::Vault => format!("vault-{}", self.number),
        }
    }
}

/// How an order was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::crash) enum Outcome {
    Done,
    Refused,
    NotApplied,
    /// The runtime takes no calls any more: not applied.
    Stopped,
    /// Also when the clerk went away.
    Unknown,
    /// An answer that this load should never get.
    Odd(String),
}

/// The prefix of a draft's id, in front of its clerk's number.
pub(in crate::crash) const DRAFT: &str = "draft-";

/// How many timers beat all the time.
pub(in crate::crash) const METRONOMES: u64 = 2;
