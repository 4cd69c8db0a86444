//! The conformance suite: every clause of the contract as a test that any backend can run.
//!
//! A clause drives a store beside a plain model of what it must answer, and panics where the two
//! differ. [`conformance!`](crate::conformance) makes a `#[test]` of each.

mod calls;
mod checked;
mod closed;
mod concurrent;
mod damaged;
mod deferred;
mod draft;
mod erased;
mod failed;
mod fenced;
mod list;
mod listed;
mod model;
mod ordered;
mod projected;
mod random;
mod recorded;
mod reopened;
mod replayed;
mod rows;
mod states;
mod stored;
mod tape;
mod trial;
mod whole;

use super::Fixture;

/// Writes the rows of [`clauses`]; asynchronous clauses run the way the fixture wants it.
macro_rules! rows {
    (($clauses:ident $ability:literal $kind:ident) $($module:ident: $($name:ident)+;)+) => {
        $clauses.extend([$($(Clause {
            name: stringify!($name),
            ability: $ability,
            check: rows!(@$kind $module $name),
        }),+),+]);
    };
    (@asynchronous $module:ident $name:ident) => {
        |fixture| run(fixture, $module::$name(fixture))
    };
    (@threaded $module:ident $name:ident) => {
        $module::$name
    };
}

/// One clause of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    name: &'static str,
    ability: &'static str,
    check: fn(&dyn Fixture),
}

impl Clause {
    /// What the clause demands; also the name of its test.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What a fixture must be able to do: `always` (make stores), `reopen`, `crash`, `damage`,
    /// `damage_snapshot` or `fail`.
    pub fn ability(&self) -> &'static str {
        self.ability
    }

    /// Runs the clause against a fresh fixture.
    ///
    /// # Panics
    ///
    /// The store does not keep the clause.
    pub fn check(&self, fixture: &dyn Fixture) {
        (self.check)(fixture);
    }
}

/// Every clause, for a harness of your own; [`conformance!`](crate::conformance) is made of them.
///
/// ```
/// use statefn_store::Memory;
/// use statefn_store::testing::clauses;
///
/// let first = clauses().into_iter().next().unwrap();
/// first.check(&|| async { Memory::new() });
/// ```
pub fn clauses() -> Vec<Clause> {
    let mut clauses = Vec::new();
    crate::__clauses!(asynchronous, rows, (clauses "always" asynchronous));
    crate::__clauses!(threaded, rows, (clauses "always" threaded));
    crate::__clauses!(reopen_asynchronous, rows, (clauses "reopen" asynchronous));
    crate::__clauses!(reopen_threaded, rows, (clauses "reopen" threaded));
    crate::__clauses!(crash, rows, (clauses "crash" asynchronous));
    crate::__clauses!(damage, rows, (clauses "damage" asynchronous));
    crate::__clauses!(damage_snapshot, rows, (clauses "damage_snapshot" asynchronous));
    crate::__clauses!(fail, rows, (clauses "fail" asynchronous));
    clauses
}

/// Runs the clause with this name.
///
/// # Panics
///
/// There is no such clause, or the store does not keep it.
///
/// ```
/// use statefn_store::Memory;
/// use statefn_store::testing::check;
///
/// check("b3_stale_member_is_refused_alone", &|| async { Memory::new() });
/// ```
pub fn check(name: &str, fixture: &dyn Fixture) {
    match clauses().into_iter().find(|clause| clause.name == name) {
        Some(clause) => clause.check(fixture),
        None => panic!("the suite has no clause `{name}`"),
    }
}

/// Runs a future the way the fixture wants it.
fn run(fixture: &dyn Fixture, work: impl Future<Output = ()>) {
    fixture.run(Box::pin(work));
}
