//! The kinds of entry, under the numbers that are stored.

/// What kind of entry a row is. A *keyed* one holds its command's idempotency record too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Event = 1,
    Record = 2,
    Skip = 3,
    KeyedEvent = 4,
    State = 5,
    KeyedState = 6,
    Deleted = 7,
    KeyedDeleted = 8,
    /// An event, state or deletion that was erased.
    Erased = 9,
    /// The same of a keyed one; the record may still be there.
    KeyedErased = 10,
    /// A skip that was erased.
    ErasedSkip = 11,
    /// A record that was erased, or its outcome.
    ErasedRecord = 12,
    /// A command that sent effects or changed timers, and wrote nothing else.
    Sent = 13,
    /// The same, erased.
    ErasedSent = 14,
}

impl Kind {
    /// The kind of this number.
    pub(super) fn of(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Event,
            2 => Self::Record,
            3 => Self::Skip,
            4 => Self::KeyedEvent,
            5 => Self::State,
            6 => Self::KeyedState,
            7 => Self::Deleted,
            8 => Self::KeyedDeleted,
            9 => Self::Erased,
            10 => Self::KeyedErased,
            11 => Self::ErasedSkip,
            12 => Self::ErasedRecord,
            13 => Self::Sent,
            14 => Self::ErasedSent,
            _ => return None,
        })
    }

    /// The kind with a record in it.
    pub(super) fn keyed(self) -> Self {
        match self {
            Self::Event => Self::KeyedEvent,
            Self::State => Self::KeyedState,
            Self::Deleted => Self::KeyedDeleted,
            other => other,
        }
    }

    /// What the kind becomes when its entry is erased.
    pub(super) fn erased(self) -> Self {
        if matches!(self, Self::Sent | Self::ErasedSent) {
            return Self::ErasedSent;
        }
        match (self.advances(), self.has_record()) {
            (true, true) => Self::KeyedErased,
            (true, false) => Self::Erased,
            (false, true) => Self::ErasedRecord,
            (false, false) => Self::ErasedSkip,
        }
    }

    /// Whether the entry has a sequence number of its own.
    pub(super) fn advances(self) -> bool {
        !matches!(
            self,
            Self::Record
                | Self::Skip
                | Self::ErasedSkip
                | Self::ErasedRecord
                | Self::Sent
                | Self::ErasedSent
        )
    }

    /// Whether it is an event.
    pub(super) fn is_event(self) -> bool {
        matches!(self, Self::Event | Self::KeyedEvent)
    }

    /// Whether it holds a state.
    pub(super) fn is_state(self) -> bool {
        matches!(self, Self::State | Self::KeyedState)
    }

    /// Whether it is a deletion.
    pub(super) fn is_deletion(self) -> bool {
        matches!(self, Self::Deleted | Self::KeyedDeleted)
    }

    /// Whether it takes the place of everything before it.
    pub(super) fn is_whole(self) -> bool {
        self.is_state() || self.is_deletion()
    }

    /// Whether it was erased.
    pub(super) fn is_erased(self) -> bool {
        matches!(
            self,
            Self::Erased
                | Self::KeyedErased
                | Self::ErasedSkip
                | Self::ErasedRecord
                | Self::ErasedSent
        )
    }

    /// Whether the entry holds an idempotency record, or held one before it was erased.
    pub(super) fn has_record(self) -> bool {
        matches!(
            self,
            Self::Record
                | Self::KeyedEvent
                | Self::KeyedState
                | Self::KeyedDeleted
                | Self::KeyedErased
                | Self::ErasedRecord
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_format() {
        let kinds: Vec<Kind> = (0..=u64::from(u8::MAX)).filter_map(Kind::of).collect();
        let numbers: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
        assert_eq!(numbers, (1..=14).collect::<Vec<u8>>());
    }

    #[test]
    fn an_erased_entry_keeps_its_place_in_every_chain() {
        for kind in (1..=14).filter_map(Kind::of) {
            let erased = kind.erased();
            assert!(erased.is_erased());
            assert_eq!(erased.erased(), erased);
            assert_eq!(erased.advances(), kind.advances());
            assert_eq!(erased.has_record(), kind.has_record());
        }
    }
}
