//! Lanes: how many users go on at once, each in the order of its lines.
//!
//! A user's lines always take the same lane, and a lane runs one command at a time: so the order
//! of each user holds, there are as many commands under way as there are lanes, and nothing has
//! to be remembered about a user between two lines. Queues are short and their bytes are bounded,
//! so that a huge input streams through.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use statefn::env::{Env, TokioEnv};
use statefn::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::replay::input::Keys;
use crate::replay::line::Command;
use crate::replay::report::Report;
use crate::replay::send::send;

/// Lines that wait in a lane. Some, so that a short run of one lane's lines does not starve the
/// others.
const QUEUE: usize = 16;

/// Bytes of lines that wait or are under way in all lanes together.
const ROOM_BYTES: usize = 32 * 1024 * 1024;

/// What a line costs besides its text.
const LINE_COST_BYTES: usize = 256;

/// A command on its way through its lane.
struct Work {
    line: u64,
    command: Command,
    /// Given back when the command is done.
    _room: OwnedSemaphorePermit,
}

/// What every lane works with.
pub(super) struct Tools {
    pub(super) runtime: Runtime,
    pub(super) env: TokioEnv,
    pub(super) keys: Option<Keys>,
    pub(super) report: Arc<Report>,
}

/// The entrance of all lanes, for the thread that reads.
pub(super) struct Entrance {
    lanes: Vec<mpsc::Sender<Work>>,
    room: Arc<Semaphore>,
    hasher: RandomState,
    handle: tokio::runtime::Handle,
}

/// Opens `count` lanes. They end when the entrance is dropped and all is done, or when the report
/// says stop.
pub(super) fn open(count: u16, tools: &Arc<Tools>) -> (Entrance, JoinSet<()>) {
    let mut tasks = JoinSet::new();
    let mut lanes = Vec::new();
    for _ in 0..count {
        let (sender, queue) = mpsc::channel(QUEUE);
        lanes.push(sender);
        tasks.spawn(run(Arc::clone(tools), queue, tools.report.stopping()));
    }
    let entrance = Entrance {
        lanes,
        room: Arc::new(Semaphore::new(ROOM_BYTES)),
        hasher: RandomState::new(),
        handle: tokio::runtime::Handle::current(),
    };
    (entrance, tasks)
}

impl Entrance {
    /// Hands a command over, and blocks the thread while there is no room. Answers whether anybody
    /// still takes it.
    pub(super) fn hand_over(&self, line: u64, command: Command, bytes: usize) -> bool {
        let cost = u32::try_from(bytes + LINE_COST_BYTES).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room);
        let room = match Arc::clone(&room).try_acquire_many_owned(cost) {
            Ok(room) => Ok(room),
            Err(_) => self.handle.block_on(room.acquire_many_owned(cost)),
        };
        let count = self.lanes.len().max(1) as u64;
        let chosen = usize::try_from(self.hasher.hash_one(command.user()) % count);
        let sender = chosen.ok().and_then(|chosen| self.lanes.get(chosen));
        let (Ok(room), Some(sender)) = (room, sender) else {
            return false;
        };
        let work = Work {
            line,
            command,
            _room: room,
        };
        sender.blocking_send(work).is_ok()
    }
}

async fn run(
    tools: Arc<Tools>,
    mut queue: mpsc::Receiver<Work>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let work = tokio::select! {
            biased;
            _ = stopping.changed() => return,
            work = queue.recv() => work,
        };
        let Some(work) = work else { return };
        let Tools {
            runtime,
            env,
            keys,
            report,
        } = &*tools;
        let key = keys.as_ref().map(|keys| keys.key(work.line));
        let start = env.now();
        let decided = send(runtime, env, &work.command, key.as_deref()).await;
        report.decided(work.line, decided, env.now().saturating_sub(start));
    }
}
