//! The deserializer that notes what it is asked for and answers with made-up values.

mod access;

use serde::de::{DeserializeSeed, Deserializer, Visitor};

use self::access::{EntryAccess, FieldAccess, PartAccess, VariantChoice};
use crate::shape::failure::{Cause, Interruption};
use crate::shape::graph::{Alternative, Asks, Form, Part, Slot, Target, TypeKey};
use crate::shape::samples;
use crate::shape::trace::Trace;

/// Stands for one value.
pub(super) struct Probe<'t> {
    pub(super) trace: &'t mut Trace,
    pub(super) slot: Slot,
}

const OPAQUE: &str = "it takes a value of any type (`untagged`, `tag`, `flatten` and \
                      `serde_json::Value` do), so it does not say what it looks like";

impl<'t> Probe<'t> {
    pub(super) fn new(trace: &'t mut Trace, slot: Slot) -> Self {
        Self { trace, slot }
    }

    /// The value is a single one; the number of its sample.
    fn plain(&mut self, name: &'static str) -> Result<usize, Interruption> {
        self.trace.record(self.slot, Target::Plain(name))?;
        Ok(self.trace.attempt())
    }

    /// The value has parts: notes its type and goes into it.
    fn composite<V>(
        self,
        asks: Asks,
        form: Form,
        parts: &[&'static str],
        read: impl FnOnce(&mut Trace, Alternative) -> Result<V, Interruption>,
        visitor: &'static str,
    ) -> Result<V, Interruption> {
        let key = TypeKey { visitor, asks };
        let ty = self.trace.graph.intern(key, &[""]);
        self.trace.record(self.slot, Target::Composite(ty))?;
        let at = Alternative { ty, index: 0 };
        let settled = self.trace.graph.set_form(at, form, parts);
        self.trace.settled(settled)?;
        inside(self.trace, at, |trace| read(trace, at))
    }
}

/// Runs `read` inside a value of the type at `at`.
pub(super) fn inside<V>(
    trace: &mut Trace,
    at: Alternative,
    read: impl FnOnce(&mut Trace) -> Result<V, Interruption>,
) -> Result<V, Interruption> {
    trace.enter(at)?;
    let result = read(trace);
    trace.leave(result.is_ok());
    result
}

/// Deserializes the part `child` of `at`.
pub(super) fn part<'de, S: DeserializeSeed<'de>>(
    trace: &mut Trace,
    at: Alternative,
    child: usize,
    step: &str,
    seed: S,
) -> Result<S::Value, Interruption> {
    let slot = Some(Part {
        alternative: at,
        child,
    });
    trace.step_into(step.to_owned(), |trace| {
        seed.deserialize(Probe::new(trace, slot))
    })
}

/// Reads a struct, or the fields of a variant, by the names of its fields.
pub(super) fn fields<'de, V: Visitor<'de>>(
    trace: &mut Trace,
    at: Alternative,
    names: &[&'static str],
    visitor: V,
) -> Result<V::Value, Interruption> {
    let mut last = 0;
    let access = FieldAccess::new(trace, at, names, &mut last);
    visitor.visit_map(access).map_err(|interruption| {
        let Interruption {
            cause: Cause::Duplicate(field),
            path: None,
        } = interruption
        else {
            return interruption;
        };
        // serde's derive lists a field's aliases beside its name, the names of a field together.
        let alias = match names.get(last).copied() {
            Some(name) if name != field => Some(name),
            _ => last.checked_sub(1).and_then(|i| names.get(i).copied()),
        };
        let Some(alias) = alias else {
            return Interruption::new(Cause::Duplicate(field));
        };
        trace.aliases.insert((at, alias));
        trace.graph.reset(at);
        Interruption {
            cause: Cause::Again,
            path: Some(String::new()),
        }
    })
}

/// The names of a struct's fields without their aliases.
pub(super) fn own_names(
    trace: &Trace,
    at: Alternative,
    names: &'static [&'static str],
) -> Vec<&'static str> {
    let names = names.iter().copied();
    names
        .filter(|name| !trace.aliases.contains(&(at, *name)))
        .collect()
}

fn visitor_name<'de, V: Visitor<'de>>() -> &'static str {
    std::any::type_name::<V>()
}

macro_rules! plain {
    ($($method:ident $visit:ident $sample:ident $name:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Interruption> {
            let attempt = self.plain($name)?;
            visitor.$visit(samples::$sample(attempt).into())
        })*
    };
}

macro_rules! opaque {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Interruption> {
            Err(self.trace.fail(OPAQUE))
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Interruption;

    plain! {
        deserialize_bool visit_bool boolean "bool";
        deserialize_u8 visit_u8 number "u8";
        deserialize_u16 visit_u16 number "u16";
        deserialize_u32 visit_u32 number "u32";
        deserialize_u64 visit_u64 number "u64";
        deserialize_u128 visit_u128 number "u128";
        deserialize_i16 visit_i16 number "i16";
        deserialize_i32 visit_i32 number "i32";
        deserialize_i64 visit_i64 number "i64";
        deserialize_i128 visit_i128 number "i128";
        deserialize_f32 visit_f32 float "f32";
        deserialize_f64 visit_f64 float "f64";
        deserialize_char visit_char character "char";
        deserialize_str visit_borrowed_str text "string";
        deserialize_string visit_borrowed_str text "string";
        deserialize_bytes visit_borrowed_bytes bytes "bytes";
        deserialize_byte_buf visit_borrowed_bytes bytes "bytes";
    }

    opaque! { deserialize_any deserialize_identifier deserialize_ignored_any }

    fn deserialize_i8<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Interruption> {
        let attempt = self.plain("i8")?;
        let sample = samples::number(attempt);
        visitor.visit_i8(i8::try_from(sample).unwrap_or_default())
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Interruption> {
        self.plain("unit")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Interruption> {
        let read = |trace: &mut Trace, at| {
            if trace.wants_little() {
                return visitor.visit_none();
            }
            let child = 0;
            visitor.visit_some(Probe::new(
                trace,
                Some(Part {
                    alternative: at,
                    child,
                }),
            ))
        };
        self.composite(Asks::Option, Form::Option, &[""], read, visitor_name::<V>())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        let read = |trace: &mut Trace, at| {
            let child = 0;
            visitor.visit_newtype_struct(Probe::new(
                trace,
                Some(Part {
                    alternative: at,
                    child,
                }),
            ))
        };
        self.composite(
            Asks::Newtype,
            Form::Newtype,
            &[""],
            read,
            visitor_name::<V>(),
        )
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Interruption> {
        let read = |trace: &mut Trace, at| {
            let count = usize::from(!trace.wants_little());
            visitor.visit_seq(PartAccess::repeated(trace, at, count))
        };
        self.composite(Asks::Seq, Form::Seq, &[""], read, visitor_name::<V>())
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        let parts = vec![""; len];
        let read = |trace: &mut Trace, at| visitor.visit_seq(PartAccess::tuple(trace, at, len));
        self.composite(
            Asks::Tuple(len),
            Form::Tuple,
            &parts,
            read,
            visitor_name::<V>(),
        )
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Interruption> {
        let read = |trace: &mut Trace, at| {
            let is_empty = trace.wants_little();
            visitor.visit_map(EntryAccess::new(trace, at, is_empty))
        };
        self.composite(Asks::Map, Form::Map, &["", ""], read, visitor_name::<V>())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        let (asks, name) = (Asks::Struct, visitor_name::<V>());
        let key = TypeKey {
            visitor: name,
            asks,
        };
        let ty = self.trace.graph.intern(key, &[""]);
        let names = own_names(self.trace, Alternative { ty, index: 0 }, names);
        let read = |trace: &mut Trace, at| fields(trace, at, &names, visitor);
        self.composite(asks, Form::Struct, &names, read, name)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Interruption> {
        let key = TypeKey {
            visitor: visitor_name::<V>(),
            asks: Asks::Enum,
        };
        let ty = self.trace.graph.intern(key, variants);
        self.trace.record(self.slot, Target::Composite(ty))?;
        let Some(at) = self.trace.choose(ty, variants.len()) else {
            return Err(self.trace.endless());
        };
        let Some(name) = variants.get(at.index) else {
            return Err(self
                .trace
                .fail("its list of variants is not always the same"));
        };
        inside(self.trace, at, |trace| {
            trace.step_into(format!("::{name}"), |trace| {
                visitor.visit_enum(VariantChoice::new(trace, at, name))
            })
        })
    }

    fn is_human_readable(&self) -> bool {
        self.trace.is_human_readable
    }
}
