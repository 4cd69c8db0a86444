//! What differs between a file and the code.

use std::collections::BTreeMap;

use crate::codec::Codec;
use crate::runtime::definition::Definition;
use crate::testing::events_lock::diff;
use crate::testing::events_lock::document::{Document, Entry, Key};
use crate::testing::events_lock::failure::Difference;

/// Every difference, in the order of the names.
pub(super) fn compare(
    stored: &Document,
    current: &Document,
    definitions: &BTreeMap<&'static str, &dyn Definition>,
) -> Vec<Difference> {
    let mut keys: Vec<&Key> = stored
        .entries
        .keys()
        .chain(current.entries.keys())
        .collect();
    keys.sort();
    keys.dedup();
    let each = keys.into_iter().filter_map(|key| {
        let form = key.to_string();
        match (stored.entries.get(key), current.entries.get(key)) {
            (Some(before), Some(now)) => changed(key, before, now, definitions),
            (Some(_), None) => Some(Difference::Removed { form }),
            (None, Some(_)) => Some(Difference::Added { form }),
            (None, None) => None,
        }
    });
    each.collect()
}

fn changed(
    key: &Key,
    before: &Entry,
    now: &Entry,
    definitions: &BTreeMap<&'static str, &dyn Definition>,
) -> Option<Difference> {
    if before == now {
        return None;
    }
    let form = key.to_string();
    // Stored events keep their codec, so they are read through the shape that it sees.
    let shape = if before.codec == now.codec {
        Some(now.shape.clone())
    } else {
        let definition = definitions.get(key.entity.as_str());
        let codec = Codec::from_name(&before.codec);
        definition
            .zip(codec)
            .and_then(|(definition, codec)| shape_under(key, *definition, codec))
    };
    if shape.as_ref() == Some(&before.shape) {
        return Some(Difference::Recoded {
            form,
            before: before.codec.clone(),
            now: now.codec.clone(),
        });
    }
    let shape = shape.as_ref().unwrap_or(&now.shape);
    Some(Difference::Changed {
        form,
        diff: diff::lines(&before.shape, shape),
    })
}

fn shape_under(key: &Key, definition: &dyn Definition, codec: Codec) -> Option<String> {
    let mut forms = definition.events(codec).into_iter();
    let form = forms.find(|form| form.name == key.event && form.version == key.version)?;
    Some(form.shape.ok()?.text().to_owned())
}
