//! One row of the journal: its columns, and the two checksums over them.

use std::sync::LazyLock;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::checksum::Checksum;
use super::kind::Kind;
use super::number::from_sql;
use crate::{PersistenceId, Slice};

/// Columns of a header, in the order that [`Header::read`] expects.
pub(super) const HEADER: &str =
    "offset, type, id, kind, slice, sequence, previous, previous_record, header_sum";

/// Columns of a whole entry, in the order that [`Header::read`] and [`Body::read`] expect.
pub(super) const ENTRY: &str = "offset, type, id, kind, slice, sequence, previous, \
     previous_record, header_sum, body_sum, time, metadata, name, version, codec, payload, \
     record_key, record_fingerprint, record_outcome, skips, reason";

/// The header of the entry at an offset.
pub(super) static HEADER_AT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {HEADER} FROM journal WHERE offset = ?1"));

/// The entry at an offset.
pub(super) static ENTRY_AT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {ENTRY} FROM journal WHERE offset = ?1"));

/// What is wrong with a row, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) &'static str);

/// Where an entry belongs: everything on which chains, heads and offsets depend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    pub(super) offset: u64,
    pub(super) entity_type: &'a str,
    pub(super) id: &'a str,
    pub(super) kind: Kind,
    pub(super) slice: Slice,
    /// The entity's sequence number after this entry.
    pub(super) sequence: u64,
    /// The entity's entry before this one, or 0.
    pub(super) previous: u64,
    /// The entity's newest entry with a record before this one, or 0.
    pub(super) previous_record: u64,
}

impl<'a> Header<'a> {
    /// Reads and verifies the columns of [`HEADER`].
    pub(super) fn read(row: &'a Row<'_>) -> Result<Self, Damage> {
        let slice = u16::try_from(number(row, 4)?)
            .ok()
            .and_then(Slice::new)
            .ok_or(Damage("its slice is out of range"))?;
        Self::beside(row, text(row, 1)?, text(row, 2)?, slice)
    }

    /// The same for a row that should be of `id`; `None` if it names another entity.
    pub(super) fn of(row: &'a Row<'_>, id: &'a PersistenceId) -> Result<Option<Self>, Damage> {
        let entity_type = id.entity_type().as_str();
        if !(is_text(row, 2, id.id()) && is_text(row, 1, entity_type)) {
            return Ok(None);
        }
        if signed(row, 4)? != i64::from(id.slice().get()) {
            return Err(Damage("its slice is another one than its id has"));
        }
        Self::beside(row, entity_type, id.id(), id.slice()).map(Some)
    }

    /// Reads what is beside the names, and verifies all.
    fn beside(
        row: &'a Row<'_>,
        entity_type: &'a str,
        id: &'a str,
        slice: Slice,
    ) -> Result<Self, Damage> {
        let header = Self {
            offset: number(row, 0)?,
            entity_type,
            id,
            kind: Kind::of(number(row, 3)?).ok_or(Damage("its kind is unknown"))?,
            slice,
            sequence: number(row, 5)?,
            previous: number(row, 6)?,
            previous_record: number(row, 7)?,
        };
        if header.sum() != signed(row, 8)? {
            return Err(Damage("its header contradicts the checksum"));
        }
        if header.kind.advances() && header.sequence == 0 {
            return Err(Damage("it has no sequence number"));
        }
        if header.previous >= header.offset || header.previous_record > header.previous {
            return Err(Damage("it points forward"));
        }
        Ok(header)
    }

    /// The checksum as it is stored.
    pub(super) fn sum(&self) -> i64 {
        Checksum::of([
            self.offset,
            self.kind as u64,
            u64::from(self.slice.get()),
            self.sequence,
            self.previous,
            self.previous_record,
        ])
        .field(self.entity_type.as_bytes())
        .field(self.id.as_bytes())
        .stored()
    }

    /// The sequence number of the entity before this entry.
    pub(super) fn sequence_before(&self) -> u64 {
        self.sequence - u64::from(self.kind.advances())
    }
}

/// The names in a row of another table; `None` if they are no text.
pub(super) fn id_of(row: &Row<'_>, at: usize) -> Option<PersistenceId> {
    let (entity_type, id) = (text(row, at).ok()?, text(row, at + 1).ok()?);
    Some(PersistenceId::new(entity_type.to_owned(), id))
}

fn is_text(row: &Row<'_>, column: usize, text: &str) -> bool {
    value(row, column) == Ok(ValueRef::Text(text.as_bytes()))
}

/// What an entry says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Body<'a> {
    pub(super) time: i64,
    pub(super) metadata: &'a [u8],
    pub(super) event: Option<EventColumns<'a>>,
    pub(super) record: Option<RecordColumns<'a>>,
    pub(super) skip: Option<SkipColumns<'a>>,
}

/// The columns of an event; those of a state, whose name is the hash of its shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventColumns<'a> {
    pub(super) name: &'a str,
    pub(super) version: u32,
    pub(super) codec: u8,
    pub(super) payload: &'a [u8],
}

/// The columns of an idempotency record.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordColumns<'a> {
    pub(super) key: &'a str,
    pub(super) fingerprint: u128,
    pub(super) outcome: &'a [u8],
}

/// The columns of a skip.
#[derive(Clone, Copy, Debug)]
pub(super) struct SkipColumns<'a> {
    pub(super) sequence: u64,
    pub(super) reason: &'a str,
}

impl<'a> Body<'a> {
    /// Reads and verifies the columns of [`ENTRY`] that an entry of this kind has beyond those of
    /// [`HEADER`].
    pub(super) fn read(row: &'a Row<'_>, header: &Header<'_>) -> Result<Self, Damage> {
        let kind = header.kind;
        let body = Self {
            time: signed(row, 10)?,
            metadata: optional_bytes(row, 11)?,
            event: if kind.is_event() || kind.is_state() {
                Some(EventColumns::read(row)?)
            } else {
                None
            },
            record: if kind.has_record() && !(kind.is_erased() && is_null(row, 16)?) {
                Some(RecordColumns::read(row)?)
            } else {
                None
            },
            skip: if kind == Kind::Skip {
                Some(SkipColumns::read(row)?)
            } else {
                None
            },
        };
        // The header's own sum has been verified with it.
        if body.sum(signed(row, 8)?) == signed(row, 9)? {
            Ok(body)
        } else {
            Err(Damage("its body contradicts the checksum"))
        }
    }

    /// Verifies that the columns which this entry does not have are empty. Whoever reads an entry
    /// does not look at them.
    pub(super) fn others_are_null(&self, row: &Row<'_>) -> Result<(), Damage> {
        let columns = [
            (self.event.is_some(), 12..16),
            (self.record.is_some(), 16..19),
            (self.skip.is_some(), 19..21),
        ];
        for column in columns
            .into_iter()
            .filter_map(|(has, columns)| (!has).then_some(columns))
            .flatten()
        {
            if !is_null(row, column)? {
                return Err(Damage("its kind contradicts its columns"));
            }
        }
        Ok(())
    }

    /// The checksum as it is stored; covers the header's, so that a body cannot change its place.
    pub(super) fn sum(&self, header_sum: i64) -> i64 {
        let mut sum = Checksum::of([header_sum.cast_unsigned(), self.time.cast_unsigned()]);
        sum.field(self.metadata);
        if let Some(event) = &self.event {
            sum.number(1 | (u64::from(event.version) << 8) | (u64::from(event.codec) << 40))
                .field(event.name.as_bytes())
                .field(event.payload);
        }
        if let Some(record) = &self.record {
            sum.number(2)
                .field(record.key.as_bytes())
                .field(&record.fingerprint.to_be_bytes())
                .field(record.outcome);
        }
        if let Some(skip) = &self.skip {
            sum.number(3).number(skip.sequence);
            sum.field(skip.reason.as_bytes());
        }
        sum.stored()
    }
}

impl<'a> EventColumns<'a> {
    fn read(row: &'a Row<'_>) -> Result<Self, Damage> {
        Ok(Self {
            name: text(row, 12)?,
            version: number(row, 13)?
                .try_into()
                .map_err(|_| Damage("its version is out of range"))?,
            codec: number(row, 14)?
                .try_into()
                .map_err(|_| Damage("its codec is out of range"))?,
            payload: bytes(row, 15)?,
        })
    }
}

impl<'a> RecordColumns<'a> {
    fn read(row: &'a Row<'_>) -> Result<Self, Damage> {
        let fingerprint = bytes(row, 17)?
            .try_into()
            .map_err(|_| Damage("its fingerprint has another length"))?;
        Ok(Self {
            key: text(row, 16)?,
            fingerprint: u128::from_be_bytes(fingerprint),
            outcome: bytes(row, 18)?,
        })
    }
}

impl<'a> SkipColumns<'a> {
    fn read(row: &'a Row<'_>) -> Result<Self, Damage> {
        Ok(Self {
            sequence: number(row, 19)?,
            reason: text(row, 20)?,
        })
    }
}

fn value<'a>(row: &'a Row<'_>, column: usize) -> Result<ValueRef<'a>, Damage> {
    row.get_ref(column)
        .map_err(|_| Damage("a column is missing"))
}

fn is_null(row: &Row<'_>, column: usize) -> Result<bool, Damage> {
    Ok(value(row, column)? == ValueRef::Null)
}

/// Bytes; none where there is no value.
fn optional_bytes<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], Damage> {
    match value(row, column)? {
        ValueRef::Null => Ok(&[]),
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(Damage("a column has another type")),
    }
}

/// A number as it is stored.
pub(super) fn signed(row: &Row<'_>, column: usize) -> Result<i64, Damage> {
    match value(row, column)? {
        ValueRef::Integer(number) => Ok(number),
        _ => Err(Damage("a column has another type")),
    }
}

/// A number that is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64, Damage> {
    from_sql(signed(row, column)?).ok_or(Damage("a number is negative"))
}

/// Text, with zero bytes where it has some.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Damage> {
    match value(row, column)? {
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map_err(|_| Damage("a text is not UTF-8"))
        }
        _ => Err(Damage("a column has another type")),
    }
}

/// Bytes.
pub(super) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8], Damage> {
    match value(row, column)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(Damage("a column has another type")),
    }
}
