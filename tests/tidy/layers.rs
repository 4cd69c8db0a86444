//! The layers of `statefn`: a module names modules of its own layer or of lower ones.

use crate::graph::edges;
use crate::sources::Source;
use crate::{Allowance, Finding};

/// Lowest first. Every top-level module stands in exactly one layer.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "words",
        &[
            "codec", "crdt", "env", "hash", "limits", "metadata", "planted", "random", "shape",
            "sync",
        ],
    ),
    (
        "contracts",
        &[
            "call_error",
            "chain",
            "command",
            "context",
            "effect",
            "entity",
            "event",
            "forward",
            "infallible",
            "reply",
            "schedule",
        ],
    ),
    ("definitions", &["projection", "view"]),
    ("machinery", &["runtime"]),
    (
        "surface",
        &[
            "action", "admin", "call", "history", "purge", "reading", "system", "testing",
        ],
    ),
    ("root", &["__private", "prelude"]),
];

/// Known breaches.
pub(crate) const ALLOWED: &[Allowance] = &[
    Allowance {
        file: "statefn/src/entity.rs",
        what: "`entity` (contracts) names `__private` (root)",
        reason: "a reference type wraps the handle that sends calls; only generated code sees it",
    },
    Allowance {
        file: "statefn/src/context/sending.rs",
        what: "`context` (contracts) names `__private` (root)",
        reason: "a handler gets references as well, for calls that it sends on",
    },
];

/// Modules that name a higher layer, and modules that have no layer.
pub(crate) fn upward(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for edge in edges(sources) {
        let (Some(from), Some(to)) = (edge.from.first(), edge.to.first()) else {
            continue;
        };
        let what = match (layer(from), layer(to)) {
            (None, _) => format!("`{from}` has no layer: give it one in tests/tidy/layers.rs"),
            (Some((from_rank, from_layer)), Some((to_rank, to_layer))) if to_rank > from_rank => {
                format!("`{from}` ({from_layer}) names `{to}` ({to_layer})")
            }
            _ => continue,
        };
        findings.push(Finding::new(edge.source, edge.line, what));
    }
    findings
}

fn layer(module: &str) -> Option<(usize, &'static str)> {
    LAYERS
        .iter()
        .enumerate()
        .find(|(_, (_, modules))| modules.contains(&module))
        .map(|(rank, (name, _))| (rank, *name))
}

#[test]
fn an_upward_path_is_found() {
    let sources = [
        Source::planted("statefn/src/lib.rs", "mod codec; mod runtime;"),
        Source::planted("statefn/src/codec/mod.rs", "use crate::runtime::shard;"),
        Source::planted("statefn/src/runtime/mod.rs", "use crate::codec::Codec;"),
    ];
    let findings = upward(&sources);
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].what,
        "`codec` (words) names `runtime` (machinery)"
    );
}

#[test]
fn a_module_without_a_layer_is_found() {
    let sources = [
        Source::planted("statefn/src/codec/mod.rs", ""),
        Source::planted("statefn/src/util.rs", "use crate::codec::Codec;"),
    ];
    assert!(upward(&sources)[0].what.starts_with("`util` has no layer"));
}
