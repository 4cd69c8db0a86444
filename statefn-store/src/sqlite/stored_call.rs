//! The columns of a stored call, which effects and timers share.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::checksum::Checksum;
use super::row::{Damage, bytes, id_of, number, text};
use crate::{PersistenceId, StoredCall};

/// Columns of a call, in the order that [`read`] expects.
pub(super) const CALL: &str =
    "type, id, target_type, target_id, command, codec, arguments, metadata, hops";

/// The entity that sent the call, and the call; begins at column `at`.
pub(super) fn read(row: &Row<'_>, at: usize) -> Result<(PersistenceId, StoredCall), Damage> {
    let sender = id_of(row, at).ok_or(Damage("a name is no text"))?;
    let target = id_of(row, at + 2).ok_or(Damage("a name is no text"))?;
    let call = StoredCall {
        target,
        command: text(row, at + 4)?.to_owned().into(),
        codec: small(row, at + 5)?,
        arguments: bytes(row, at + 6)?.to_vec(),
        metadata: if is_null(row, at + 7)? {
            Vec::new()
        } else {
            bytes(row, at + 7)?.to_vec()
        },
        hops: small(row, at + 8)?,
    };
    Ok((sender, call))
}

/// Adds all columns of a call to the sum of its row.
pub(super) fn sum(sum: &mut Checksum, sender: &PersistenceId, call: &StoredCall) {
    for id in [sender, &call.target] {
        sum.field(id.entity_type().as_str().as_bytes())
            .field(id.id().as_bytes());
    }
    sum.field(call.command.as_bytes())
        .number(u64::from(call.codec))
        .field(&call.arguments)
        .field(&call.metadata)
        .number(u64::from(call.hops));
}

/// A number of fewer bits.
pub(super) fn small<T: TryFrom<u64>>(row: &Row<'_>, column: usize) -> Result<T, Damage> {
    T::try_from(number(row, column)?).map_err(|_| Damage("a number is out of range"))
}

/// Whether a column holds nothing.
pub(super) fn is_null(row: &Row<'_>, column: usize) -> Result<bool, Damage> {
    let value = row.get_ref(column);
    let value = value.map_err(|_| Damage("a column is missing"))?;
    Ok(value == ValueRef::Null)
}
