//! Keys order as their encodings do.

use proptest::prelude::*;

use super::Key;

/// Encodings order as values, and no encoding is the beginning of another one.
fn same_order<K: Key + Ord + std::fmt::Debug>(one: &K, other: &K) -> Result<(), TestCaseError> {
    let (left, right) = (one.to_bytes(), other.to_bytes());
    prop_assert_eq!(
        left.cmp(&right),
        one.cmp(other),
        "{:?} and {:?}",
        one,
        other
    );
    let is_beginning = right.starts_with(&left);
    prop_assert!(
        !is_beginning || left == right,
        "{:?} begins {:?}",
        one,
        other
    );
    Ok(())
}

/// Texts that differ late, or in zero bytes.
fn text() -> impl Strategy<Value = String> {
    "[\0\u{1}\u{2}ab\u{7f}\u{e9}\u{1f980}]{0,4}"
}

proptest! {
    #[test]
    fn encodings_order_as_keys(
        texts in (text(), text()),
        signed in any::<(i64, i64)>(),
        unsigned in any::<(u32, u32)>(),
        wide in any::<(i128, i128)>(),
        flags in any::<(bool, bool)>(),
        letters in any::<(char, char)>(),
        bytes in prop::collection::vec(prop::collection::vec(0_u8..4, 0..4), 2),
        options in (prop::option::of(text()), prop::option::of(text())),
    ) {
        same_order(&texts.0, &texts.1)?;
        same_order(&signed.0, &signed.1)?;
        same_order(&unsigned.0, &unsigned.1)?;
        same_order(&wide.0, &wide.1)?;
        same_order(&flags.0, &flags.1)?;
        same_order(&letters.0, &letters.1)?;
        same_order(&bytes[0], &bytes[1])?;
        same_order(&options.0, &options.1)?;
        let pair = |text: &String, number: i64| (text.clone(), number, flags.0);
        same_order(&pair(&texts.0, signed.0), &pair(&texts.1, signed.1))?;
        same_order(&(options.0, texts.0), &(options.1, texts.1))?;
    }

    #[test]
    fn floats_order_as_total_cmp_says(
        (one, other) in any::<(f64, f64)>(),
        (small, smaller) in any::<(f32, f32)>(),
    ) {
        prop_assert_eq!(one.to_bytes().cmp(&other.to_bytes()), one.total_cmp(&other));
        prop_assert_eq!(small.to_bytes().cmp(&smaller.to_bytes()), small.total_cmp(&smaller));
    }
}
