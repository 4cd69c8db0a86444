//! Rows changed by SQL, as an operator's accident would, or under checksums that are right.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::input::Input;

/// The columns of each table, and its checksums as FORMAT.md orders them.
const TABLES: [(&str, &[&str]); 4] = [
    (
        "journal",
        &[
            "offset",
            "kind",
            "slice",
            "type",
            "id",
            "sequence",
            "previous",
            "previous_record",
            "time",
            "name",
            "version",
            "codec",
            "metadata",
            "payload",
            "record_key",
            "record_fingerprint",
            "record_outcome",
            "skips",
            "reason",
            "header_sum",
            "body_sum",
        ],
    ),
    (
        "heads",
        &[
            "position", "sequence", "record", "snapshot", "first", "skip", "type", "id", "sum",
        ],
    ),
    (
        "snapshots",
        &[
            "offset", "sequence", "codec", "type", "id", "shape", "payload", "sum",
        ],
    ),
    ("meta", &["epoch", "watermark", "sum"]),
];

const CHANGES_MAX: u8 = 4;

/// Changes some rows.
pub(super) fn change(path: &Path, input: &mut Input<'_>, sums_are_right: bool) {
    let conn = Connection::open(path).unwrap();
    for _ in 0..=input.below(CHANGES_MAX) {
        let (table, columns) = input.pick(&TABLES);
        let rows = row_count(&conn, table);
        if rows == 0 {
            continue;
        }
        let row = u64::from(input.byte()) % rows;
        if input.once_in(12) {
            let (key, _) = key(table);
            let sql = format!(
                "DELETE FROM {table} WHERE ({key}) = (SELECT {key} FROM {table} LIMIT 1 OFFSET {row})"
            );
            conn.execute(&sql, []).unwrap();
            continue;
        }
        let column = input.pick(columns);
        let mut values = values(&conn, table, columns, row);
        let at = columns.iter().position(|name| *name == column).unwrap();
        let value = value(input, &values[at]);
        values[at] = value;
        if sums_are_right {
            sum(table, &mut values);
        }
        // What the schema does not take stays as it was.
        let _ = update(&conn, table, columns, row, &values);
    }
    conn.close().unwrap();
}

fn row_count(conn: &Connection, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let count: i64 = conn.query_one(&sql, [], |row| row.get(0)).unwrap();
    count.cast_unsigned()
}

/// The columns that name a row.
fn key(table: &str) -> (&'static str, usize) {
    match table {
        "heads" => ("type, id", 2),
        "meta" => ("one", 1),
        _ => ("offset", 1),
    }
}

fn values(conn: &Connection, table: &str, columns: &[&str], row: u64) -> Vec<Value> {
    let columns_sql = columns.join(", ");
    let sql = format!("SELECT {columns_sql} FROM {table} LIMIT 1 OFFSET {row}");
    conn.query_one(&sql, [], |row| {
        (0..columns.len()).map(|at| row.get(at)).collect()
    })
    .unwrap()
}

fn update(
    conn: &Connection,
    table: &str,
    columns: &[&str],
    row: u64,
    values: &[Value],
) -> rusqlite::Result<usize> {
    let (key, _) = key(table);
    let set: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} = ?"))
        .collect();
    let set = set.join(", ");
    let sql = format!(
        "UPDATE {table} SET {set} WHERE ({key}) = (SELECT {key} FROM {table} LIMIT 1 OFFSET {row})"
    );
    conn.execute(&sql, rusqlite::params_from_iter(values))
}

/// Another value: near the old one, or of any kind.
fn value(input: &mut Input<'_>, old: &Value) -> Value {
    match (input.below(8), old) {
        (0, Value::Integer(old)) => Value::Integer(old.wrapping_add(1)),
        (1, Value::Integer(old)) => Value::Integer(old.wrapping_sub(1)),
        (2 | 3, Value::Integer(_)) => Value::Integer(i64::from(input.byte())),
        (0..=3, Value::Text(old)) => Value::Text(format!("{old}x")),
        (0..=3, Value::Blob(old)) => Value::Blob([&old[..], &[0]].concat()),
        (4, _) => Value::Null,
        (5, _) => Value::Text(input.text(30)),
        (6, _) => Value::Blob(input.bytes(30)),
        _ => Value::Integer(input.number().cast_signed()),
    }
}

/// Sets the checksums of a row to what its values make them.
fn sum(table: &str, values: &mut [Value]) {
    if table == "journal" {
        let header = crc(&[0, 1, 2, 5, 6, 7, 3, 4]
            .map(|at| bytes(&values[at]))
            .concat());
        values[19] = Value::Integer(header);
        values[20] = Value::Integer(crc(&body(values, header)));
    } else {
        let last = values.len() - 1;
        let summed: Vec<u8> = values[..last].iter().flat_map(bytes).collect();
        values[last] = Value::Integer(crc(&summed));
    }
}

fn body(values: &[Value], header: i64) -> Vec<u8> {
    let word = |number: i64| number.to_le_bytes().to_vec();
    let number = |at: usize| match values[at] {
        Value::Integer(number) => number,
        _ => 0,
    };
    let or_empty = |at: usize| match &values[at] {
        Value::Null => bytes(&Value::Blob(Vec::new())),
        value => bytes(value),
    };
    let mut body = [word(header), word(number(8)), or_empty(12)].concat();
    if values[9] != Value::Null {
        let tag = 1_i64
            .wrapping_add(number(10) << 8)
            .wrapping_add(number(11) << 40);
        body.extend([word(tag), or_empty(9), or_empty(13)].concat());
    }
    if values[14] != Value::Null {
        body.extend([word(2), or_empty(14), or_empty(15), or_empty(16)].concat());
    }
    if values[17] != Value::Null {
        body.extend([word(3), word(number(17)), or_empty(18)].concat());
    }
    body
}

fn bytes(value: &Value) -> Vec<u8> {
    let field = |bytes: &[u8]| {
        let length = bytes.len() as u64;
        [&length.to_le_bytes()[..], bytes].concat()
    };
    match value {
        Value::Integer(number) => number.to_le_bytes().to_vec(),
        Value::Text(text) => field(text.as_bytes()),
        Value::Blob(bytes) => field(bytes),
        Value::Null | Value::Real(_) => Vec::new(),
    }
}

/// CRC-32 bit by bit, as it is stored.
fn crc(bytes: &[u8]) -> i64 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    i64::from((!crc).cast_signed())
}
