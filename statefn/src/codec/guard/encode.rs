//! The bounds while a value is encoded: nothing is written that could not be read back.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::codec::guard::Budget;

const SOME_NULL: &str = "JSON cannot tell `Some(None)` or `Some(())` from `None`";
const NOT_FINITE: &str = "JSON has no NaN and no infinite numbers";

/// A value that is counted while it is serialized.
pub(in crate::codec) struct Guarded<'a, T: ?Sized> {
    value: &'a T,
    budget: &'a Budget,
    in_some: bool,
}

impl<'a, T: ?Sized> Guarded<'a, T> {
    pub(in crate::codec) fn new(value: &'a T, budget: &'a Budget) -> Self {
        let in_some = false;
        Self {
            value,
            budget,
            in_some,
        }
    }

    fn in_some(mut self, in_some: bool) -> Self {
        self.in_some = in_some;
        self
    }
}

impl<T: ?Sized + Serialize> Serialize for Guarded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(GuardedSerializer {
            inner: serializer,
            budget: self.budget,
            in_some: self.in_some,
        })
    }
}

struct GuardedSerializer<'b, S> {
    inner: S,
    budget: &'b Budget,
    /// Whether the value is all that an `Option` holds.
    in_some: bool,
}

impl<'b, S: Serializer> GuardedSerializer<'b, S> {
    /// Writes what JSON writes as `null`, where that is not taken for `None`.
    fn null(self, serialize: impl FnOnce(S) -> Result<S::Ok, S::Error>) -> Result<S::Ok, S::Error> {
        if self.in_some && self.budget.is_json {
            return Err(S::Error::custom(SOME_NULL));
        }
        serialize(self.inner)
    }

    fn float(&self, is_finite: bool) -> Result<(), S::Error> {
        if self.budget.is_json && !is_finite {
            return Err(S::Error::custom(NOT_FINITE));
        }
        Ok(())
    }

    /// Opens a value with parts, `levels` down.
    fn open<P>(
        self,
        levels: usize,
        open: impl FnOnce(S) -> Result<P, S::Error>,
    ) -> Result<Parts<'b, P>, S::Error> {
        self.budget.enter(levels, S::Error::custom)?;
        Ok(Parts {
            inner: open(self.inner)?,
            budget: self.budget,
            levels,
        })
    }

    /// Serializes the one part of a value, one level down.
    fn nested(
        self,
        serialize: impl FnOnce(S) -> Result<S::Ok, S::Error>,
    ) -> Result<S::Ok, S::Error> {
        self.budget.enter(1, S::Error::custom)?;
        let result = serialize(self.inner);
        self.budget.leave(1);
        result
    }
}

macro_rules! plain {
    ($($method:ident($($arg:ident: $ty:ty),*);)*) => {
        $(fn $method(self, $($arg: $ty),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        })*
    };
}

impl<'b, S: Serializer> Serializer for GuardedSerializer<'b, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'b, S::SerializeSeq>;
    type SerializeTuple = Parts<'b, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'b, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'b, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'b, S::SerializeMap>;
    type SerializeStruct = Parts<'b, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'b, S::SerializeStructVariant>;

    plain! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.float(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.float(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_none)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.null(S::serialize_unit)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.null(|inner| inner.serialize_unit_struct(name))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.nested(|inner| inner.serialize_unit_variant(name, index, variant))
    }

    fn collect_str<T: ?Sized + std::fmt::Display>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = Guarded::new(value, self.budget).in_some(true);
        self.nested(|inner| inner.serialize_some(&value))
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Guarded::new(value, self.budget).in_some(self.in_some);
        self.nested(|inner| inner.serialize_newtype_struct(name, &value))
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Guarded::new(value, self.budget);
        self.nested(|inner| inner.serialize_newtype_variant(name, index, variant, &value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.open(1, |inner| inner.serialize_seq(len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.open(1, |inner| inner.serialize_tuple(len))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.open(1, |inner| inner.serialize_tuple_struct(name, len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.open(2, |inner| {
            inner.serialize_tuple_variant(name, index, variant, len)
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.open(1, |inner| inner.serialize_map(len))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        self.open(1, |inner| inner.serialize_struct(name, len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.open(2, |inner| {
            inner.serialize_struct_variant(name, index, variant, len)
        })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The parts of a value.
struct Parts<'b, P> {
    inner: P,
    budget: &'b Budget,
    levels: usize,
}

impl<P: SerializeSeq> SerializeSeq for Parts<'_, P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), P::Error> {
        self.budget.element(P::Error::custom)?;
        self.inner
            .serialize_element(&Guarded::new(value, self.budget))
    }

    fn end(self) -> Result<P::Ok, P::Error> {
        self.budget.leave(self.levels);
        self.inner.end()
    }
}

impl<P: SerializeMap> SerializeMap for Parts<'_, P> {
    type Ok = P::Ok;
    type Error = P::Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), P::Error> {
        self.budget.element(P::Error::custom)?;
        self.inner.serialize_key(&Guarded::new(key, self.budget))
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), P::Error> {
        self.inner
            .serialize_value(&Guarded::new(value, self.budget))
    }

    fn end(self) -> Result<P::Ok, P::Error> {
        self.budget.leave(self.levels);
        self.inner.end()
    }
}

macro_rules! positional {
    ($($trait:ident $method:ident;)*) => {
        $(impl<P: $trait> $trait for Parts<'_, P> {
            type Ok = P::Ok;
            type Error = P::Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), P::Error> {
                self.inner.$method(&Guarded::new(value, self.budget))
            }

            fn end(self) -> Result<P::Ok, P::Error> {
                self.budget.leave(self.levels);
                self.inner.end()
            }
        })*
    };
}

macro_rules! named {
    ($($trait:ident)*) => {
        $(impl<P: $trait> $trait for Parts<'_, P> {
            type Ok = P::Ok;
            type Error = P::Error;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), P::Error> {
                self.inner.serialize_field(key, &Guarded::new(value, self.budget))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), P::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<P::Ok, P::Error> {
                self.budget.leave(self.levels);
                self.inner.end()
            }
        })*
    };
}

positional! {
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

named! { SerializeStruct SerializeStructVariant }
