//! The canonical text of a traced type.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::shape::failure::Failed;
use crate::shape::graph::{Content, Form, Graph, Target, TypeIndex};

/// Longer texts are for types whose parts multiply; nobody reads them.
const BYTES_MAX: usize = 1024 * 1024;

struct Rendering<'g> {
    graph: &'g Graph,
    out: String,
    indent: usize,
    /// Types that contain themselves.
    loops: HashSet<TypeIndex>,
    /// The types around the value in hand, with their labels.
    stack: Vec<(TypeIndex, usize)>,
    labels: usize,
}

/// The text of a wholly known type.
pub(super) fn text(graph: &Graph) -> Result<String, Failed> {
    let mut rendering = Rendering {
        graph,
        out: String::new(),
        indent: 0,
        loops: loops(graph),
        stack: Vec::new(),
        labels: 0,
    };
    if rendering.target(graph.root) {
        Ok(rendering.out)
    } else {
        let reason = format!("written out it takes more than {BYTES_MAX} bytes");
        Err((String::new(), reason))
    }
}

/// The first place about which nothing is known.
pub(super) fn first_unknown(graph: &Graph) -> String {
    let mut seen = HashSet::new();
    let mut waiting = vec![(String::new(), graph.root)];
    while let Some((path, target)) = waiting.pop() {
        let Target::Composite(ty) = target else {
            if target == Target::Unknown {
                return path;
            }
            continue;
        };
        let Some(definition) = graph.definition(ty).filter(|_| seen.insert(ty)) else {
            continue;
        };
        if definition.alternatives.is_empty() {
            return path;
        }
        for (variant, content) in definition.alternatives.iter().rev() {
            let mut path = path.clone();
            if definition.is_enum {
                path = format!("{path}::{variant}");
            }
            if content.form == Form::Unknown {
                return path;
            }
            for (name, child) in content.children.iter().rev() {
                let step = if name.is_empty() { "" } else { "." };
                waiting.push((format!("{path}{step}{name}"), *child));
            }
        }
    }
    String::new()
}

/// The types that are found again inside themselves.
fn loops(graph: &Graph) -> HashSet<TypeIndex> {
    enum Visit {
        Enter(Target),
        Leave(TypeIndex),
    }
    let (mut loops, mut done, mut above) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut waiting = vec![Visit::Enter(graph.root)];
    while let Some(visit) = waiting.pop() {
        match visit {
            Visit::Leave(ty) => {
                above.remove(&ty);
            }
            Visit::Enter(Target::Composite(ty)) if above.contains(&ty) => {
                loops.insert(ty);
            }
            Visit::Enter(Target::Composite(ty)) if done.insert(ty) => {
                above.insert(ty);
                waiting.push(Visit::Leave(ty));
                let alternatives = graph.definition(ty).map(|d| d.alternatives.as_slice());
                for (_, content) in alternatives.unwrap_or_default().iter().rev() {
                    let children = content.children.iter().rev();
                    waiting.extend(children.map(|(_, child)| Visit::Enter(*child)));
                }
            }
            Visit::Enter(_) => {}
        }
    }
    loops
}

impl Rendering<'_> {
    /// Writes a value; `false` when the text has grown too long.
    fn target(&mut self, target: Target) -> bool {
        match target {
            Target::Unknown => self.out.push('?'),
            Target::Plain(name) => self.out.push_str(name),
            Target::Composite(ty) => return self.composite(ty),
        }
        self.out.len() <= BYTES_MAX
    }

    fn composite(&mut self, ty: TypeIndex) -> bool {
        if let Some((_, label)) = self.stack.iter().find(|(outer, _)| *outer == ty) {
            let _ = write!(self.out, "@{label}");
            return true;
        }
        let Some(definition) = self.graph.definition(ty) else {
            return true;
        };
        let is_loop = self.loops.contains(&ty);
        if is_loop {
            self.labels += 1;
            let _ = write!(self.out, "@{} = ", self.labels);
            self.stack.push((ty, self.labels));
        }
        let is_whole = if definition.is_enum {
            let alternatives = definition.alternatives.iter();
            self.block("enum {", alternatives, |this, (name, content)| {
                this.name(name);
                this.variant(content)
            })
        } else {
            let mut alternatives = definition.alternatives.iter();
            alternatives.all(|(_, content)| self.content(content))
        };
        if is_loop {
            self.stack.pop();
        }
        is_whole && self.out.len() <= BYTES_MAX
    }

    fn variant(&mut self, content: &Content) -> bool {
        match content.form {
            Form::Unit => true,
            Form::Newtype => {
                self.out.push('(');
                let is_whole = self.first(content);
                self.out.push(')');
                is_whole
            }
            _ => {
                self.out.push(' ');
                self.content(content)
            }
        }
    }

    fn content(&mut self, content: &Content) -> bool {
        match content.form {
            Form::Unknown => self.target(Target::Unknown),
            Form::Unit => self.target(Target::Plain("unit")),
            Form::Newtype => self.first(content),
            Form::Tuple => self.tuple(content),
            Form::Option => self.between("option<", content, ">"),
            Form::Seq => self.between("[", content, "]"),
            Form::Map => self.between("map<", content, ">"),
            Form::Struct => self.block("{", content.children.iter(), |this, (name, child)| {
                this.name(name);
                this.out.push_str(": ");
                this.target(*child)
            }),
        }
    }

    fn first(&mut self, content: &Content) -> bool {
        let first = content.children.first();
        first.is_none_or(|(_, child)| self.target(*child))
    }

    /// A tuple; long ones of equal parts are arrays.
    fn tuple(&mut self, content: &Content) -> bool {
        let mut children = content.children.iter().map(|(_, child)| *child);
        match children.next() {
            Some(first) if content.children.len() > 4 && children.all(|child| child == first) => {
                self.out.push('[');
                let is_whole = self.target(first);
                let _ = write!(self.out, "; {}]", content.children.len());
                is_whole
            }
            _ => self.between("(", content, ")"),
        }
    }

    fn between(&mut self, open: &str, content: &Content, close: &str) -> bool {
        self.out.push_str(open);
        for (index, (_, child)) in content.children.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            if !self.target(*child) {
                return false;
            }
        }
        self.out.push_str(close);
        true
    }

    fn block<T>(
        &mut self,
        open: &str,
        lines: impl ExactSizeIterator<Item = T>,
        mut line: impl FnMut(&mut Self, T) -> bool,
    ) -> bool {
        self.out.push_str(open);
        let is_empty = lines.len() == 0;
        self.indent += 1;
        for each in lines {
            self.new_line();
            if !line(self, each) {
                return false;
            }
        }
        self.indent -= 1;
        if !is_empty {
            self.new_line();
        }
        self.out.push('}');
        true
    }

    fn new_line(&mut self) {
        let _ = write!(self.out, "\n{:1$}", "", self.indent * 2);
    }

    /// A name of a field or variant; quoted when it could be taken for something else.
    fn name(&mut self, name: &str) {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !name.is_empty() && name.chars().all(is_word) {
            self.out.push_str(name);
        } else {
            let _ = write!(self.out, "{name:?}");
        }
    }
}
