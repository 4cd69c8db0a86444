//! The tables of projections, read as FORMAT.md tells it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags, Row};
use statefn_store::{Offset, ProjectionId, Store, ViewQuery};

use crate::format::{Sum, copied};
use crate::history::project;
use crate::sqlite_support::{Fixture, block};

fn number(row: &Row<'_>, name: &str) -> i64 {
    row.get(name).unwrap()
}

fn text(row: &Row<'_>, name: &str) -> String {
    row.get(name).unwrap()
}

fn blob(row: &Row<'_>, name: &str) -> Vec<u8> {
    row.get(name).unwrap()
}

fn all<T>(conn: &Connection, table: &str, read: impl Fn(&Row<'_>) -> T) -> Vec<T> {
    let sql = format!("SELECT * FROM {table}");
    let mut statement = conn.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok(read(row)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// Name and version of each projection by its number, and where it stands, and whether it serves.
fn projections(conn: &Connection) -> BTreeMap<i64, (String, i64, i64, i64)> {
    let rows = all(conn, "projections", |row| {
        let numbers = ["number", "version", "offset", "serves"].map(|name| number(row, name));
        let sum = Sum::of(&numbers)
            .field(text(row, "name").as_bytes())
            .field(&blob(row, "layout"));
        assert_eq!(sum.stored(), number(row, "sum"));
        let [number, version, offset, serves] = numbers;
        (number, (text(row, "name"), version, offset, serves))
    });
    rows.into_iter().collect()
}

/// The values under which a row is listed: "lengths as little-endian words of 32 bits".
fn indexed(mut bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut part = || -> Option<Vec<u8>> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (part, rest) = rest.split_at(u32::from_le_bytes(*length).try_into().unwrap());
        bytes = rest;
        Some(part.to_vec())
    };
    let mut values = Vec::new();
    while let Some(index) = part() {
        values.push((String::from_utf8(index).unwrap(), part().unwrap()));
    }
    values
}

/// Everything that projections hold, each row checked by its sum, and the indexes by the rows.
pub(crate) fn rows(conn: &Connection) -> Vec<String> {
    let projections = projections(conn);
    let mut listed = Vec::new();
    let mut seen: Vec<String> = all(conn, "view_rows", |row| {
        let (projection, view) = (number(row, "projection"), text(row, "view"));
        let [key, payload, values] = ["key", "row", "indexed"].map(|name| blob(row, name));
        let sum = Sum::of(&[projection])
            .field(view.as_bytes())
            .field(&key)
            .field(&payload)
            .field(&values);
        assert_eq!(sum.stored(), number(row, "sum"));
        let of = &projections[&projection];
        let values = indexed(&values);
        let indexes = values.iter().map(|(index, value)| {
            (
                projection,
                view.clone(),
                index.clone(),
                value.clone(),
                key.clone(),
            )
        });
        let indexes: Vec<_> = indexes.collect();
        (
            format!("{of:?} {view} {key:?} {payload:?} {values:?}"),
            indexes,
        )
    })
    .into_iter()
    .map(|(row, indexes)| {
        listed.extend(indexes);
        row
    })
    .collect();
    let indexes = all(conn, "view_indexes", |row| {
        let [value, key] = ["value", "key"].map(|name| blob(row, name));
        (
            number(row, "projection"),
            text(row, "view"),
            text(row, "name"),
            value,
            key,
        )
    });
    listed.sort();
    assert_eq!(indexes, listed);
    seen.extend(all(conn, "passed_over", |row| {
        let numbers = ["projection", "offset", "time"].map(|name| number(row, name));
        let sum = Sum::of(&numbers).field(text(row, "reason").as_bytes());
        assert_eq!(sum.stored(), number(row, "sum"));
        format!("passed over {numbers:?} {}", text(row, "reason"))
    }));
    seen.extend(projections.values().map(|of| format!("{of:?}")));
    seen
}

#[test]
fn a_reader_written_from_the_page_sees_the_rows_of_views() {
    let folder = copied(4);
    let path = folder.path().join("store.db");
    let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let seen = rows(&conn);
    assert_eq!(seen.len(), 7, "{seen:?}");
    let told = [
        r#"("bestsellers", 1, 9, 0) sold [97, 112, 112, 108, 101, 115] [111, 110, 101] []"#,
        "passed over [2, 8, -8] a faulty release",
        r#"("bestsellers", 2, 9, 1)"#,
    ];
    for told in told {
        assert!(seen.iter().any(|row| row == told), "{seen:?}");
    }
}

#[test]
fn a_store_of_an_older_format_keeps_projections_once_it_is_open() {
    for format in [1, 2, 3, 4] {
        let store = Fixture::open(copied(format), "store.db");
        let stored = block(store.store.projections()).unwrap();
        assert_eq!(stored.versions.is_empty(), format < 4);
        if format < 4 {
            project(&store);
        }
        let query = ViewQuery {
            projection: "bestsellers".to_owned(),
            version: None,
            view: "sold".to_owned(),
            index: Some("by-count".to_owned()),
            from: std::ops::Bound::Unbounded,
            to: std::ops::Bound::Unbounded,
            descending: true,
            after: None,
            limit: 2,
        };
        let page = block(store.store.view(query)).unwrap().unwrap();
        let rows: Vec<&[u8]> = page.rows.iter().map(|row| &row.payload[..]).collect();
        assert_eq!(rows, [&b"two"[..], b""]);
        assert_eq!(
            (page.version, page.offset, page.more),
            (2, Offset::new(9), true)
        );
        let id = ProjectionId::new("bestsellers", 2);
        let passed = block(store.store.passed_over(&id, Offset::ZERO, 10)).unwrap();
        assert_eq!(passed[0].reason, "a faulty release");
        assert!(block(store.store.verify()).unwrap().faults.is_empty());
    }
}

#[test]
fn verify_finds_every_kind_of_damage_to_a_view() {
    for (damage, what) in [
        (
            "UPDATE view_rows SET row = x'00' WHERE key = x'7065617273'",
            "contradicts its checksum",
        ),
        (
            "DELETE FROM view_indexes WHERE value = '2'",
            "an index does not list a row",
        ),
        (
            "DELETE FROM view_indexes WHERE value = x'32'",
            "an index does not list a row",
        ),
        (
            "INSERT INTO view_indexes VALUES (2, 'sold', 'by-count', x'33', x'33')",
            "1 rows too many",
        ),
        (
            "UPDATE view_rows SET projection = 9, sum = sum WHERE projection = 1",
            "contradicts its checksum",
        ),
        (
            "UPDATE projections SET offset = 10 WHERE number = 2",
            "projection number 2",
        ),
        (
            "UPDATE passed_over SET reason = 'none'",
            "left out at offset 8",
        ),
    ] {
        let folder = copied(4);
        let path = folder.path().join("store.db");
        let conn = Connection::open(&path).unwrap();
        let changed = conn.execute(damage, []).unwrap();
        drop(conn);
        let store = Fixture::open(folder, "store.db");
        let faults = block(store.store.verify()).unwrap().faults;
        let found = faults.iter().any(|fault| fault.what.contains(what));
        assert_eq!(found, changed > 0, "{damage}: {faults:?}");
    }
}
