//! The one hash that is stored: it may never change.

/// 128-bit FNV-1a (Fowler, Noll, Vo; IETF draft draft-eastlake-fnv).
///
/// Tells requests and shapes apart that differ by accident; it is no defence against somebody who
/// looks for collisions, and nothing here needs one.
pub(crate) fn stable_128(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        })
}
