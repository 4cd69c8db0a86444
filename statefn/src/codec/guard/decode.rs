//! The bounds while a value is decoded.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use crate::codec::guard::Budget;

/// A seed whose values are counted.
pub(in crate::codec) struct GuardedSeed<'b, S> {
    seed: S,
    budget: &'b Budget,
}

impl<'b, S> GuardedSeed<'b, S> {
    pub(in crate::codec) fn new(seed: S, budget: &'b Budget) -> Self {
        Self { seed, budget }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for GuardedSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(GuardedDeserializer {
            inner: deserializer,
            budget: self.budget,
        })
    }
}

struct GuardedDeserializer<'b, D> {
    inner: D,
    budget: &'b Budget,
}

impl<'b, D> GuardedDeserializer<'b, D> {
    fn wrap<V>(&self, inner: V, counts: bool) -> GuardedVisitor<'b, V> {
        GuardedVisitor {
            inner,
            budget: self.budget,
            counts,
        }
    }
}

macro_rules! plain {
    ($($method:ident as $inner:ident;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$inner(visitor)
        })*
    };
}

macro_rules! nested {
    ($($method:ident($($arg:ident: $ty:ty),*) $counts:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.wrap(visitor, $counts);
            self.inner.$method($($arg,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for GuardedDeserializer<'_, D> {
    type Error = D::Error;

    // Strings and bytes are read in place: an owned one would be allocated at the length that the
    // bytes claim, before anybody looks whether there are so many.
    plain! {
        deserialize_bool as deserialize_bool;
        deserialize_i8 as deserialize_i8;
        deserialize_i16 as deserialize_i16;
        deserialize_i32 as deserialize_i32;
        deserialize_i64 as deserialize_i64;
        deserialize_i128 as deserialize_i128;
        deserialize_u8 as deserialize_u8;
        deserialize_u16 as deserialize_u16;
        deserialize_u32 as deserialize_u32;
        deserialize_u64 as deserialize_u64;
        deserialize_u128 as deserialize_u128;
        deserialize_f32 as deserialize_f32;
        deserialize_f64 as deserialize_f64;
        deserialize_char as deserialize_char;
        deserialize_str as deserialize_str;
        deserialize_string as deserialize_str;
        deserialize_bytes as deserialize_bytes;
        deserialize_byte_buf as deserialize_bytes;
        deserialize_unit as deserialize_unit;
        deserialize_identifier as deserialize_identifier;
        deserialize_ignored_any as deserialize_ignored_any;
    }

    nested! {
        deserialize_any() true;
        deserialize_option() false;
        deserialize_unit_struct(name: &'static str) false;
        deserialize_newtype_struct(name: &'static str) false;
        deserialize_seq() true;
        deserialize_tuple(len: usize) false;
        deserialize_tuple_struct(name: &'static str, len: usize) false;
        deserialize_map() true;
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) false;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) false;
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Counts a level where a value has parts.
struct GuardedVisitor<'b, V> {
    inner: V,
    budget: &'b Budget,
    /// Whether the bytes decide how many parts there are.
    counts: bool,
}

impl<'b, V> GuardedVisitor<'b, V> {
    /// Runs `visit` one level down, with the parts wrapped.
    fn inside<A, T, E: Error>(
        self,
        parts: A,
        visit: impl FnOnce(V, GuardedParts<'b, A>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self {
            inner,
            budget,
            counts,
        } = self;
        budget.enter(1, E::custom)?;
        let parts = GuardedParts {
            inner: parts,
            budget,
            counts,
        };
        let result = visit(inner, parts);
        budget.leave(1);
        result
    }
}

macro_rules! visit {
    ($($method:ident($ty:ty);)*) => {
        $(fn $method<E: Error>(self, value: $ty) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for GuardedVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inside(inner, |visitor, parts| visitor.visit_some(parts.whole()))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inside(inner, |visitor, parts| {
            visitor.visit_newtype_struct(parts.whole())
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.inside(seq, V::visit_seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.inside(map, V::visit_map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.inside(data, V::visit_enum)
    }
}

/// The parts of a value.
struct GuardedParts<'b, A> {
    inner: A,
    budget: &'b Budget,
    counts: bool,
}

impl<'b, A> GuardedParts<'b, A> {
    fn whole(self) -> GuardedDeserializer<'b, A> {
        GuardedDeserializer {
            inner: self.inner,
            budget: self.budget,
        }
    }

    fn count<T, E: Error>(&self, part: Option<&T>) -> Result<(), E> {
        if self.counts && part.is_some() {
            self.budget.element(E::custom)?;
        }
        Ok(())
    }

    fn at_most(&self, hint: Option<usize>) -> Option<usize> {
        hint.map(|hint| hint.min(self.budget.elements_left()))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for GuardedParts<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = GuardedSeed::new(seed, self.budget);
        let element = self.inner.next_element_seed(seed)?;
        self.count(element.as_ref())?;
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for GuardedParts<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = GuardedSeed::new(seed, self.budget);
        let key = self.inner.next_key_seed(seed)?;
        self.count(key.as_ref())?;
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner
            .next_value_seed(GuardedSeed::new(seed, self.budget))
    }

    fn size_hint(&self) -> Option<usize> {
        self.at_most(self.inner.size_hint())
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for GuardedParts<'b, A> {
    type Error = A::Error;
    type Variant = GuardedParts<'b, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (variant, content) = self.inner.variant_seed(seed)?;
        let content = GuardedParts {
            inner: content,
            budget: self.budget,
            counts: false,
        };
        Ok((variant, content))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for GuardedParts<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner
            .newtype_variant_seed(GuardedSeed::new(seed, self.budget))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = GuardedVisitor {
            inner: visitor,
            budget: self.budget,
            counts: false,
        };
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = GuardedVisitor {
            inner: visitor,
            budget: self.budget,
            counts: false,
        };
        self.inner.struct_variant(fields, visitor)
    }
}
