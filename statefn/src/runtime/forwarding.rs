//! Forwards on their way: where they go, what a record keeps of that, and until when.

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn_store::{PersistenceId, SequenceNumber, StoredCall, Timestamp};

use crate::call_error::Failure;
use crate::chain::{Chain, CommandId};
use crate::codec::{Codec, DecodeError, EncodeError};
use crate::forward::Destination;
use crate::hash::stable_128;
use crate::limits::Limits;
use crate::runtime::budget::Underway;
use crate::runtime::sending;

/// Where a command was forwarded: what its record keeps, so that a retry follows.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) call: StoredCall,
    /// Under which the target runs it at most once.
    pub(crate) key: Option<Box<str>>,
    /// The command that has forwarded.
    pub(crate) command: CommandId,
    /// Whether that command has written anything but its record.
    pub(crate) wrote: bool,
}

/// A forward that is to be made once its command has committed.
pub(crate) struct Forwarding {
    pub(crate) route: Route,
    /// The commands that wait for it, with the one that has forwarded.
    pub(crate) chain: Arc<Chain>,
    /// When the target must have answered, by `Env::now`.
    pub(crate) until: Duration,
    pub(crate) runtime: Option<Weak<dyn Any + Send + Sync>>,
    /// The span of the command that has forwarded.
    pub(crate) span: tracing::Span,
    /// A shutdown waits for it.
    pub(crate) underway: Underway,
}

/// What can be said against a forward before its command is applied.
pub(crate) fn check(destination: &Destination, limits: &Limits) -> Result<(), Failure> {
    let Destination {
        call, key, chain, ..
    } = destination;
    let call = call.as_ref().map_err(Clone::clone)?;
    sending::check(call, limits)?;
    if let Some(key) = key {
        let (bytes, limit) = (key.len(), limits.key_bytes_max);
        if bytes > limit {
            let what = "the key of a forward";
            return Err(Failure::TooLarge { what, bytes, limit });
        }
        if bytes == 0 {
            return Err(Failure::Invalid {
                what: "key of a forward",
                reason: "it must have at least one byte".into(),
            });
        }
    }
    chain.admit(&call.target, limits.call_depth_max)
}

/// A key for the target of a keyed command: no other run has it, and retries of this one find it in
/// its record.
pub(super) fn derived_key(
    id: &PersistenceId,
    key: &str,
    sequence: SequenceNumber,
    now: Timestamp,
) -> Box<str> {
    let mut facts = Vec::with_capacity(128);
    for bytes in [
        id.entity_type().as_str().as_bytes(),
        id.id().as_bytes(),
        key.as_bytes(),
        &sequence.get().to_le_bytes(),
        &now.as_millis().to_le_bytes(),
    ] {
        facts.extend_from_slice(&bytes.len().to_le_bytes());
        facts.extend_from_slice(bytes);
    }
    format!("forward {:032x}", stable_128(&facts)).into()
}

/// A route as a record holds it, in our own codec.
#[derive(Serialize, Deserialize)]
struct StoredRoute<'a> {
    entity_type: Cow<'a, str>,
    id: Cow<'a, str>,
    command: Cow<'a, str>,
    codec: u8,
    arguments: Cow<'a, [u8]>,
    metadata: Cow<'a, [u8]>,
    key: Option<Cow<'a, str>>,
    by: u128,
    wrote: bool,
}

impl Route {
    /// Appends the stored form.
    pub(super) fn encode(&self, into: &mut Vec<u8>) -> Result<(), EncodeError> {
        let call = &self.call;
        let stored = StoredRoute {
            entity_type: call.target.entity_type().as_str().into(),
            id: call.target.id().into(),
            command: (&*call.command).into(),
            codec: call.codec,
            arguments: call.arguments.as_slice().into(),
            metadata: call.metadata.as_slice().into(),
            key: self.key.as_deref().map(Into::into),
            by: self.command.get(),
            wrote: self.wrote,
        };
        Codec::Bincode.encode(&stored, into)
    }

    /// What was stored.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: StoredRoute<'static> = Codec::Bincode.decode(bytes)?;
        let call = StoredCall {
            target: PersistenceId::new(stored.entity_type, stored.id.into_owned()),
            command: stored.command,
            codec: stored.codec,
            arguments: stored.arguments.into_owned(),
            metadata: stored.metadata.into_owned(),
            hops: 0,
        };
        Ok(Self {
            call,
            key: stored.key.map(|key| key.into_owned().into()),
            command: CommandId::new(stored.by),
            wrote: stored.wrote,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Route {
        Route {
            call: StoredCall {
                target: PersistenceId::new("cart", "alice"),
                command: "add".into(),
                codec: 1,
                arguments: vec![1, 2, 3],
                metadata: vec![4],
                hops: 0,
            },
            key: Some("k".into()),
            command: CommandId::new(7),
            wrote: true,
        }
    }

    #[test]
    fn p6_a_route_comes_back_from_its_record() {
        let mut bytes = Vec::new();
        route().encode(&mut bytes).unwrap();
        let back = Route::decode(&bytes).unwrap();
        assert_eq!(back.call, route().call);
        assert_eq!(back.key.as_deref(), Some("k"));
        assert_eq!(back.command, CommandId::new(7));
        assert!(back.wrote);
        for cut in 0..bytes.len() {
            assert!(Route::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn p6_a_derived_key_belongs_to_one_run() {
        let key = |id: &str, key: &str, sequence: u64, now: i64| {
            let id = PersistenceId::new("cart", id.to_owned());
            let now = Timestamp::from_millis(now);
            derived_key(&id, key, SequenceNumber::new(sequence), now)
        };
        let first = key("a", "bc", 1, 2);
        assert_eq!(first, key("a", "bc", 1, 2));
        for other in [
            key("ab", "c", 1, 2),
            key("a", "bc", 2, 2),
            key("a", "bc", 1, 3),
        ] {
            assert_ne!(first, other);
        }
    }
}
