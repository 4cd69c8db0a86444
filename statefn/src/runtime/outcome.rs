//! What is stored of a keyed command: the fingerprint of the request, and its outcome in bytes.

use statefn_store::Timestamp;

use crate::call_error::{CallError, Failure};
use crate::codec::{Codec, DecodeError};
use crate::command::{Mode, Operation};
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::runtime::forwarding::Route;

/// The answer of a call.
pub(crate) type Answer<O> = Result<<O as Operation>::Reply, CallError<<O as Operation>::Error>>;

const REPLY: u8 = 0;
const REJECTION: u8 = 1;
/// Where the command was forwarded: another one has the answer.
const FORWARD: u8 = 2;

/// What a record keeps of an answer.
pub(super) enum Recorded<O: Operation> {
    Answer(Answer<O>),
    Forward(Box<Route>),
}

/// Hash over the declared command name and the encoded arguments.
pub(super) fn fingerprint<O: Operation>(operation: &O, codec: Codec) -> Result<u128, Failure> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(O::NAME.as_bytes());
    bytes.push(0);
    bytes.push(codec.id());
    <O::Mode as Mode<O>>::encode(operation, codec, &mut bytes).map_err(|e| Failure::Encoding {
        what: "the arguments",
        reason: e.to_string().into(),
    })?;
    Ok(crate::hash::stable_128(&bytes))
}

/// The stored form of an answer that a handler gave: tag, codec, value.
pub(super) fn encode<O: Operation>(
    answer: &Answer<O>,
    codec: Codec,
    limits: &Limits,
) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let (what, encoded) = match answer {
        Ok(reply) => {
            bytes.extend([REPLY, codec.id()]);
            ("the reply", codec.encode(reply, &mut bytes))
        }
        Err(CallError::Rejected(rejection)) => {
            bytes.extend([REJECTION, codec.id()]);
            ("the rejection", codec.encode(rejection, &mut bytes))
        }
        Err(_) => return Err(Failure::unavailable("a failure is not an outcome")),
    };
    encoded.map_err(|e| Failure::Encoding {
        what,
        reason: e.to_string().into(),
    })?;
    let limit = limits.payload_bytes_max;
    if bytes.len() > limit {
        return Err(Failure::TooLarge {
            what,
            bytes: bytes.len(),
            limit,
        });
    }
    Ok(bytes)
}

/// The stored form of a forward: tag, our own codec, the route.
pub(super) fn encode_route(route: &Route) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![FORWARD, Codec::Bincode.id()];
    route.encode(&mut bytes).map_err(|e| Failure::Encoding {
        what: "a forward",
        reason: e.to_string().into(),
    })?;
    Ok(bytes)
}

/// What was stored.
pub(super) fn decode<O: Operation>(bytes: &[u8]) -> Result<Recorded<O>, DecodeError> {
    let [tag, codec, value @ ..] = bytes else {
        let reason = "an outcome has at least two bytes".to_owned();
        return Err(DecodeError::Malformed {
            codec: Codec::Bincode,
            reason,
        });
    };
    let codec = Codec::from_id(*codec).ok_or(DecodeError::UnknownCodec { id: *codec })?;
    match *tag {
        REPLY => Ok(Recorded::Answer(Ok(codec.decode(value)?))),
        REJECTION => {
            let rejection = codec.decode(value)?;
            Ok(Recorded::Answer(Err(CallError::Rejected(rejection))))
        }
        FORWARD => Ok(Recorded::Forward(Box::new(Route::decode(value)?))),
        tag => {
            let reason = format!("outcome tag {tag} is unknown");
            Err(DecodeError::Malformed { codec, reason })
        }
    }
}

/// The stored form of metadata; nothing for nothing.
pub(crate) fn encode_metadata(metadata: &Metadata, limits: &Limits) -> Result<Vec<u8>, Failure> {
    if metadata.is_empty() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    Codec::Bincode
        .encode(metadata, &mut bytes)
        .map_err(|e| Failure::Encoding {
            what: "the metadata",
            reason: e.to_string().into(),
        })?;
    let limit = limits.payload_bytes_max;
    if bytes.len() > limit {
        return Err(Failure::TooLarge {
            what: "the metadata",
            bytes: bytes.len(),
            limit,
        });
    }
    Ok(bytes)
}

/// The instant `retention` before `now`.
pub(super) fn cutoff(now: Timestamp, retention: std::time::Duration) -> Timestamp {
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(retention))
}
