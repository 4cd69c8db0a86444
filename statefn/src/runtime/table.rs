//! The entities of a shard by id.

use statefn_store::IdMap;

use crate::runtime::activation::Activation;

pub(super) type Table = IdMap<Activation>;
