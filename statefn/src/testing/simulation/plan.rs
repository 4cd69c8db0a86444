//! What is to be simulated.

use std::pin::Pin;
use std::sync::Arc;

use statefn_store::Store;
use statefn_store::testing::Dice;

use super::client::Client;
use super::errand::SimulatedCall;
use super::faults::Faults;
use super::stage::Host;
use crate::limits::Limits;

/// Draws a call.
pub(super) type Workload = Arc<dyn Fn(&mut Dice) -> SimulatedCall + Send + Sync>;

/// Runs a client to its end.
pub(super) type ClientTask =
    Arc<dyn Fn(Client) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What is to be simulated.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) host: Host,
    pub(super) store: Arc<dyn Fn() -> Arc<dyn Store> + Send + Sync>,
    pub(super) faults: Faults,
    pub(super) limits: Limits,
    pub(super) workload: Option<Workload>,
    pub(super) callers: usize,
    pub(super) calls: usize,
    pub(super) waits: u32,
    pub(super) clients: Vec<ClientTask>,
    pub(super) check: Option<ClientTask>,
}
