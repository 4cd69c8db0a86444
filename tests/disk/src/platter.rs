//! What is on stable storage at a moment of a trace, and what a power cut there may leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::image::{self, Image};
use crate::random::{Random, mix};
use crate::trace::{FileId, Op};

/// Which syncs a disk keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Honesty {
    /// All: what it promised is there.
    #[default]
    Honest,
    /// All but those of the write-ahead log: what `synchronous=NORMAL` does at a commit.
    LogLies,
    /// None: what `synchronous=OFF` does.
    Lies,
}

/// What becomes of the unwritten after a sync has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedSync {
    /// It stays unwritten; the next sync writes it.
    #[default]
    StaysDirty,
    /// The operating system takes it for written, and none of it is.
    Dropped,
    /// The operating system takes it for written, and a part of it is.
    PartlyDropped,
}

/// The rules of one disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Which syncs it keeps.
    pub honesty: Honesty,
    /// What a failed sync does.
    pub failed_sync: FailedSync,
    /// Whether a torn write may also damage the rest of the sectors that it touches.
    pub damages_sectors: bool,
}

/// Which part of what was not synced survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Model {
    /// None of it.
    Durable,
    /// Some of the writes, each whole.
    Whole,
    /// Some pieces of 512 bytes.
    Torn,
    /// All of it.
    Everything,
    /// All of it, written in another order.
    Reordered,
}

impl Model {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Durable,
        Self::Whole,
        Self::Torn,
        Self::Everything,
        Self::Reordered,
    ];
}

/// Bytes that a disk writes in one piece.
const PIECE: usize = 512;

/// A disk as it is after the first operations of a trace.
#[derive(Debug)]
pub struct Platter<'t> {
    trace: &'t [Op],
    done: usize,
    rules: Rules,
    files: Vec<File>,
    names: BTreeMap<String, FileId>,
    /// Changes of names that are not durable, in order.
    renamed: Vec<usize>,
    /// Raised whenever something becomes durable.
    version: u64,
    random: Random,
}

#[derive(Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<usize>,
    is_log: bool,
}

impl<'t> Platter<'t> {
    /// The disk before a trace that began with `image`.
    pub fn new(image: &Image, trace: &'t [Op], rules: Rules, seed: u64) -> Self {
        let mut platter = Self {
            trace,
            done: 0,
            rules,
            files: Vec::new(),
            names: BTreeMap::new(),
            renamed: Vec::new(),
            version: 0,
            random: Random::new(seed),
        };
        for (name, bytes) in &image.files {
            let file = platter.add(name);
            platter.files[file].durable.clone_from(bytes);
            platter.names.insert(name.clone(), file);
        }
        platter
    }

    /// How many operations are done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Does the next operation; false at the end of the trace.
    pub fn step(&mut self) -> bool {
        let Some(op) = self.trace.get(self.done) else {
            return false;
        };
        match op {
            Op::Create { file, name } => {
                let added = self.add(name);
                assert_eq!(added, *file, "files are numbered as they come");
                self.renamed.push(self.done);
            }
            Op::Write { file, .. } | Op::Truncate { file, .. } => {
                self.files[*file].pending.push(self.done);
            }
            Op::Sync { file, folder } => self.sync(*file, *folder),
            Op::FailedSync { file } => self.fail(*file),
            Op::Delete { synced, .. } => {
                self.renamed.push(self.done);
                if *synced {
                    self.sync_folder();
                }
            }
        }
        self.done += 1;
        true
    }

    fn add(&mut self, name: &str) -> FileId {
        self.files.push(File {
            is_log: name.ends_with("-wal"),
            ..File::default()
        });
        self.files.len() - 1
    }

    fn sync(&mut self, file: FileId, folder: bool) {
        let file = &mut self.files[file];
        let kept = match self.rules.honesty {
            Honesty::Honest => true,
            Honesty::LogLies => !file.is_log,
            Honesty::Lies => false,
        };
        if !kept {
            return;
        }
        for op in std::mem::take(&mut file.pending) {
            apply(&mut file.durable, &self.trace[op]);
        }
        self.version += 1;
        if folder {
            self.sync_folder();
        }
    }

    fn fail(&mut self, file: FileId) {
        if self.rules.failed_sync == FailedSync::StaysDirty {
            return;
        }
        let file = &mut self.files[file];
        for op in std::mem::take(&mut file.pending) {
            if self.rules.failed_sync == FailedSync::PartlyDropped && self.random.percent(50) {
                apply(&mut file.durable, &self.trace[op]);
            }
        }
        self.version += 1;
    }

    fn sync_folder(&mut self) {
        for op in std::mem::take(&mut self.renamed) {
            rename(&mut self.names, &self.trace[op]);
        }
        self.version += 1;
    }

    /// What a power cut at this moment leaves, and a number that only equal images share.
    pub fn cut(&self, model: Model, random: &mut Random) -> (Image, u64) {
        let mut recipe = self.version;
        let mut note = |what: usize| recipe = mix(recipe ^ mix(what as u64 + 1));
        let mut names = self.names.clone();
        for op in &self.renamed {
            if model == Model::Everything || (model != Model::Durable && random.percent(50)) {
                note(*op);
                rename(&mut names, &self.trace[*op]);
            }
        }
        let mut files = BTreeMap::new();
        for (name, file) in names {
            let file = &self.files[file];
            let mut bytes = file.durable.clone();
            match model {
                Model::Durable => {}
                Model::Whole | Model::Everything => {
                    for op in &file.pending {
                        if model == Model::Everything || random.percent(50) {
                            note(*op);
                            apply(&mut bytes, &self.trace[*op]);
                        }
                    }
                }
                Model::Torn => {
                    for op in &file.pending {
                        note(*op);
                        note(self.tear(&mut bytes, &self.trace[*op], random));
                    }
                }
                Model::Reordered => {
                    let mut order = file.pending.clone();
                    random.shuffle(&mut order);
                    for op in order {
                        note(op);
                        apply(&mut bytes, &self.trace[op]);
                    }
                }
            }
            files.insert(name, bytes);
        }
        (Image { files }, recipe)
    }

    /// Applies some pieces of an operation; the answer differs for different choices.
    fn tear(&self, bytes: &mut Vec<u8>, op: &Op, random: &mut Random) -> usize {
        let Op::Write { at, data, .. } = op else {
            let chosen = random.percent(50);
            if chosen {
                apply(bytes, op);
            }
            return usize::from(chosen);
        };
        let (mut from, mut chosen) = (0, 1);
        while from < data.len() {
            let piece = (PIECE - (at + from) % PIECE).min(data.len() - from);
            let fate = random.below(16);
            chosen = chosen * 3 % 1_000_000_007 + 1;
            if self.rules.damages_sectors && fate == 0 {
                let start = (at + from) / PIECE * PIECE;
                let end = (start + PIECE).min(bytes.len());
                if start < end {
                    let junk = random.bytes(end - start);
                    bytes[start..end].copy_from_slice(&junk);
                }
                chosen += 2;
            } else if fate % 2 == 1 {
                image::write(bytes, at + from, &data[from..from + piece]);
                chosen += 1;
            }
            from += piece;
        }
        chosen
    }
}

fn apply(bytes: &mut Vec<u8>, op: &Op) {
    match op {
        Op::Write { at, data, .. } => {
            let data: &Arc<[u8]> = data;
            image::write(bytes, *at, data);
        }
        Op::Truncate { length, .. } => bytes.resize(*length, 0),
        _ => {}
    }
}

fn rename(names: &mut BTreeMap<String, FileId>, op: &Op) {
    match op {
        Op::Create { file, name } => {
            names.insert(name.clone(), *file);
        }
        Op::Delete { name, .. } => {
            names.remove(name);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Vec<Op> {
        let write = |at, byte: u8| Op::Write {
            file: 0,
            at,
            data: vec![byte; 1024].into(),
        };
        let sync = Op::Sync {
            file: 0,
            folder: false,
        };
        vec![write(0, 1), sync, write(0, 2), write(1024, 3)]
    }

    fn cut(rules: Rules, model: Model, seed: u64) -> Vec<u8> {
        let trace = trace();
        let mut platter = Platter::new(&Image::empty("a"), &trace, rules, 1);
        while platter.step() {}
        let (image, _) = platter.cut(model, &mut Random::new(seed));
        image.files["a"].clone()
    }

    #[test]
    fn what_was_synced_survives_every_cut() {
        for model in Model::ALL {
            for seed in 0..50 {
                let bytes = cut(Rules::default(), model, seed);
                assert!(bytes.len() >= 1024, "{model:?}");
                assert!(bytes[..1024].iter().all(|byte| *byte != 0), "{model:?}");
            }
        }
    }

    #[test]
    fn the_models_leave_what_they_say() {
        let rules = Rules::default();
        assert_eq!(cut(rules, Model::Durable, 0), vec![1; 1024]);
        let all = [vec![2; 1024], vec![3; 1024]].concat();
        assert_eq!(cut(rules, Model::Everything, 0), all);
        let torn = |seed| cut(rules, Model::Torn, seed);
        assert!((0..50).any(|seed| torn(seed)[..512] != torn(seed)[512..1024]));
        let whole = |seed| cut(rules, Model::Whole, seed);
        assert!((0..50).all(|seed| whole(seed)[..512] == whole(seed)[512..1024]));
        assert!((0..50).any(|seed| whole(seed).len() == 1024));
    }

    #[test]
    fn a_disk_that_lies_keeps_nothing() {
        let lies = Rules {
            honesty: Honesty::Lies,
            ..Rules::default()
        };
        assert_eq!(cut(lies, Model::Durable, 0), Vec::<u8>::new());
    }

    #[test]
    fn a_failed_sync_may_drop_what_it_was_asked_to_keep() {
        let mut trace = trace();
        trace.push(Op::FailedSync { file: 0 });
        trace.push(Op::Sync {
            file: 0,
            folder: false,
        });
        let durable = |failed_sync| {
            let rules = Rules {
                failed_sync,
                ..Rules::default()
            };
            let mut platter = Platter::new(&Image::empty("a"), &trace, rules, 1);
            while platter.step() {}
            let (image, _) = platter.cut(Model::Durable, &mut Random::new(1));
            image.files["a"].clone()
        };
        assert_eq!(durable(FailedSync::StaysDirty).len(), 2048);
        assert_eq!(durable(FailedSync::Dropped), vec![1; 1024]);
    }
}
