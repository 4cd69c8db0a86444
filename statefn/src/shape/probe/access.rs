//! The parts of made-up values: elements, entries, fields, variants.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{fields, own_names, part};
use crate::shape::failure::Interruption;
use crate::shape::graph::{Alternative, Form};
use crate::shape::trace::Trace;

/// Elements of a sequence, all alike, or of a tuple.
pub(super) struct PartAccess<'t> {
    trace: &'t mut Trace,
    at: Alternative,
    next: usize,
    count: usize,
    is_tuple: bool,
}

impl<'t> PartAccess<'t> {
    pub(super) fn repeated(trace: &'t mut Trace, at: Alternative, count: usize) -> Self {
        Self {
            trace,
            at,
            next: 0,
            count,
            is_tuple: false,
        }
    }

    pub(super) fn tuple(trace: &'t mut Trace, at: Alternative, count: usize) -> Self {
        Self {
            trace,
            at,
            next: 0,
            count,
            is_tuple: true,
        }
    }
}

impl<'de> SeqAccess<'de> for PartAccess<'_> {
    type Error = Interruption;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Interruption> {
        if self.next >= self.count {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        let (child, step) = if self.is_tuple {
            (index, format!(".{index}"))
        } else {
            (0, "[]".to_owned())
        };
        part(self.trace, self.at, child, &step, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.count.checked_sub(self.next)
    }
}

/// At most one entry of a map.
pub(super) struct EntryAccess<'t> {
    trace: &'t mut Trace,
    at: Alternative,
    is_done: bool,
}

impl<'t> EntryAccess<'t> {
    pub(super) fn new(trace: &'t mut Trace, at: Alternative, is_empty: bool) -> Self {
        Self {
            trace,
            at,
            is_done: is_empty,
        }
    }
}

impl<'de> MapAccess<'de> for EntryAccess<'_> {
    type Error = Interruption;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Interruption> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(None);
        }
        part(self.trace, self.at, 0, "[key]", seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Interruption> {
        part(self.trace, self.at, 1, "[]", seed)
    }
}

/// Fields of a struct by their names.
pub(super) struct FieldAccess<'t, 'n> {
    trace: &'t mut Trace,
    at: Alternative,
    names: &'n [&'static str],
    next: usize,
    /// The field that was handed out last, for whoever sees this fail.
    last: &'n mut usize,
}

impl<'t, 'n> FieldAccess<'t, 'n> {
    pub(super) fn new(
        trace: &'t mut Trace,
        at: Alternative,
        names: &'n [&'static str],
        last: &'n mut usize,
    ) -> Self {
        Self {
            trace,
            at,
            names,
            next: 0,
            last,
        }
    }
}

impl<'de> MapAccess<'de> for FieldAccess<'_, '_> {
    type Error = Interruption;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Interruption> {
        let Some(name) = self.names.get(self.next) else {
            return Ok(None);
        };
        *self.last = self.next;
        self.next += 1;
        let name: StrDeserializer<'_, Interruption> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, Interruption> {
        let child = *self.last;
        let name = self.names.get(child).copied().unwrap_or_default();
        part(self.trace, self.at, child, &format!(".{name}"), seed)
    }
}

/// One variant of an enum.
pub(super) struct VariantChoice<'t> {
    trace: &'t mut Trace,
    at: Alternative,
    name: &'static str,
}

impl<'t> VariantChoice<'t> {
    pub(super) fn new(trace: &'t mut Trace, at: Alternative, name: &'static str) -> Self {
        Self { trace, at, name }
    }

    fn set_form(&mut self, form: Form, parts: &[&'static str]) -> Result<(), Interruption> {
        let settled = self.trace.graph.set_form(self.at, form, parts);
        self.trace.settled(settled)
    }
}

impl<'de> EnumAccess<'de> for VariantChoice<'_> {
    type Error = Interruption;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self), Interruption> {
        let name: StrDeserializer<'_, Interruption> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for VariantChoice<'_> {
    type Error = Interruption;

    fn unit_variant(mut self) -> Result<(), Interruption> {
        self.set_form(Form::Unit, &[])
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        mut self,
        seed: S,
    ) -> Result<S::Value, Interruption> {
        self.set_form(Form::Newtype, &[""])?;
        part(self.trace, self.at, 0, "", seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        self.set_form(Form::Tuple, &vec![""; len])?;
        visitor.visit_seq(PartAccess::tuple(self.trace, self.at, len))
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        let names = own_names(self.trace, self.at, names);
        self.set_form(Form::Struct, &names)?;
        fields(self.trace, self.at, &names, visitor)
    }
}
