//! From a stored call to a letter at the door of its entity.

use std::sync::Arc;

use statefn_store::StoredCall;

use crate::codec::Codec;
use crate::metadata::Metadata;
use crate::runtime::delivery::{Commands, Letter};
use crate::runtime::engine::Engine;
use crate::runtime::step::RequestOptions;

/// The commands of the target's type, and what to hand to one of them; or why nobody can.
pub(super) fn address<'a>(
    engine: &'a Arc<Engine>,
    call: &StoredCall,
) -> Result<(&'a Commands, Letter), String> {
    let entity_type = call.target.entity_type();
    let mut types = engine.shared().hosted.iter().enumerate();
    let Some((index, hosted)) = types.find(|(_, hosted)| hosted.entity_type == *entity_type) else {
        let name = entity_type.as_str();
        return Err(format!("this program has no entity type {name:?}"));
    };
    let Some(codec) = Codec::from_id(call.codec) else {
        return Err(format!("codec {} is unknown", call.codec));
    };
    let metadata = if call.metadata.is_empty() {
        Metadata::new()
    } else {
        let metadata = Codec::Bincode.decode(&call.metadata);
        metadata.map_err(|error| error.to_string())?
    };
    let letter = Letter {
        shard: Arc::clone(engine.shard(&call.target)),
        id: call.target.clone(),
        type_index: u16::try_from(index).unwrap_or(u16::MAX),
        codec,
        arguments: call.arguments.clone(),
        options: RequestOptions {
            metadata,
            ..RequestOptions::default()
        },
    };
    Ok((&hosted.commands, letter))
}

/// There is no such command.
pub(super) fn unknown_command(call: &StoredCall) -> String {
    let entity_type = call.target.entity_type().as_str();
    format!(
        "entity type {entity_type:?} has no command {:?}",
        call.command
    )
}
