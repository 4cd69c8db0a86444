//! Every bound of the runtime, with its default.

use std::time::Duration;

use statefn_store::OutboxNumber;

/// The bounds of a runtime. Reaching one is an answer, never memory growth.
///
/// A bound of zero lets nothing through, except where nothing at all could move then: one command
/// is always speculated, one entity always recovered.
///
/// ```
/// use statefn::Limits;
///
/// let limits = Limits { mailbox_max: 16, ..Limits::default() };
/// assert_eq!(limits.mailbox_max, 16);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Commands waiting in front of one entity.
    pub mailbox_max: usize,
    /// Calls accepted and not yet answered in the whole runtime.
    pub waiting_max: usize,
    /// Bytes of arguments of calls that wait in a queue, and of larger writes (above 1 KiB) that
    /// wait for their commit, in the whole runtime. The last write that is let in may go beyond.
    pub waiting_bytes_max: usize,
    /// Uncommitted commands of one entity.
    pub speculation_max: usize,
    /// Uncommitted bytes of one entity.
    pub speculation_bytes_max: usize,
    /// Commands in one batch.
    pub batch_max: usize,
    /// Bytes in one batch.
    pub batch_bytes_max: usize,
    /// Bytes of one event, reply, rejection or metadata.
    pub payload_bytes_max: usize,
    /// Bytes of one snapshot; a larger one is left out and reported.
    pub snapshot_bytes_max: usize,
    /// Events of one command.
    pub events_max: usize,
    /// Bytes of an entity id, at least one.
    pub id_bytes_max: usize,
    /// Bytes of an idempotency key, at least one.
    pub key_bytes_max: usize,
    /// Unexpired keys of one entity held in memory; an older key costs a look-up in the store.
    pub keys_max: usize,
    /// Entities in memory.
    pub residents_max: usize,
    /// Recoveries at the same time.
    pub recoveries_max: usize,
    /// Quarantined entities remembered; beyond it each command to one reads the store again.
    pub quarantined_max: usize,
    /// Effects that wait for their delivery in the whole runtime, those on their way to the store
    /// included. Dead letters do not count.
    pub outbox_max: usize,
    /// Bytes of those effects.
    pub outbox_bytes_max: usize,
    /// Effects, and timers set or cancelled, of one command; at most 1,023.
    pub effects_max: usize,
    /// Failed attempts after which an effect, or a timer's firing, becomes a dead letter. A failure of
    /// the store does not count. The waits between them double from 250 ms to one minute.
    pub delivery_attempts_max: u32,
    /// Failed attempts after which a projection stops at an entry, at least one. A failure of the store
    /// does not count. The waits between them double from 250 ms to one minute.
    pub projection_attempts_max: u32,
    /// Commands in a row that wait for the next one's answer, or were forwarded to it.
    pub call_depth_max: usize,
    /// A call without a deadline of its own is answered `Timeout` or `OutcomeUnknown` after this
    /// long, give or take one second.
    pub call_timeout: Duration,
    /// An idle entity without a time of its own leaves memory after this long.
    pub passivate_after: Duration,
}

impl Limits {
    /// The same bounds where a runtime can work with them, the nearest ones where it cannot.
    pub(crate) fn workable(self) -> Self {
        Self {
            speculation_max: self.speculation_max.max(1),
            // A deletion adds one.
            effects_max: self
                .effects_max
                .min(usize::from(OutboxNumber::PER_MEMBER) - 1),
            speculation_bytes_max: self.speculation_bytes_max.max(1),
            recoveries_max: self
                .recoveries_max
                .clamp(1, tokio::sync::Semaphore::MAX_PERMITS),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: usize = 1024;
        const MIB: usize = 1024 * KIB;
        Self {
            mailbox_max: 1024,
            waiting_max: 65_536,
            waiting_bytes_max: 64 * MIB,
            speculation_max: 4096,
            speculation_bytes_max: 8 * MIB,
            batch_max: 1024,
            batch_bytes_max: 4 * MIB,
            payload_bytes_max: MIB,
            snapshot_bytes_max: 16 * MIB,
            events_max: 1024,
            id_bytes_max: KIB,
            key_bytes_max: 256,
            keys_max: 10_000,
            residents_max: 1_000_000,
            recoveries_max: 64,
            quarantined_max: 100_000,
            outbox_max: 65_536,
            outbox_bytes_max: 64 * MIB,
            effects_max: 1_000,
            delivery_attempts_max: 12,
            projection_attempts_max: 5,
            call_depth_max: 64,
            call_timeout: Duration::from_secs(30),
            passivate_after: Duration::from_secs(10 * 60),
        }
    }
}
