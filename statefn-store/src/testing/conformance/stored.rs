//! B8: what was given is what comes back, byte for byte.

use std::borrow::Cow;

use super::draft::{Draft, cart, event};
use super::trial::Trial;
use crate::testing::Fixture;
use crate::{Member, NewEvent, NewRecord, NewSnapshot, PersistenceId, SequenceNumber, Timestamp};

const MEBIBYTE: usize = 1024 * 1024;

/// Texts on which stores have stumbled before.
pub(super) fn awkward_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a",
        "A",
        " a",
        "a ",
        "a\0",
        "a\0b",
        "\0",
        "'",
        "\"",
        "a'; DROP TABLE journal; --",
        "%",
        "_",
        "\\",
        "/",
        "a/b",
        "..",
        "../a",
        "%00",
        "a%00",
        "\n",
        "\r\n",
        "\t",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "İ",
        "ı",
        "i",
        "I",
        "😀",
        "𝔘𝔫𝔦",
        "\u{10FFFF}",
        "\u{FEFF}a",
        "\u{202E}a",
        "1",
        "01",
        "1.0",
        "NULL",
        "null",
        "-1",
        "0x1",
        "1e3",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    texts.push("k".repeat(1024));
    texts.push("😀".repeat(256));
    texts.push("\0".repeat(1024));
    texts
}

/// Every field of every part, at the ends of its range.
pub(super) async fn b8_every_field_comes_back(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let times = [i64::MIN, -1, 0, 1, 1_700_000_000_000, i64::MAX];
    let numbers = [
        0,
        1,
        u128::from(u64::MAX),
        u128::MAX - 1,
        u128::MAX,
        1 << 127,
    ];
    for (at, (time, number)) in times.into_iter().zip(numbers).enumerate() {
        let id = cart(&format!("entity {at}"));
        let mut member = Member::new(id, SequenceNumber::ZERO, Timestamp::from_millis(time));
        member.metadata = vec![at.to_le_bytes()[0]; at * at];
        for (version, codec) in [(1, 0), (u32::MAX, u8::MAX), (i32::MAX as u32, 127)] {
            member.events.push(NewEvent {
                name: Cow::Borrowed("event"),
                version,
                codec,
                payload: (0..=u8::MAX).collect(),
            });
        }
        member.record = Some(NewRecord {
            key: "key".to_owned(),
            fingerprint: number,
            outcome: (0..=u8::MAX).rev().collect(),
        });
        member.snapshot = Some(NewSnapshot {
            shape: number,
            codec: u8::MAX - 1,
            payload: (0..=u8::MAX).collect(),
        });
        trial.commit(vec![member]).await;
    }
    trial.check().await;
}

/// Ids with quotes, zero bytes, case and forms of Unicode: each is an entity of its own.
pub(super) async fn b8_awkward_ids_are_kept_apart(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let texts = awkward_texts();
    let members = texts.iter().enumerate().map(|(at, text)| {
        let draft = Draft::new(&cart(text), 0).events(1 + at % 3);
        draft.snapshot().record("k").done()
    });
    trial.commit(members.collect()).await;
    let members = texts
        .iter()
        .map(|text| trial.next(&cart(text)).events(1).done());
    let members = members.collect();
    trial.commit(members).await;
    trial.check().await;
}

/// The same for entity types.
pub(super) async fn b8_awkward_types_are_kept_apart(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let ids = awkward_texts()
        .into_iter()
        .map(|text| PersistenceId::new(text, "id"));
    let members = ids.map(|id| Draft::new(&id, 0).events(2).record("k").done());
    trial.commit(members.collect()).await;
    trial.check().await;
}

/// Event names, keys and reasons are texts too.
pub(super) async fn b8_awkward_names_keys_and_reasons(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    for text in awkward_texts() {
        let name = Cow::Owned(text.clone());
        let payload = text.clone().into_bytes();
        let named = NewEvent {
            name,
            ..event(payload)
        };
        let mut member = trial.next(&a).event(named).record(&text).skip(1).done();
        if let Some(skip) = &mut member.skip {
            skip.reason = text;
        }
        trial.commit(vec![member]).await;
    }
    trial.check().await;
}

/// Payloads, metadata, outcomes, reasons and snapshots may be empty.
pub(super) async fn b8_empty_bytes_come_back(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let draft = Draft::new(&cart("a"), 0).event(event(Vec::new()));
    let draft = draft.event(event(Vec::new())).snapshot_of(Vec::new());
    let mut member = draft.record_of("k", Vec::new()).skip(1).done();
    member.metadata = Vec::new();
    if let Some(skip) = &mut member.skip {
        skip.reason = String::new();
    }
    trial.commit(vec![member]).await;
    trial.check().await;
}

/// One mebibyte of payload, snapshot, outcome and metadata.
pub(super) async fn b8_a_mebibyte_comes_back(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let bytes = |seed: usize| -> Vec<u8> {
        let numbers = (0..MEBIBYTE).map(|at| at.wrapping_mul(31) ^ (at >> 8) ^ seed);
        numbers.map(|number| number.to_le_bytes()[0]).collect()
    };
    let large = Draft::new(&cart("a"), 0).event(event(bytes(1)));
    let members = vec![
        Draft::new(&cart("small"), 0).events(1).done(),
        large.snapshot_of(bytes(2)).record_of("k", bytes(3)).done(),
        Draft::new(&cart("a"), 1).record_of("l", bytes(4)).done(),
    ];
    trial.commit(members).await;
    let mut member = Draft::new(&cart("a"), 1).event(event(bytes(5))).done();
    member.metadata = bytes(6);
    trial.commit(vec![member]).await;
    trial.check().await;
}

/// One byte below, at, and above what a runtime lets through by default: a store has no such edge.
pub(super) async fn b8_sizes_around_the_limits_come_back(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for difference in [-1, 0, 1] {
        let size = |limit: usize| limit.saturating_add_signed(difference);
        let id = cart(&"i".repeat(size(1024)));
        let draft = trial.next(&id).event(event(vec![1; size(MEBIBYTE)]));
        let key = "k".repeat(size(256));
        let member = draft.record_of(&key, vec![2; size(MEBIBYTE)]).done();
        trial.commit(vec![member]).await;
    }
    let snapshot = vec![3; 16 * MEBIBYTE + 1];
    let draft = trial.next(&cart("large")).events(1).snapshot_of(snapshot);
    let many = trial.next(&cart("many")).events(1025);
    trial.commit(vec![draft.done(), many.done()]).await;
    trial.check().await;
}
