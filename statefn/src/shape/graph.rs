//! What a trace has found out: types, their contents, and what is still unknown.

use std::collections::{HashMap, HashSet};

/// A type found, by its number.
pub(super) type TypeIndex = usize;

/// What tells one type from another: the Rust type of its visitor, and what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TypeKey {
    pub(super) visitor: &'static str,
    pub(super) asks: Asks,
}

/// What a type asks a deserializer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asks {
    Option,
    Newtype,
    Seq,
    Tuple(usize),
    Map,
    Struct,
    Enum,
}

/// What a value is, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Unknown,
    /// A single value without parts.
    Plain(&'static str),
    Composite(TypeIndex),
}

/// How the parts of a content are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Unknown,
    Unit,
    Newtype,
    Tuple,
    Struct,
    Option,
    Seq,
    Map,
}

/// One way a type's values can look: an enum has one for each variant, other types have one.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) form: Form,
    pub(super) children: Vec<(&'static str, Target)>,
}

/// A type.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) is_enum: bool,
    /// With the names of an enum's variants.
    pub(super) alternatives: Vec<(&'static str, Content)>,
}

/// Where a value belongs: the part `child` of one alternative of a type. `None`: the whole.
pub(super) type Slot = Option<Part>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) alternative: Alternative,
    pub(super) child: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alternative {
    pub(super) ty: TypeIndex,
    pub(super) index: usize,
}

/// Two values of one place contradict each other.
#[derive(Debug)]
pub(super) struct Contradiction;

#[derive(Debug)]
pub(super) struct Graph {
    pub(super) root: Target,
    keys: HashMap<TypeKey, TypeIndex>,
    definitions: Vec<Definition>,
    /// Types in which nothing is unknown any more.
    complete: HashSet<TypeIndex>,
    /// Grows with everything that becomes known.
    pub(super) known: usize,
}

impl Graph {
    pub(super) fn new() -> Self {
        Self {
            root: Target::Unknown,
            keys: HashMap::new(),
            definitions: Vec::new(),
            complete: HashSet::new(),
            known: 0,
        }
    }

    pub(super) fn definition(&self, ty: TypeIndex) -> Option<&Definition> {
        self.definitions.get(ty)
    }

    pub(super) fn content(&self, at: Alternative) -> Option<&Content> {
        let (_, content) = self.definitions.get(at.ty)?.alternatives.get(at.index)?;
        Some(content)
    }

    /// The number of a type; `alternatives` are the names of its variants.
    pub(super) fn intern(&mut self, key: TypeKey, alternatives: &[&'static str]) -> TypeIndex {
        let definitions = &mut self.definitions;
        let is_enum = key.asks == Asks::Enum;
        *self.keys.entry(key).or_insert_with(|| {
            let empty = || Content {
                form: Form::Unknown,
                children: Vec::new(),
            };
            definitions.push(Definition {
                is_enum,
                alternatives: alternatives.iter().map(|name| (*name, empty())).collect(),
            });
            definitions.len() - 1
        })
    }

    /// Notes how an alternative is put together.
    pub(super) fn set_form(
        &mut self,
        at: Alternative,
        form: Form,
        children: &[&'static str],
    ) -> Result<(), Contradiction> {
        let content = self.content_mut(at).ok_or(Contradiction)?;
        if content.form == Form::Unknown {
            content.form = form;
            content.children = children
                .iter()
                .map(|name| (*name, Target::Unknown))
                .collect();
            self.known += 1;
            return Ok(());
        }
        let names = content.children.iter().map(|(name, _)| *name);
        if content.form == form && names.eq(children.iter().copied()) {
            Ok(())
        } else {
            Err(Contradiction)
        }
    }

    /// Forgets how an alternative is put together.
    pub(super) fn reset(&mut self, at: Alternative) {
        if let Some(content) = self.content_mut(at) {
            content.form = Form::Unknown;
            content.children = Vec::new();
            self.known += 1;
        }
    }

    /// Notes what a value is.
    pub(super) fn record(&mut self, slot: Slot, target: Target) -> Result<(), Contradiction> {
        let place = match slot {
            None => &mut self.root,
            Some(part) => {
                let content = self
                    .definitions
                    .get_mut(part.alternative.ty)
                    .and_then(|definition| definition.alternatives.get_mut(part.alternative.index));
                let child = content.and_then(|(_, content)| content.children.get_mut(part.child));
                &mut child.ok_or(Contradiction)?.1
            }
        };
        if *place == Target::Unknown {
            *place = target;
            self.known += 1;
        }
        if *place == target {
            Ok(())
        } else {
            Err(Contradiction)
        }
    }

    /// The alternatives of a type behind which something is unknown.
    pub(super) fn incomplete_alternatives(&mut self, ty: TypeIndex) -> Vec<usize> {
        let count = self.definition(ty).map_or(0, |d| d.alternatives.len());
        (0..count)
            .filter(|index| self.is_incomplete(Alternative { ty, index: *index }))
            .collect()
    }

    fn is_incomplete(&mut self, at: Alternative) -> bool {
        let Some(content) = self.content(at) else {
            return false;
        };
        if content.form == Form::Unknown {
            return true;
        }
        let children: Vec<Target> = content.children.iter().map(|(_, child)| *child).collect();
        children.into_iter().any(|child| !self.is_known(child))
    }

    fn is_known(&mut self, target: Target) -> bool {
        match target {
            Target::Unknown => false,
            Target::Plain(_) => true,
            Target::Composite(ty) => self.is_complete(ty),
        }
    }

    /// Whether nothing is unknown in a type and in all that it contains.
    fn is_complete(&mut self, ty: TypeIndex) -> bool {
        let mut seen = HashSet::from([ty]);
        let mut waiting = vec![ty];
        while let Some(ty) = waiting.pop() {
            if self.complete.contains(&ty) {
                continue;
            }
            let alternatives = self.definitions.get(ty).map(|d| d.alternatives.as_slice());
            for (_, content) in alternatives.unwrap_or_default() {
                if content.form == Form::Unknown {
                    return false;
                }
                for (_, child) in &content.children {
                    match child {
                        Target::Unknown => return false,
                        Target::Composite(child) if seen.insert(*child) => waiting.push(*child),
                        Target::Plain(_) | Target::Composite(_) => {}
                    }
                }
            }
        }
        self.complete.extend(seen);
        true
    }

    /// Whether everything is known.
    pub(super) fn is_whole(&mut self) -> bool {
        self.is_known(self.root)
    }

    fn content_mut(&mut self, at: Alternative) -> Option<&mut Content> {
        let definition = self.definitions.get_mut(at.ty)?;
        let (_, content) = definition.alternatives.get_mut(at.index)?;
        Some(content)
    }
}
