//! A reader of the file written from FORMAT.md alone, and a file of each format that opens for ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use statefn_store::{
    EntryBody, NewEvent, NewState, Offset, OutboxNumber, PersistenceId, Slice, Sqlite, Store,
    StoredCall, StoredRecord, Timestamp,
};

use crate::format_views;
use crate::history::{
    Answers, calls, entity, erase_dora, in_memory, members_of_format_1, written,
    written_with_calls, written_with_views,
};
use crate::sqlite_support::{Fixture, block, id, member};

fn fixture(format: u32) -> PathBuf {
    let name = format!("tests/sqlite/fixtures/format-{format}.sqlite");
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A copy of a fixture that may be opened.
pub(crate) fn copied(format: u32) -> tempfile::TempDir {
    let folder = in_memory();
    std::fs::copy(fixture(format), folder.path().join("store.db")).unwrap();
    folder
}

/// What a store answers that holds what the fixture holds.
fn expected(format: u32) -> Answers {
    match format {
        1 => Answers::expected_of(members_of_format_1()),
        2 => Answers::of(&erased().store),
        _ => Answers::of(&with_calls().store),
    }
}

/// The history of format 2, written by today's program.
fn erased() -> Fixture {
    let store = Fixture::open(written(), "store.db");
    erase_dora(&store);
    store
}

/// The history of format 3, written by today's program.
fn with_calls() -> Fixture {
    Fixture::open(written_with_calls(), "store.db")
}

/// "CRC-32 as in zlib and PNG", bit by bit, over words and fields.
pub(crate) struct Sum(u32);

impl Sum {
    pub(crate) fn of(words: &[i64]) -> Self {
        words
            .iter()
            .fold(Self(u32::MAX), |sum, word| sum.word(*word))
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                let odd = self.0 & 1 == 1;
                self.0 = (self.0 >> 1) ^ if odd { 0xEDB8_8320 } else { 0 };
            }
        }
        self
    }

    pub(crate) fn word(self, word: i64) -> Self {
        self.bytes(&word.to_le_bytes())
    }

    pub(crate) fn field(self, bytes: &[u8]) -> Self {
        self.word(i64::try_from(bytes.len()).unwrap()).bytes(bytes)
    }

    pub(crate) fn stored(self) -> i64 {
        i64::from((self.0 ^ u32::MAX).cast_signed())
    }
}

/// "For example": the slice as the page tells it.
fn slice(entity_type: &str, id: &str) -> i64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in [entity_type.as_bytes(), &[0], id.as_bytes()].concat() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    i64::try_from(hash >> 54).unwrap()
}

/// A row of `journal`.
#[derive(Clone, Debug)]
struct Row {
    offset: i64,
    kind: i64,
    id: String,
    sequence: i64,
    previous: i64,
    time: i64,
    event: Option<(String, i64, i64, Vec<u8>)>,
    metadata: Vec<u8>,
    record: Option<(String, Vec<u8>, Vec<u8>)>,
    skip: Option<(i64, String)>,
}

fn journal(conn: &Connection) -> Vec<Row> {
    let mut statement = conn
        .prepare("SELECT * FROM journal ORDER BY offset")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let number = |name: &str| row.get::<_, i64>(name).unwrap();
        let text = |name: &str| row.get::<_, Option<String>>(name).unwrap();
        let blob = |name: &str| row.get::<_, Option<Vec<u8>>>(name).unwrap();
        let (entity_type, id) = (text("type").unwrap(), text("id").unwrap());
        let header = [
            "offset",
            "kind",
            "slice",
            "sequence",
            "previous",
            "previous_record",
        ];
        let sum = Sum::of(&header.map(number))
            .field(entity_type.as_bytes())
            .field(id.as_bytes());
        assert_eq!(sum.stored(), number("header_sum"));
        assert_eq!(number("slice"), slice(&entity_type, &id));
        let (kind, metadata) = (number("kind"), blob("metadata").unwrap_or_default());
        let mut sum = Sum::of(&[number("header_sum"), number("time")]).field(&metadata);
        let mut event = None;
        if [1, 4, 5, 6].contains(&kind) {
            let (name, payload) = (text("name").unwrap(), blob("payload").unwrap());
            let (version, codec) = (number("version"), number("codec"));
            sum = sum
                .word(1 + (version << 8) + (codec << 40))
                .field(name.as_bytes())
                .field(&payload);
            event = Some((name, version, codec, payload));
        }
        let mut record = None;
        let may_have_record = [10, 12].contains(&kind) && text("record_key").is_some();
        if [2, 4, 6, 8].contains(&kind) || may_have_record {
            let key = text("record_key").unwrap();
            let (fingerprint, outcome) = ["record_fingerprint", "record_outcome"]
                .map(|name| blob(name).unwrap())
                .into();
            sum = sum
                .word(2)
                .field(key.as_bytes())
                .field(&fingerprint)
                .field(&outcome);
            record = Some((key, fingerprint, outcome));
        }
        let mut skip = None;
        if kind == 3 {
            let reason = text("reason").unwrap();
            sum = sum.word(3).word(number("skips")).field(reason.as_bytes());
            skip = Some((number("skips"), reason));
        }
        assert_eq!(sum.stored(), number("body_sum"));
        Ok(Row {
            offset: number("offset"),
            kind,
            id,
            sequence: number("sequence"),
            previous: number("previous"),
            time: number("time"),
            event,
            metadata,
            record,
            skip,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Positions of all entities: the rows of `heads`, then the journal above the watermark.
fn positions(conn: &Connection, journal: &[Row]) -> BTreeMap<String, i64> {
    let (epoch, watermark, sum): (i64, i64, i64) = conn
        .query_row("SELECT epoch, watermark, sum FROM meta", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    assert_eq!(Sum::of(&[epoch, watermark]).stored(), sum);
    assert!(
        watermark > 0 && watermark <= journal.last().unwrap().offset,
        "{watermark}"
    );
    let mut positions = BTreeMap::new();
    let mut statement = conn.prepare("SELECT * FROM heads").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |name: &str| row.get::<_, i64>(name).unwrap();
        let [entity_type, id] = ["type", "id"].map(|name| row.get::<_, String>(name).unwrap());
        let numbers = [
            "position", "sequence", "record", "snapshot", "first", "skip",
        ];
        let sum = Sum::of(&numbers.map(number))
            .field(entity_type.as_bytes())
            .field(id.as_bytes());
        assert_eq!(sum.stored(), number("sum"));
        positions.insert(id, number("position"));
    }
    for row in journal.iter().filter(|row| row.offset > watermark) {
        let position = positions.entry(row.id.clone()).or_default();
        if *position < row.offset {
            assert_eq!(row.previous, *position);
            *position = row.offset;
        }
    }
    positions
}

/// What an entry says, in the words of the contract.
fn body_of(row: &Row, offset: Offset) -> EntryBody {
    let record = row
        .record
        .clone()
        .map(|(key, fingerprint, outcome)| StoredRecord {
            key,
            fingerprint: u128::from_be_bytes(fingerprint.try_into().unwrap()),
            outcome,
            time: Timestamp::from_millis(row.time),
            offset,
        });
    match row.kind {
        7 | 8 => return EntryBody::Deleted { record },
        9..=12 => return EntryBody::Erased { record },
        13 => return EntryBody::Sent,
        _ => {}
    }
    if let (5 | 6, Some((shape, version, codec, payload))) = (row.kind, row.event.clone()) {
        assert_eq!(shape.len(), 32);
        let state = NewState {
            shape: u128::from_str_radix(&shape, 16).unwrap(),
            version: version.try_into().unwrap(),
            codec: codec.try_into().unwrap(),
            payload,
        };
        return EntryBody::State { state, record };
    }
    match (row.event.clone(), row.skip.clone()) {
        (Some((name, version, codec, payload)), None) => EntryBody::Event {
            event: NewEvent {
                name: name.into(),
                version: version.try_into().unwrap(),
                codec: codec.try_into().unwrap(),
                payload,
            },
            record,
        },
        (None, Some((sequence, reason))) => EntryBody::Skip {
            sequence: statefn_store::SequenceNumber::new(sequence.unsigned_abs()),
            reason,
        },
        _ => EntryBody::Record(record.unwrap()),
    }
}

#[test]
fn a_reader_written_from_the_page_sees_what_the_store_says() {
    reads_what_the_store_says(1, &[1, 2, 3, 4]);
    reads_what_the_store_says(2, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    reads_what_the_store_says(3, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    reads_what_the_store_says(4, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
}

fn reads_what_the_store_says(format: u32, kinds_of_format: &[i64]) {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let folder = copied(format);
    let conn = Connection::open_with_flags(folder.path().join("store.db"), flags).unwrap();
    let pragma = |name: &str| -> i64 {
        conn.pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    };
    assert_eq!(
        (pragma("application_id"), pragma("user_version")),
        (0x7374_666e, i64::from(format))
    );
    assert_eq!(slice("cart", "alice"), 136);
    assert_eq!(Slice::of("cart", "alice").get(), 136);
    let journal = journal(&conn);
    let positions = positions(&conn, &journal);
    let sound = expected(format);
    assert_eq!(journal.len(), sound.entries.len());
    for (row, entry) in journal.iter().zip(&sound.entries) {
        let body = body_of(row, entry.offset);
        assert_eq!(body, entry.body);
        assert_eq!(
            (row.offset.unsigned_abs(), &row.id[..]),
            (entry.offset.get(), entry.id.id())
        );
        assert_eq!(row.sequence.unsigned_abs(), entry.sequence.get());
        assert_eq!(
            (row.time, &row.metadata),
            (entry.time.as_millis(), &entry.metadata)
        );
    }
    let kinds: std::collections::BTreeSet<i64> = journal.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        kinds_of_format,
        "the fixture has all kinds"
    );
    // The chain of each entity, walked back from its head, is all its entries.
    for (name, mut at) in positions {
        assert_eq!(
            sound.entity(&name)[0].head.position.get(),
            at.unsigned_abs()
        );
        let mut chain = Vec::new();
        while at != 0 {
            let row = journal.iter().find(|row| row.offset == at).unwrap();
            chain.push(row.offset);
            at = row.previous;
        }
        chain.reverse();
        let own = journal
            .iter()
            .filter(|row| row.id == name)
            .map(|row| row.offset);
        assert_eq!(chain, own.collect::<Vec<_>>());
    }
    snapshots_are_as_described(&conn);
}

fn snapshots_are_as_described(conn: &Connection) {
    let mut statement = conn.prepare("SELECT * FROM snapshots").unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut seen = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let number = |name: &str| row.get::<_, i64>(name).unwrap();
        let [entity_type, id] = ["type", "id"].map(|name| row.get::<_, String>(name).unwrap());
        let [shape, payload] =
            ["shape", "payload"].map(|name| row.get::<_, Vec<u8>>(name).unwrap());
        let sum = Sum::of(&["offset", "sequence", "codec"].map(number))
            .field(entity_type.as_bytes())
            .field(id.as_bytes())
            .field(&shape)
            .field(&payload);
        assert_eq!(sum.stored(), number("sum"));
        assert_eq!(u128::from_be_bytes(shape.try_into().unwrap()), 5);
        seen.push((id, String::from_utf8(payload).unwrap()));
    }
    seen.sort();
    let expected = [("alice", "alice at 5"), ("bob", "bob at 2")];
    assert_eq!(
        seen,
        expected.map(|(id, state)| (id.to_owned(), state.to_owned()))
    );
}

#[test]
fn a_store_of_any_format_opens_for_ever() {
    for format in [1, 2, 3, 4] {
        let folder = copied(format);
        let store = Sqlite::open(folder.path().join("store.db")).unwrap();
        assert_eq!(Answers::of(&store), expected(format));
        assert_eq!(block(store.verify()).unwrap().faults, []);
    }
}

#[test]
fn a_store_of_format_1_goes_on_as_one_of_format_4() {
    let store = Fixture::open(copied(1), "store.db");
    assert_eq!(store.epoch.get(), 2);
    let conn = Connection::open(store.path()).unwrap();
    let format: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, 4);
    assert_eq!(store.append(member("alice", 6, &["h"])), Offset::new(15));
    let seen = entity(&store.store, "alice", true).unwrap();
    assert_eq!(seen.payloads(), ["a", "c", "d", "e", "g", "h"]);
    assert_eq!(block(store.store.entities(None, 1)).unwrap(), [id("adam")]);
}

#[test]
fn todays_program_still_writes_format_4() {
    let folder = written_with_views();
    let conn = Connection::open(folder.path().join("store.db")).unwrap();
    let fixture = copied(4);
    let old = Connection::open(fixture.path().join("store.db")).unwrap();
    let schema = |conn: &Connection| -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema ORDER BY name";
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0));
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(schema(&conn), schema(&old));
    let rows = |conn: &Connection| -> Vec<String> {
        journal(conn).iter().map(|row| format!("{row:?}")).collect()
    };
    assert_eq!(rows(&conn), rows(&old));
    assert_eq!(outbox(&conn), outbox(&old));
    assert_eq!(timers(&conn), timers(&old));
    assert_eq!(format_views::rows(&conn), format_views::rows(&old));
}

#[test]
fn a_store_of_an_older_format_keeps_calls_once_it_is_open() {
    for (format, end) in [(1, 14), (2, 26)] {
        let store = Fixture::open(copied(format), "store.db");
        for member in calls(end + 1) {
            store.append(member);
        }
        let effects = block(store.store.effects(OutboxNumber::ZERO, 10)).unwrap();
        assert_eq!(effects.len(), 2);
        assert!(block(store.store.verify()).unwrap().faults.is_empty());
    }
}

#[test]
fn a_reader_written_from_the_page_sees_the_stored_calls() {
    let folder = copied(3);
    let path = folder.path().join("store.db");
    let (effects, dead, set) = {
        let store = Sqlite::open(&path).unwrap();
        let from = OutboxNumber::ZERO;
        (
            block(store.effects(from, 10)).unwrap(),
            block(store.dead_letters(from, 10)).unwrap(),
            block(store.timers(Timestamp::from_millis(i64::MAX), 10)).unwrap(),
        )
    };
    let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let letters = outbox(&conn);
    assert_eq!(
        letters.len(),
        effects.len() + dead.len(),
        "{effects:?} {dead:?}"
    );
    for effect in &effects {
        let (_, call, reason) = letters
            .iter()
            .find(|(number, ..)| number.unsigned_abs() == effect.number.get())
            .unwrap();
        assert_eq!(
            (call, reason),
            (&shown(&effect.sender, &effect.call), &None)
        );
    }
    let (_, call, reason) = &letters[1];
    assert_eq!(*call, shown(&dead[0].effect.sender, &dead[0].effect.call));
    assert_eq!(reason.as_deref(), Some("nobody is there"));
    // By name; the store hands them out by time.
    let mut expected: Vec<_> = set
        .iter()
        .map(|t| (t.name.clone(), t.due.as_millis(), shown(&t.owner, &t.call)))
        .collect();
    expected.sort();
    assert_eq!(timers(&conn), expected);
    assert_eq!(
        set.iter().map(|t| t.due.as_millis()).collect::<Vec<_>>(),
        [-5, 8_000, 9_000]
    );
}

fn shown(sender: &PersistenceId, call: &StoredCall) -> String {
    let StoredCall {
        target,
        command,
        codec,
        arguments,
        metadata,
        hops,
    } = call;
    format!("{sender} {target} {command} {codec} {arguments:?} {metadata:?} {hops}")
}

/// The call in a row, checked by the sum that `sum` begins.
fn call(row: &rusqlite::Row<'_>, sum: Sum) -> String {
    let number = |name: &str| row.get::<_, i64>(name).unwrap();
    let text = |name: &str| row.get::<_, String>(name).unwrap();
    let arguments: Vec<u8> = row.get("arguments").unwrap();
    let metadata: Vec<u8> = row
        .get::<_, Option<_>>("metadata")
        .unwrap()
        .unwrap_or_default();
    let names = ["type", "id", "target_type", "target_id", "command"].map(text);
    let sum = names
        .iter()
        .fold(sum, |sum, name| sum.field(name.as_bytes()))
        .word(number("codec"))
        .field(&arguments)
        .field(&metadata)
        .word(number("hops"));
    assert_eq!(sum.stored(), number("sum"));
    let [sender_type, sender, target_type, target, command] = names;
    let (codec, hops) = (number("codec"), number("hops"));
    format!(
        "{sender_type}/{sender} {target_type}/{target} {command} {codec} {arguments:?} {metadata:?} {hops}"
    )
}

fn outbox(conn: &Connection) -> Vec<(i64, String, Option<String>)> {
    let mut statement = conn
        .prepare("SELECT * FROM outbox ORDER BY number")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let number = |name: &str| row.get::<_, i64>(name).unwrap();
        let reason: Option<String> = row.get("reason").unwrap();
        let sum = Sum::of(&["number", "time", "attempts"].map(number));
        let sum = match &reason {
            None => sum.word(0),
            Some(reason) => sum.word(1).field(reason.as_bytes()),
        };
        Ok((number("number"), call(row, sum), reason))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn timers(conn: &Connection) -> Vec<(String, i64, String)> {
    let mut statement = conn.prepare("SELECT * FROM timers").unwrap();
    let rows = statement.query_map([], |row| {
        let number = |name: &str| row.get::<_, i64>(name).unwrap();
        let (name, schedule): (String, Vec<u8>) =
            (row.get("name").unwrap(), row.get("schedule").unwrap());
        let sum = Sum::of(&["number", "due", "wake"].map(number))
            .field(name.as_bytes())
            .field(&schedule);
        Ok((name, number("due"), call(row, sum)))
    });
    let mut timers: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    timers.sort();
    timers
}
