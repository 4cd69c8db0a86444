//! Which module of a crate names which, and whether that goes round in circles.

use std::collections::{BTreeMap, BTreeSet};

use crate::Finding;
use crate::paths::crate_paths;
use crate::sources::Source;

/// A module that names another one of its crate.
pub(crate) struct Edge<'a> {
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    pub(crate) source: &'a Source,
    pub(crate) line: usize,
}

/// An edge that is known to close a circle. The list only ever shrinks.
pub(crate) struct Known {
    /// The folder of both modules, below `src`.
    folder: &'static str,
    from: &'static str,
    to: &'static str,
    #[expect(dead_code, reason = "for whoever reads the list")]
    reason: &'static str,
}

/// Known circles of `statefn`.
pub(crate) const KNOWN: &[Known] = &[
    Known {
        folder: "",
        from: "entity",
        to: "__private",
        reason: "a reference type wraps the handle that sends calls; only generated code sees it",
    },
    Known {
        folder: "",
        from: "context",
        to: "__private",
        reason: "a handler gets references as well, for calls that it sends on",
    },
    Known {
        folder: "runtime",
        from: "definition",
        to: "delivery",
        reason: "a type's commands are functions that call a shard",
    },
    Known {
        folder: "runtime",
        from: "hosted",
        to: "delivery",
        reason: "the table of types holds its commands as functions, and those call a shard",
    },
    Known {
        folder: "",
        from: "entity",
        to: "command",
        reason: "an entity shows its commands, so that stored calls find them by name",
    },
    Known {
        folder: "runtime",
        from: "shared",
        to: "projector",
        reason: "all shards ring the projections, whose tasks hold what shards share",
    },
    Known {
        folder: "runtime",
        from: "shared",
        to: "outbox",
        reason: "all shards reach the outbox, whose couriers reach everything",
    },
    Known {
        folder: "runtime",
        from: "outbox",
        to: "delivery",
        reason: "a courier calls the commands that a type shows",
    },
    Known {
        folder: "runtime",
        from: "outbox",
        to: "engine",
        reason: "a courier finds the shard of its target",
    },
    Known {
        folder: "runtime",
        from: "activation",
        to: "slot",
        reason: "a job runs on the activation whose mailbox holds it",
    },
];

impl Known {
    fn is(&self, folder: &[String], from: &str, to: &str) -> bool {
        folder.join("/") == self.folder && from == self.from && to == self.to
    }
}

/// Every edge between modules of one crate, from the module that has the path to the one that has
/// the named item; names that the root re-exports lead to where they come from.
pub(crate) fn edges(sources: &[Source]) -> Vec<Edge<'_>> {
    let modules: BTreeSet<Vec<String>> = sources.iter().map(|s| module_of(&s.path)).collect();
    let exports = exports(sources);
    let mut edges = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let from = module_of(&source.path);
        for path in crate_paths(source, &from) {
            let mut segments = path.segments;
            if let [name] = segments.as_slice()
                && let Some(home) = exports.get(name)
            {
                segments.clone_from(home);
            }
            while !modules.contains(&segments) && segments.pop().is_some() {}
            if segments != from && !segments.is_empty() {
                edges.push(Edge {
                    from: from.clone(),
                    to: segments,
                    source,
                    line: path.line,
                });
            }
        }
    }
    edges
}

/// Cycles between neighbors: modules of one folder, each with all that is below it.
///
/// A folder's `mod.rs` and the files beside it are one concept: they may name each other.
pub(crate) fn cycles(sources: &[Source], known: &[Known]) -> Vec<Finding> {
    let mut used: Vec<bool> = known.iter().map(|_| false).collect();
    let mut neighbors: BTreeMap<Vec<String>, Graph> = BTreeMap::new();
    for edge in edges(sources) {
        let common = edge
            .from
            .iter()
            .zip(&edge.to)
            .take_while(|(a, b)| a == b)
            .count();
        if let (Some(from), Some(to)) = (edge.from.get(common), edge.to.get(common)) {
            let folder: Vec<String> = edge.from.iter().take(common).cloned().collect();
            if let Some(index) = known.iter().position(|known| known.is(&folder, from, to)) {
                used[index] = true;
                continue;
            }
            neighbors
                .entry(folder)
                .or_default()
                .entry(from.clone())
                .or_default()
                .insert(to.clone());
        }
    }
    let mut findings = Vec::new();
    for (folder, graph) in &neighbors {
        let knot = knot(graph);
        if !knot.is_empty() {
            findings.push(Finding {
                file: folder.join("/"),
                line: 0,
                what: format!("modules that reach each other: {}", describe(graph, &knot)),
            });
        }
    }
    for (known, _) in known.iter().zip(used).filter(|(_, used)| !used) {
        findings.push(Finding {
            file: known.folder.to_owned(),
            line: 0,
            what: format!("{} -> {} is no longer known", known.from, known.to),
        });
    }
    findings
}

type Graph = BTreeMap<String, BTreeSet<String>>;

/// All nodes that lie on a cycle.
fn knot(graph: &Graph) -> BTreeSet<String> {
    graph
        .keys()
        .filter(|start| {
            let mut seen = BTreeSet::new();
            let mut open: Vec<&String> = graph.get(*start).into_iter().flatten().collect();
            while let Some(node) = open.pop() {
                if seen.insert(node) {
                    open.extend(graph.get(node).into_iter().flatten());
                }
            }
            seen.contains(start)
        })
        .cloned()
        .collect()
}

fn describe(graph: &Graph, knot: &BTreeSet<String>) -> String {
    let lines: Vec<String> = knot
        .iter()
        .map(|from| {
            let to: Vec<&str> = graph
                .get(from)
                .into_iter()
                .flatten()
                .filter(|to| knot.contains(*to))
                .map(String::as_str)
                .collect();
            format!("{from} -> {}", to.join(", "))
        })
        .collect();
    lines.join("; ")
}

/// The module that a file is: its path below `src`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let path = path.split_once("src/").map_or(path, |(_, path)| path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib" || last == "main")
    {
        module.pop();
    }
    module
}

/// What the root re-exports, and from where.
fn exports(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut exports = BTreeMap::new();
    let root = sources.iter().find(|s| module_of(&s.path).is_empty());
    for item in root.map(|root| root.library().items).unwrap_or_default() {
        if let syn::Item::Use(item) = item {
            collect(&item.tree, &mut Vec::new(), &mut exports);
        }
    }
    exports
}

fn collect(
    tree: &syn::UseTree,
    base: &mut Vec<String>,
    exports: &mut BTreeMap<String, Vec<String>>,
) {
    match tree {
        syn::UseTree::Path(path) => {
            let name = path.ident.to_string();
            if name == "crate" || name == "self" {
                return collect(&path.tree, base, exports);
            }
            base.push(name);
            collect(&path.tree, base, exports);
            base.pop();
        }
        syn::UseTree::Name(name) => {
            exports.insert(name.ident.to_string(), base.clone());
        }
        syn::UseTree::Rename(rename) => {
            exports.insert(rename.rename.to_string(), base.clone());
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, base, exports);
            }
        }
        syn::UseTree::Glob(_) => {}
    }
}

#[test]
fn a_cycle_is_found() {
    let sources = [
        Source::planted("x/src/lib.rs", "mod a; mod b; mod c;"),
        Source::planted("x/src/a.rs", "use crate::b::B;"),
        Source::planted("x/src/b.rs", "use crate::c;"),
        Source::planted("x/src/c.rs", "fn f() { crate::a::g() }"),
        Source::planted("x/src/d.rs", "use crate::a;"),
    ];
    let findings = cycles(&sources, &[]);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.ends_with("a -> b; b -> c; c -> a"));
    assert!(cycles(&sources[..3], &[]).is_empty());
}

#[test]
fn a_known_edge_is_cut_and_must_still_be_there() {
    let known = |from, to| Known {
        folder: "",
        from,
        to,
        reason: "",
    };
    let sources = [
        Source::planted("x/src/a.rs", "use crate::b::B;"),
        Source::planted("x/src/b.rs", "use crate::a::A;"),
    ];
    assert!(cycles(&sources, &[known("a", "b")]).is_empty());
    let findings = cycles(&sources, &[known("a", "b"), known("a", "c")]);
    assert_eq!(findings[0].what, "a -> c is no longer known");
}

#[test]
fn a_cycle_through_the_root_and_below_a_folder_is_found() {
    let sources = [
        Source::planted(
            "x/src/lib.rs",
            "mod m; pub use m::a::A; pub use m::b::{B, C as D};",
        ),
        Source::planted("x/src/m/mod.rs", "mod a; mod b;"),
        Source::planted("x/src/m/a.rs", "use crate::D;"),
        Source::planted("x/src/m/b.rs", "use crate::{A, m};"),
    ];
    let findings = cycles(&sources, &[]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].file, "m");
    assert!(findings[0].what.ends_with("a -> b; b -> a"));
}
