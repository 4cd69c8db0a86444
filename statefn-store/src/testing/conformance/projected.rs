//! B13: rows move with the offset of their projection, from one place only, and are read in order.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::draft::{Draft, cart};
use super::rows::Rows;
use super::trial::{Trial, claim, same};
use crate::testing::{Dice, Fixture};
use crate::{
    Advance, CommitError, IndexValue, NewRow, Offset, PassedOver, Projected, Projecting,
    ProjectionId, RowChange, RowPlace, RowsWanted, StoredProjection, Timestamp, ViewPage,
    ViewQuery,
};

const VIEW: &str = "sold per sku";

/// A store beside what its projections must be.
struct Desk<'a> {
    trial: Trial<'a>,
    rows: BTreeMap<ProjectionId, Rows>,
    serving: BTreeMap<String, u32>,
}

fn id(version: u32) -> ProjectionId {
    ProjectionId::new("bestsellers", version)
}

/// A row that is listed by one index under a value, if there is one.
fn put(key: &[u8], payload: &[u8], value: Option<&[u8]>) -> RowChange {
    let indexed = value.map(|value| IndexValue {
        index: "sold".to_owned(),
        value: value.to_vec(),
    });
    RowChange {
        view: VIEW.to_owned(),
        key: key.to_vec(),
        row: Some(NewRow {
            payload: payload.to_vec(),
            indexed: indexed.into_iter().collect(),
        }),
    }
}

fn delete(key: &[u8]) -> RowChange {
    RowChange {
        row: None,
        ..put(key, &[], None)
    }
}

fn query(index: Option<&str>) -> ViewQuery {
    ViewQuery {
        projection: "bestsellers".to_owned(),
        version: None,
        view: VIEW.to_owned(),
        index: index.map(str::to_owned),
        from: Bound::Unbounded,
        to: Bound::Unbounded,
        descending: false,
        after: None,
        limit: usize::MAX,
    }
}

impl<'a> Desk<'a> {
    async fn open(fixture: &'a dyn Fixture) -> Self {
        Self {
            trial: Trial::open(fixture).await,
            rows: BTreeMap::new(),
            serving: BTreeMap::new(),
        }
    }

    /// A store with entries, and the first version of a projection.
    async fn with_first(fixture: &'a dyn Fixture) -> Self {
        let mut desk = Self::open(fixture).await;
        let member = Draft::new(&cart("a"), 0).events(20).done();
        desk.trial.commit(vec![member]).await;
        assert_eq!(desk.begin(1, 0).await, Projected::Done);
        desk
    }

    async fn project(&self, change: Projecting) -> Projected {
        let done = self.trial.store.project(self.trial.epoch, change).await;
        match done {
            Ok(done) => done,
            Err(error) => panic!("a projection cannot be changed: {error:?}"),
        }
    }

    async fn begin(&mut self, version: u32, offset: u64) -> Projected {
        let (id, offset) = (id(version), Offset::new(offset));
        let begin = Projecting::Begin {
            id: id.clone(),
            offset,
            layout: vec![7, 0, 7],
        };
        let done = self.project(begin).await;
        if done == Projected::Done {
            self.serving.entry(id.name.clone()).or_insert(version);
            let rows = self.rows.entry(id).or_default();
            rows.offset = offset;
        }
        done
    }

    async fn advance(&mut self, version: u32, by: u64, changes: Vec<RowChange>) {
        let id = id(version);
        let expected = self.rows.entry(id.clone()).or_default().offset;
        let offset = Offset::new(expected.get() + by);
        let advance = Advance {
            id: id.clone(),
            expected,
            offset,
            rows: changes.clone(),
            passed: Vec::new(),
        };
        let done = self.project(Projecting::Advance(advance)).await;
        assert_eq!(done, Projected::Done, "an advance of {id}");
        if let Some(rows) = self.rows.get_mut(&id) {
            rows.advance(offset, &changes);
        }
    }

    async fn page(&self, query: ViewQuery) -> Option<ViewPage> {
        match self.trial.store.view(query).await {
            Ok(page) => page,
            Err(error) => panic!("a view cannot be read: {error:?}"),
        }
    }

    /// Compares the answer to a question, page by page, with the model's.
    async fn check_query(&self, query: &ViewQuery) {
        let name = &query.projection;
        let version = query.version.or(self.serving.get(name).copied());
        let rows = version.and_then(|v| self.rows.get(&ProjectionId::new(name.clone(), v)));
        let (Some(version), Some(rows)) = (version, rows) else {
            assert_eq!(self.page(query.clone()).await, None, "{query:?}");
            return;
        };
        let (mut seen, mut next) = (Vec::new(), query.clone());
        loop {
            let Some(page) = self.page(next.clone()).await else {
                panic!("nothing answers {next:?}");
            };
            assert_eq!((page.version, page.offset), (version, rows.offset));
            assert!(page.rows.len() <= query.limit, "too long a page: {next:?}");
            next.after = page.rows.last().map(|row| row.place.clone());
            seen.extend(page.rows);
            if !page.more {
                break;
            }
            assert!(next.after.is_some(), "an empty page has more behind it");
        }
        same(&seen, &rows.all(query), &format!("the rows of {query:?}"));
    }

    /// Compares everything with the model.
    async fn check(&self) {
        let stored = self.trial.store.projections().await;
        let Ok(stored) = stored else {
            panic!("the projections cannot be listed: {stored:?}");
        };
        let versions = self.rows.iter().map(|(id, rows)| StoredProjection {
            id: id.clone(),
            offset: rows.offset,
            serves: self.serving.get(&id.name) == Some(&id.version),
            layout: vec![7, 0, 7],
        });
        same(
            &stored.versions,
            &versions.collect::<Vec<_>>(),
            "projections",
        );
        let end = self.trial.model.entries.last();
        assert_eq!(stored.end, end.map_or(Offset::ZERO, |entry| entry.offset));
        for id in self.rows.keys() {
            for index in [None, Some("sold"), Some("none of this name")] {
                let mut all = query(index);
                all.version = Some(id.version);
                self.check_query(&all).await;
                self.check_rows(id, &all).await;
            }
        }
        self.check_query(&query(None)).await;
        let report = self.trial.store.verify().await;
        assert!(
            report.as_ref().is_ok_and(|report| report.faults.is_empty()),
            "{report:?}"
        );
    }

    /// Asks for each row by its key, and for one that is not there.
    async fn check_rows(&self, id: &ProjectionId, all: &ViewQuery) {
        let Some(rows) = self.rows.get(id) else {
            return;
        };
        let listed = rows.all(all).into_iter().map(|row| row.place.key);
        let keys: Vec<Vec<u8>> = listed.chain([b"absent".to_vec()]).collect();
        let expected: Vec<_> = keys.iter().map(|key| rows.get(VIEW, key)).collect();
        let wanted = RowsWanted {
            id: id.clone(),
            rows: keys.into_iter().map(|key| (VIEW.to_owned(), key)).collect(),
        };
        match self.trial.store.rows(wanted).await {
            Ok(Some(found)) => {
                assert_eq!(found.offset, rows.offset);
                same(&found.rows, &expected, "rows by their keys");
            }
            answer => panic!("{id}: {answer:?}"),
        }
    }
}

/// Rows and offset move together: written, replaced, removed, in the order of the changes.
pub(super) async fn b13_advance_changes_rows_and_offset(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    desk.check().await;
    desk.advance(
        1,
        3,
        vec![put(b"a", b"1", Some(b"x")), put(b"b", b"2", None)],
    )
    .await;
    desk.check().await;
    let changes = vec![
        put(b"a", b"10", Some(b"y")),
        put(b"c", b"", None),
        delete(b"b"),
        delete(b"never there"),
        put(b"c", b"3", Some(b"")),
        put(b"", b"empty key", Some(b"z")),
    ];
    desk.advance(1, 1, changes).await;
    desk.check().await;
    // Entries that change nothing move the offset as well.
    desk.advance(1, 7, Vec::new()).await;
    desk.advance(1, 0, vec![delete(b"a"), put(b"a", b"again", Some(b"y"))])
        .await;
    desk.check().await;
}

/// Of two advances from one place one is refused, and leaves nothing.
pub(super) async fn b13_advance_from_elsewhere_is_refused(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    desk.advance(1, 5, vec![put(b"a", b"1", Some(b"x"))]).await;
    for (version, expected, offset) in [(1, 0, 5), (1, 4, 6), (1, 6, 7), (1, 5, 4), (2, 5, 6)] {
        let refused = Advance {
            id: id(version),
            expected: Offset::new(expected),
            offset: Offset::new(offset),
            rows: vec![put(b"a", b"lost", Some(b"y")), put(b"b", b"lost", None)],
            passed: Vec::new(),
        };
        let done = desk.project(Projecting::Advance(refused)).await;
        let at = (version == 1).then_some(Offset::new(5));
        assert_eq!(
            done,
            Projected::Refused { at },
            "from {expected} to {offset}"
        );
        desk.check().await;
    }
}

/// A sample of keys that bytes must order, and values that several rows share.
async fn with_many(fixture: &dyn Fixture) -> Desk<'_> {
    let mut desk = Desk::with_first(fixture).await;
    let keys: [&[u8]; 10] = [
        b"",
        b"\0",
        b"\0\0",
        b"a",
        b"a\0",
        b"a\xff",
        b"b",
        b"\x7f",
        b"\x80",
        b"\xff\xff",
    ];
    let values: [&[u8]; 4] = [b"", b"5", b"5\0", b"\xff"];
    let rows = keys.iter().enumerate().map(|(number, key)| {
        let value = values.get(number % 5).copied();
        put(key, &[u8::try_from(number).unwrap_or(0)], value)
    });
    desk.advance(1, 10, rows.collect()).await;
    desk
}

async fn check_every_page(desk: &Desk<'_>, index: Option<&str>, bounds: &[Bound<Vec<u8>>]) {
    for descending in [false, true] {
        for from in bounds {
            for to in bounds {
                for limit in [1, 3, usize::MAX] {
                    let wanted = ViewQuery {
                        from: from.clone(),
                        to: to.clone(),
                        descending,
                        limit,
                        ..query(index)
                    };
                    desk.check_query(&wanted).await;
                }
            }
        }
    }
}

/// Pages by key: ranges, both directions, limits, continuations.
pub(super) async fn b13_pages_follow_keys(fixture: &dyn Fixture) {
    let desk = with_many(fixture).await;
    let bounds = [
        Bound::Unbounded,
        Bound::Included(b"a".to_vec()),
        Bound::Excluded(b"a".to_vec()),
        Bound::Included(b"\xff\xff".to_vec()),
        Bound::Excluded(b"not there".to_vec()),
    ];
    check_every_page(&desk, None, &bounds).await;
}

/// Pages by an index: its values first, then keys; rows without a value are not in it.
pub(super) async fn b13_pages_follow_indexes(fixture: &dyn Fixture) {
    let desk = with_many(fixture).await;
    let bounds = [
        Bound::Unbounded,
        Bound::Included(b"5".to_vec()),
        Bound::Excluded(b"5".to_vec()),
        Bound::Excluded(b"".to_vec()),
        Bound::Included(b"\xff".to_vec()),
    ];
    check_every_page(&desk, Some("sold"), &bounds).await;
    // A continuation need not be a row that is still there.
    let behind = ViewQuery {
        after: Some(RowPlace {
            value: b"5".to_vec(),
            key: b"gone".to_vec(),
        }),
        ..query(Some("sold"))
    };
    desk.check_query(&behind).await;
}

/// Each version has rows of its own; the first one serves until another one does.
pub(super) async fn b13_one_version_serves(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    desk.advance(1, 9, vec![put(b"a", b"old", None)]).await;
    assert_eq!(desk.begin(2, 4).await, Projected::Done);
    desk.check().await;
    desk.advance(
        2,
        5,
        vec![put(b"a", b"new", None), put(b"b", b"new", Some(b"1"))],
    )
    .await;
    desk.check().await;
    let at = Some(Offset::new(9));
    assert_eq!(desk.begin(2, 0).await, Projected::Refused { at });
    assert_eq!(
        desk.project(Projecting::Serve(id(2))).await,
        Projected::Done
    );
    desk.serving.insert("bestsellers".to_owned(), 2);
    desk.check().await;
    let unknown = desk.project(Projecting::Serve(id(3))).await;
    assert_eq!(unknown, Projected::Refused { at: None });
    desk.check().await;
    let stranger = ViewQuery {
        projection: "another one".to_owned(),
        ..query(None)
    };
    desk.check_query(&stranger).await;
}

/// A version that does not serve is removed bit by bit, and takes nothing of another one along.
pub(super) async fn b13_dropped_version_is_gone(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    let rows = |payload: u8| -> Vec<RowChange> {
        let keys = (0..25_u8).map(|key| put(&[key], &[payload], Some(&[key % 3])));
        keys.collect()
    };
    desk.advance(1, 1, rows(1)).await;
    assert_eq!(desk.begin(2, 0).await, Projected::Done);
    desk.advance(2, 1, rows(2)).await;
    let drop = |version| Projecting::Drop {
        id: id(version),
        limit: 10,
    };
    let at = Some(Offset::new(1));
    assert_eq!(desk.project(drop(1)).await, Projected::Refused { at });
    desk.check().await;
    let mut parts = 0;
    while desk.project(drop(2)).await == Projected::More {
        parts += 1;
        assert!(parts < 100, "it is never gone");
    }
    assert!(parts >= 2, "25 rows went in {parts} steps of 10");
    desk.rows.remove(&id(2));
    desk.check().await;
    assert_eq!(desk.project(drop(2)).await, Projected::Refused { at: None });
    // It may begin anew, without what it had.
    assert_eq!(desk.begin(2, 0).await, Projected::Done);
    desk.check().await;
}

/// What is left out is kept with the advance that leaves it out.
pub(super) async fn b13_what_is_passed_over_is_kept(fixture: &dyn Fixture) {
    let desk = Desk::with_first(fixture).await;
    let passed: Vec<PassedOver> = (1..=3)
        .map(|offset| PassedOver {
            offset: Offset::new(offset),
            time: Timestamp::from_millis(-5),
            reason: format!("because\0{offset}"),
        })
        .collect();
    let advance = |expected, passed: &[PassedOver]| {
        Projecting::Advance(Advance {
            id: id(1),
            expected: Offset::new(expected),
            offset: Offset::new(3),
            rows: Vec::new(),
            passed: passed.to_vec(),
        })
    };
    assert_eq!(desk.project(advance(0, &passed)).await, Projected::Done);
    let refused = desk.project(advance(0, &passed)).await;
    assert!(matches!(refused, Projected::Refused { .. }), "{refused:?}");
    let (mut seen, mut after) = (Vec::new(), Offset::ZERO);
    loop {
        match desk.trial.store.passed_over(&id(1), after, 2).await {
            Ok(page) if page.is_empty() => break,
            Ok(page) => {
                assert!(page.len() <= 2, "{page:?}");
                after = page.last().map_or(after, |passed| passed.offset);
                seen.extend(page);
            }
            Err(error) => panic!("what was left out cannot be read: {error:?}"),
        }
    }
    same(&seen, &passed, "what was left out");
}

/// An older owner changes no projection.
pub(super) async fn b13_projecting_is_fenced(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    let held = desk.trial.epoch;
    desk.trial.epoch = claim(&*desk.trial.store).await;
    let advance = Projecting::Advance(Advance {
        id: id(1),
        expected: Offset::ZERO,
        offset: Offset::new(1),
        rows: vec![put(b"a", b"1", None)],
        passed: Vec::new(),
    });
    let fenced = desk.trial.store.project(held, advance).await;
    assert!(
        matches!(&fenced, Err(CommitError::Fenced { held: epoch, .. }) if *epoch == held),
        "{fenced:?}"
    );
    desk.check().await;
    desk.advance(1, 1, vec![put(b"a", b"1", None)]).await;
    desk.check().await;
}

/// Random changes of two versions, among commits, match the model.
pub(super) async fn b13_random_changes_match_the_model(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    assert_eq!(desk.begin(2, 0).await, Projected::Done);
    let mut dice = Dice::new(13);
    for round in 0..60 {
        let version = 1 + u32::from(dice.chance(500));
        let changes = (0..dice.index(12)).map(|_| {
            let key = vec![u8::try_from(dice.index(16)).unwrap_or(0); dice.index(3)];
            let value = [u8::try_from(dice.index(4)).unwrap_or(0)];
            match dice.index(4) {
                0 => delete(&key),
                1 => put(&key, &[round], None),
                _ => put(&key, &[round], Some(&value)),
            }
        });
        let changes: Vec<RowChange> = changes.collect();
        let by = dice.index(3) as u64;
        desk.advance(version, by, changes).await;
        if dice.chance(300) {
            let member = desk.trial.next(&cart("a")).events(1).done();
            desk.trial.commit(vec![member]).await;
        }
        if round % 10 == 9 {
            desk.check().await;
        }
    }
    desk.trial.check().await;
}

async fn fill(desk: &mut Desk<'_>) {
    desk.advance(
        1,
        4,
        vec![put(b"a", b"1", Some(b"x")), put(b"b", b"2", None)],
    )
    .await;
    assert_eq!(desk.begin(2, 3).await, Projected::Done);
    desk.advance(2, 1, vec![put(b"a", b"11", Some(b"y"))]).await;
    assert_eq!(
        desk.project(Projecting::Serve(id(2))).await,
        Projected::Done
    );
    desk.serving.insert("bestsellers".to_owned(), 2);
}

/// A store that was closed has its projections when it is opened again, and they go on.
pub(super) async fn b13_projections_survive_a_close(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    fill(&mut desk).await;
    desk.trial.reopen().await;
    desk.check().await;
    desk.advance(2, 1, vec![put(b"b", b"12", None)]).await;
    desk.check().await;
}

/// The same after a crash.
pub(super) async fn b13_projections_survive_a_crash(fixture: &dyn Fixture) {
    let mut desk = Desk::with_first(fixture).await;
    fill(&mut desk).await;
    fixture.crash();
    desk.trial.open_again().await;
    desk.check().await;
    desk.advance(2, 1, vec![put(b"b", b"12", None)]).await;
    desk.check().await;
}
