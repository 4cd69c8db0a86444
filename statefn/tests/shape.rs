//! Shapes: what they hold, what changes them, and what cannot be traced.

#![expect(dead_code, reason = "only the shapes of the types matter")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::option_option, reason = "it has a shape too")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use statefn::codec::Codec;
use statefn::shape::{Shape, ShapeError};

fn shape<T: DeserializeOwned>() -> String {
    match Shape::of::<T>(Codec::Bincode) {
        Ok(shape) => shape.text().to_owned(),
        Err(error) => panic!("{error}"),
    }
}

fn refusal<T: DeserializeOwned>() -> ShapeError {
    match Shape::of::<T>(Codec::Json) {
        Ok(shape) => panic!("traced as {shape}"),
        Err(error) => error,
    }
}

fn hash<T: DeserializeOwned>() -> u128 {
    Shape::of::<T>(Codec::Bincode).expect("traced").hash()
}

#[derive(Deserialize)]
struct Everything {
    flag: bool,
    small: i8,
    signed: (i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64),
    large: u128,
    float: f32,
    double: f64,
    letter: char,
    text: String,
    unit: (),
    maybe: Option<Option<u8>>,
    list: Vec<Inner>,
    set: HashSet<String>,
    map: BTreeMap<u32, Vec<u8>>,
    array: [u8; 32],
    wrapped: Wrapper<Wrapper<String>>,
    other: Wrapper<u8>,
    choice: Choice,
    number: NonZeroU32,
    time: Duration,
    boxed: Box<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    a: u8,
}

#[derive(Deserialize)]
struct Wrapper<T>(T);

#[derive(Deserialize)]
enum Choice {
    Nothing,
    One(Inner),
    Two(u8, String),
    Named { a: u8, more: Option<SubChoice> },
}

#[derive(Deserialize)]
enum SubChoice {
    Left,
    Right,
}

#[test]
fn every_kind_of_type_is_shown() {
    let expected = "\
{
  flag: bool
  small: i8
  signed: (i16, i32, i64, i128)
  unsigned: (u8, u16, u32, u64)
  large: u128
  float: f32
  double: f64
  letter: char
  text: string
  unit: unit
  maybe: option<option<u8>>
  list: [{
    a: u8
  }]
  set: [string]
  map: map<u32, [u8]>
  array: [u8; 32]
  wrapped: string
  other: u8
  choice: enum {
    Nothing
    One({
      a: u8
    })
    Two (u8, string)
    Named {
      a: u8
      more: option<enum {
        Left
        Right
      }>
    }
  }
  number: u32
  time: {
    secs: u64
    nanos: u32
  }
  boxed: {
    a: u8
  }
}";
    assert_eq!(shape::<Everything>(), expected);
}

#[derive(Deserialize)]
struct Node {
    value: u8,
    next: Option<Box<Node>>,
    children: Vec<Node>,
}

#[derive(Deserialize)]
enum Expr {
    Add(Box<Expr>, Box<Expr>),
    Block { body: Box<Statement> },
    Number(i64),
}

#[derive(Deserialize)]
enum Statement {
    Loop(Box<Statement>),
    Eval(Expr),
    Both(Box<Statement>, Expr),
    Nothing,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Tree(BTreeMap<String, Tree>);

#[test]
fn types_that_contain_themselves_end() {
    let node = "@1 = {\n  value: u8\n  next: option<@1>\n  children: [@1]\n}";
    assert_eq!(shape::<Node>(), node);
    let expr = "\
@1 = enum {
  Add (@1, @1)
  Block {
    body: @2 = enum {
      Loop(@2)
      Eval(@1)
      Both (@2, @1)
      Nothing
    }
  }
  Number(i64)
}";
    assert_eq!(shape::<Expr>(), expr);
    assert_eq!(shape::<Tree>(), "@1 = map<string, @1>");
}

#[derive(Deserialize)]
struct Endless(Box<Endless>);

#[derive(Deserialize)]
enum NeverEnds {
    A(Box<NeverEnds>),
    B { b: Box<NeverEnds> },
}

#[derive(Deserialize)]
enum Never {}

#[derive(Deserialize)]
enum MostlyNever {
    Never(Never),
    Fine(u8),
}

#[derive(Deserialize)]
struct Blocked {
    never: Never,
    behind: u8,
}

#[test]
fn types_without_values_hang_nothing() {
    assert_eq!(shape::<Endless>(), "@1 = @1");
    let never_ends = "@1 = enum {\n  A(@1)\n  B {\n    b: @1\n  }\n}";
    assert_eq!(shape::<NeverEnds>(), never_ends);
    assert_eq!(shape::<Never>(), "enum {}");
    let mostly_never = "enum {\n  Never(enum {})\n  Fine(u8)\n}";
    assert_eq!(shape::<MostlyNever>(), mostly_never);
    let error = refusal::<Blocked>();
    assert_eq!(error.place.path(), "never");
    assert!(error.reason.contains("no way to an end"), "{error}");
}

/// One type, and what may become of it.
mod changes {
    #![expect(dead_code, reason = "only its shape matters")]

    pub(crate) mod first {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: u8,
            _b: Kind,
        }
        #[derive(Deserialize)]
        pub(crate) enum Kind {
            A,
            B(u8),
        }
    }
    pub(crate) mod field_added {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: u8,
            _b: crate::first_kind::Kind,
            #[serde(default)]
            _c: u8,
        }
    }
    pub(crate) mod fields_swapped {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _b: crate::first_kind::Kind,
            _a: u8,
        }
    }
    pub(crate) mod type_changed {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: i8,
            _b: crate::first_kind::Kind,
        }
    }
    pub(crate) mod variant_renamed {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: u8,
            _b: Kind,
        }
        #[derive(Deserialize)]
        pub(crate) enum Kind {
            A,
            #[serde(rename = "C")]
            B(u8),
        }
    }
    pub(crate) mod variant_added {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Option<Vec<Inner>>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: u8,
            _b: Kind,
        }
        #[derive(Deserialize)]
        pub(crate) enum Kind {
            A,
            B(u8),
            C,
        }
    }
    pub(crate) mod not_optional {
        use serde::Deserialize;
        #[derive(Deserialize)]
        pub(crate) struct Outer {
            _inner: Vec<Inner>,
        }
        #[derive(Deserialize)]
        pub(crate) struct Inner {
            _a: u8,
            _b: crate::first_kind::Kind,
        }
    }
}

/// Each change of a nested type gives another hash.
#[test]
fn every_change_that_stored_bytes_feel_changes_the_hash() {
    use changes::{
        field_added, fields_swapped, first, not_optional, type_changed, variant_added,
        variant_renamed,
    };
    let hashes = [
        hash::<first::Outer>(),
        hash::<field_added::Outer>(),
        hash::<fields_swapped::Outer>(),
        hash::<type_changed::Outer>(),
        hash::<variant_renamed::Outer>(),
        hash::<variant_added::Outer>(),
        hash::<not_optional::Outer>(),
    ];
    assert_eq!(HashSet::from(hashes).len(), hashes.len());
}

mod first_kind {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) enum Kind {
        A,
        B(u8),
    }
}

/// A stored hash may never change: these are the ones of this release.
#[test]
fn hashes_stay_what_they_are() {
    assert_eq!(hash::<Node>(), HASH_OF_NODE);
    assert_eq!(Shape::named("cart 1", Codec::Json).hash(), HASH_OF_NAMED);
}

const HASH_OF_NODE: u128 = 163_483_984_209_600_353_216_312_249_966_693_568_763;
const HASH_OF_NAMED: u128 = 47_770_201_837_653_019_964_015_223_160_481_861_121;

#[derive(Deserialize)]
struct Renamed {
    #[serde(rename = "new name", alias = "old", alias = "zzz")]
    a: u8,
    #[serde(skip)]
    skipped: HashMap<String, u8>,
    #[serde(default)]
    defaulted: u16,
    #[serde(alias = "before")]
    after: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RenamedVariants {
    FirstOne,
    #[serde(alias = "old")]
    SecondOne,
    #[serde(skip)]
    Skipped,
}

#[test]
fn attributes_show_as_documented() {
    let renamed = "{\n  \"new name\": u8\n  defaulted: u16\n  after: u32\n}";
    assert_eq!(shape::<Renamed>(), renamed);
    let variants = "enum {\n  first-one\n  old\n  second-one\n}";
    assert_eq!(shape::<RenamedVariants>(), variants);
}

#[derive(Deserialize)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: HashMap<String, u8>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Untagged {
    A(u8),
    B(String),
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { a: u8 },
    B { b: String },
}

#[derive(Deserialize)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    A { a: u8 },
    B(String),
}

#[derive(Deserialize)]
struct Holder<T> {
    items: Vec<Option<T>>,
    behind: u8,
}

#[test]
fn types_that_hide_their_shape_are_named_with_their_place() {
    for error in [
        refusal::<Holder<Flat>>(),
        refusal::<Holder<Untagged>>(),
        refusal::<Holder<Tagged>>(),
        refusal::<Holder<Adjacent>>(),
    ] {
        assert!(error.place.path().starts_with("items[]"), "{error}");
        assert!(error.to_string().contains("`shape = \"..\"`"), "{error}");
        assert!(error.type_name.contains("Holder"), "{error}");
    }
    let error = refusal::<Holder<Untagged>>();
    assert!(error.reason.contains("`untagged`"), "{error}");
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Sku;

impl TryFrom<String> for Sku {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("SKU-") {
            Ok(Self)
        } else {
            Err(format!("{text:?} does not begin with SKU-"))
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "(u8, u8)")]
struct Panics;

impl From<(u8, u8)> for Panics {
    fn from(_: (u8, u8)) -> Self {
        panic!("no such luck")
    }
}

#[test]
fn validation_that_refuses_every_sample_is_an_error_that_says_so() {
    let error = refusal::<Holder<Sku>>();
    assert_eq!(error.place.path(), "items[]");
    assert!(error.reason.contains("does not begin with SKU-"), "{error}");
    let error = refusal::<Holder<Panics>>();
    assert!(error.reason.contains("no such luck"), "{error}");
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Digits;

impl TryFrom<String> for Digits {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse::<u32>().map(|_| Self)
    }
}

#[test]
fn common_validated_types_are_traced() {
    assert_eq!(
        shape::<Holder<Digits>>(),
        "{\n  items: [option<string>]\n  behind: u8\n}"
    );
    let for_readers = Shape::of::<IpAddr>(Codec::Json).expect("traced");
    assert_eq!(for_readers.text(), "string");
    assert_eq!(
        shape::<IpAddr>(),
        "enum {\n  V4((u8, u8, u8, u8))\n  V6([u8; 16])\n}"
    );
}

macro_rules! doubling {
    ($($name:ident $inner:ty;)*) => {
        $(#[derive(Deserialize)]
                struct $name { a: Box<$inner>, b: Box<$inner> })*
    };
}

doubling! {
    D0 u8; D1 D0; D2 D1; D3 D2; D4 D3; D5 D4; D6 D5; D7 D6; D8 D7; D9 D8; D10 D9; D11 D10;
    D12 D11; D13 D12; D14 D13; D15 D14; D16 D15; D17 D16; D18 D17; D19 D18; D20 D19; D21 D20;
    D22 D21; D23 D22; D24 D23; D25 D24;
}

#[test]
fn a_type_whose_parts_multiply_is_an_error_within_bounds() {
    assert!(shape::<D8>().len() > 1_000);
    let error = refusal::<D25>();
    assert!(error.reason.contains("questions"), "{error}");
    let error = refusal::<D16>();
    assert!(error.reason.contains("bytes"), "{error}");
}

#[derive(Serialize, Deserialize)]
struct Empty {}

#[test]
fn empty_types_are_shown() {
    assert_eq!(shape::<Empty>(), "{}");
    assert_eq!(shape::<()>(), "unit");
    assert_eq!(shape::<[u8; 0]>(), "()");
}
