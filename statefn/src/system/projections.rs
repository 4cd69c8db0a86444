//! Which projections a runtime runs, and whether their stored rows have the form that it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use statefn_store::{ProjectionId, StoredProjections};

use super::BuildError;
use crate::projection::definition::{Layout, ProjectionDefinition};
use crate::runtime::projector::{Projector, declared};

/// One of each name; two types of one name are an error.
pub(super) fn projected(
    definitions: impl Iterator<Item = Arc<dyn ProjectionDefinition>>,
) -> Result<Vec<Arc<Projector>>, BuildError> {
    let mut by_name: BTreeMap<String, Arc<dyn ProjectionDefinition>> = BTreeMap::new();
    for definition in definitions {
        let name = definition.id().name;
        if let Some(first) = by_name.get(&name)
            && first.type_id() != definition.type_id()
        {
            let (first, second) = (first.type_name(), definition.type_name());
            return Err(BuildError::ProjectionTaken {
                name,
                first,
                second,
            });
        }
        by_name.insert(name, definition);
    }
    let projectors = by_name.into_values().map(|definition| {
        let layout = Layout::of(definition.views())?;
        Ok(Arc::new(Projector::new(definition, layout)))
    });
    projectors.collect()
}

/// Rows that are there have the form that the program gives them.
pub(super) fn check_layouts(
    projectors: &[Arc<Projector>],
    stored: &StoredProjections,
) -> Result<(), BuildError> {
    for projector in projectors {
        let id = &projector.id;
        let own = stored
            .versions
            .iter()
            .find(|stored| stored.id.name == id.name && declared(stored.id.version) == id.version);
        let Some(own) = own else {
            continue;
        };
        if Layout::from_bytes(&own.layout).ok().as_ref() != Some(&projector.layout) {
            let ProjectionId { name, version } = projector.id.clone();
            return Err(BuildError::ViewChanged { name, version });
        }
    }
    Ok(())
}
