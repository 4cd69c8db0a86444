//! A flag that stays.

use serde::{Deserialize, Serialize};

use super::Crdt;

/// Starts as `false` and can only be enabled.
///
/// The booleans under *or*, the smallest lattice of Almeida et al. (2018), section 3. (Flags that
/// can be disabled again need dots: an [`OrSet`](super::OrSet) of one element is one.)
///
/// ```
/// use statefn::crdt::{Crdt, Flag};
///
/// let mut closed = Flag::default();
/// assert!(closed.enable());
/// assert!(!closed.enable());
/// closed.merge(&Flag::default());
/// assert!(closed.is_enabled());
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub struct Flag {
    is_enabled: bool,
    is_changed: bool,
}

impl Flag {
    /// Whether any replica enabled it.
    pub fn is_enabled(&self) -> bool {
        self.is_enabled
    }

    /// Enables it. Answers whether that was a change.
    pub fn enable(&mut self) -> bool {
        let is_change = !self.is_enabled;
        self.is_enabled = true;
        self.is_changed |= is_change;
        is_change
    }
}

impl PartialEq for Flag {
    fn eq(&self, other: &Self) -> bool {
        self.is_enabled == other.is_enabled
    }
}

impl Eq for Flag {}

impl From<bool> for Flag {
    fn from(is_enabled: bool) -> Self {
        let is_changed = false;
        Self {
            is_enabled,
            is_changed,
        }
    }
}

impl From<Flag> for bool {
    fn from(flag: Flag) -> Self {
        flag.is_enabled
    }
}

impl Crdt for Flag {
    fn merge(&mut self, other: &Self) {
        self.is_enabled |= other.is_enabled;
    }

    fn take_delta(&mut self) -> Option<Self> {
        let is_changed = std::mem::take(&mut self.is_changed);
        is_changed.then(|| Self::from(true))
    }
}
