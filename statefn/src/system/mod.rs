//! The runtime as its user holds it: builder and handle.

mod build_error;
mod projections;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use statefn_store::{EntityType, Memory, Store, StoreFailure, StoredProjections};

use crate::action::{
    Action, ActionContext, ActionError, ActionInfo, HostedActions, Invocation, Items,
};
use crate::admin::Admin;
use crate::call::Handle;
use crate::codec::Codec;
use crate::crdt::ReplicaId;
use crate::entity::{Behavior, Entity, EntityRef};
use crate::env::{Env, TokioEnv};
use crate::limits::Limits;
use crate::projection::definition::ProjectionDefinition;
use crate::projection::{self, Projection, ProjectionRegistration};
use crate::random::nonce;
use crate::runtime::definition::{Definition, Registration, define};
use crate::runtime::engine::Engine;
use crate::runtime::hosted::Hosted;
use crate::runtime::isolate::isolate;
use crate::runtime::projector::Projectors;
use crate::runtime::shared::{Shared, TICK};

pub use build_error::BuildError;

/// How many shards a runtime has unless its builder says otherwise.
const SHARDS: usize = 64;

/// A running set of entities over one store. A cheap handle: clones share everything.
///
/// Dropping the last handle and reference lets the store finish what it has begun and close.
/// [`shutdown`](Self::shutdown) also waits for accepted commands.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
/// let counter = runtime.entity::<Counter>("visits");
/// assert_eq!(counter.add(1).await, Ok(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Runtime {
    engine: Arc<Engine>,
    actions: Arc<HostedActions>,
    /// Stored types for which this program has no code.
    unhosted: Arc<[EntityType]>,
}

impl Runtime {
    /// A builder: in-memory store, default limits, every linked entity type.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let runtime = Runtime::builder().store(Memory::new()).only::<(Counter,)>().build().await?;
    /// assert_eq!(runtime.admin().residents(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder {
            store: None,
            env: None,
            limits: Limits::default(),
            shards: SHARDS,
            discovery: true,
            definitions: Vec::new(),
            projections: Vec::new(),
            actions: HostedActions::default(),
            action_taken: None,
            replica: None,
        }
    }

    /// A reference to the entity `id`. Nothing is loaded before the first call.
    ///
    /// An id that is empty or too long, and a type that this runtime does not host, are answered
    /// by the calls.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// assert_eq!(counter.total().await, Ok(0));
    /// assert!(matches!(
    ///     runtime.entity::<Counter>("").total().await,
    ///     Err(CallError::Invalid { what: "entity id", .. })
    /// ));
    /// # Ok(())
    /// # }
    /// ```
    pub fn entity<E: Behavior>(&self, id: impl Into<Box<str>>) -> E::Ref {
        <E::Ref as EntityRef>::from_handle(Handle::<E>::new(&self.engine, id.into()))
    }

    /// Ends what works on the outbox by itself, for tests that count tasks.
    #[cfg(statefn_shuttle)]
    #[doc(hidden)]
    pub fn end_outbox(&self) {
        self.engine.shared().outbox.end();
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The actions that this runtime hosts, by name.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// struct Greeter;
    ///
    /// #[action(name = "greeter")]
    /// impl Greeter {
    ///     async fn greet(&self, _ctx: &ActionContext, name: String) -> String {
    ///         format!("hello {name}")
    ///     }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Counter,)>().action(Greeter).build().await?;
    /// let actions = runtime.actions();
    /// assert_eq!((actions[0].name, actions[0].handlers[0].name), ("greeter", "greet"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn actions(&self) -> Vec<ActionInfo> {
        self.actions.list()
    }

    /// What a handler of an action is handed: to call one as the plain method that it is.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let ctx = runtime.action_context();
    /// assert_eq!(ctx.entity::<Counter>("visits").add(2).await, Ok(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn action_context(&self) -> ActionContext {
        ActionContext::new(&self.engine)
    }

    /// Runs a handler of a hosted action on encoded values.
    ///
    /// `input` holds the arguments as one value (a struct of them, by name; a list in a codec
    /// without names), unless the handler's only argument is a stream; then the items of the stream. The answer holds the
    /// handler's reply as one value, or the items of its stream. The first error is the last item.
    /// Nothing runs before the first item is asked for, and dropping the answer ends the handler at
    /// the `.await` where it stands.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// use statefn::codec::Codec;
    ///
    /// struct Greeter;
    ///
    /// #[action(name = "greeter")]
    /// impl Greeter {
    ///     async fn greet(&self, _ctx: &ActionContext, name: String) -> String {
    ///         format!("hello {name}")
    ///     }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder().only::<(Counter,)>().action(Greeter).build().await?;
    /// let input = Items::of([br#"{"name":"alice"}"#.to_vec()]);
    /// let output = runtime.invoke("greeter", "greet", Codec::Json, input).collect().await;
    /// assert_eq!(output, [Ok(br#""hello alice""#.to_vec())]);
    ///
    /// let nobody = runtime.invoke("greeter", "curse", Codec::Json, Items::of([])).collect().await;
    /// assert!(nobody[0].is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn invoke(
        &self,
        action: &str,
        handler: &str,
        codec: Codec,
        input: Items<Vec<u8>>,
    ) -> Items<Result<Vec<u8>, ActionError>> {
        let invocation = Invocation::new(codec, input);
        self.actions
            .run(action, handler, self.action_context(), invocation)
    }

    /// What operators need: quarantined entities, checks, backups.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// assert!(runtime.admin().unhosted_types().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn admin(&self) -> Admin {
        Admin::new(Arc::clone(&self.engine), Arc::clone(&self.unhosted))
    }

    /// Stops: refuses further calls with `Stopped`, lets accepted ones finish, closes the store.
    ///
    /// Answers whether everything accepted had finished by the deadline. What had not is answered
    /// `Stopped` (not applied) or `OutcomeUnknown` (with the store already).
    ///
    /// # Errors
    ///
    /// The store could not be closed cleanly; nothing acknowledged is lost.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the runtime refuses calls but the store stays open; call it again.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// use std::time::Duration;
    ///
    /// let counter = runtime.entity::<Counter>("visits");
    /// counter.add(1).await?;
    /// assert!(runtime.shutdown(Duration::from_secs(5)).await?);
    /// assert_eq!(counter.total().await, Err(CallError::Stopped));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(&self, deadline: Duration) -> Result<bool, StoreFailure> {
        self.engine.shut_down(deadline).await
    }

    /// For tests: waits until no effect is on its way any more.
    ///
    /// Answers how many wait for another attempt, because their targets have failed: those are not
    /// waited for, as their time may be a clock that the test moves by hand.
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// runtime.entity::<Counter>("visits").add(1).await?;
    /// assert_eq!(runtime.settle().await, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn settle(&self) -> usize {
        self.engine.settle().await
    }

    /// For tests: drops everything that is not committed, as a crash of the process would, and
    /// goes on from the store. Who had panicked and who was quarantined is forgotten as well.
    ///
    /// Calls under way answer `Unavailable` (not applied) or `OutcomeUnknown` (with the store
    /// already).
    ///
    /// # Errors
    ///
    /// The store could not be claimed again. Until another `crash` succeeds, calls answer
    /// `Unavailable`; the same holds when the future is dropped early.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// let counter = runtime.entity::<Counter>("visits");
    /// counter.add(1).await?;
    /// runtime.crash().await?;
    /// assert_eq!(counter.total().await, Ok(1));        // it was acknowledged, so it is there
    /// # Ok(())
    /// # }
    /// ```
    pub async fn crash(&self) -> Result<(), StoreFailure> {
        self.engine.crash().await
    }
}

/// Puts a [`Runtime`] together.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
/// # #[statefn::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
/// use std::time::Duration;
///
/// let limits = Limits { mailbox_max: 16, call_timeout: Duration::from_secs(5), ..Limits::default() };
/// let runtime = Runtime::builder()
///     .store(Memory::new())
///     .only::<(Counter,)>()
///     .limits(limits)
///     .shards(8)
///     .build()
///     .await?;
/// assert_eq!(runtime.entity::<Counter>("visits").add(1).await, Ok(1));
/// # Ok(())
/// # }
/// ```
pub struct Builder {
    store: Option<Arc<dyn Store>>,
    env: Option<Arc<dyn Env>>,
    limits: Limits,
    shards: usize,
    discovery: bool,
    definitions: Vec<Arc<dyn Definition>>,
    projections: Vec<Arc<dyn ProjectionDefinition>>,
    actions: HostedActions,
    /// A name that two actions have.
    action_taken: Option<&'static str>,
    replica: Option<ReplicaId>,
}

impl Builder {
    /// The store. Without one everything lives in memory and ends with the process.
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The name under which this runtime changes CRDT entities: without one it changes none, and
    /// answers [`CallError::Invalid`](crate::CallError::Invalid). Only a runtime without a store draws one by itself.
    ///
    /// It belongs to the store: the same name for the same store at each start, another one for
    /// every other store. A store that was restored from a backup, copied or salvaged is another one, and needs a
    /// name that was never used, because the name's later changes are known elsewhere already. The library cannot tell yet whether
    /// a store was restored: this is for whoever restores it to remember.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// use statefn::crdt::{Crdt, GCounter, ReplicaId};
    /// use statefn::prelude::*;
    /// use statefn::store::Memory;
    ///
    /// #[entity(crdt)]
    /// #[derive(Clone, Default, Crdt, Serialize, Deserialize)]
    /// pub struct Likes { count: GCounter }
    ///
    /// #[entity]
    /// impl Likes {
    ///     #[command]
    ///     fn like(&mut self, ctx: &mut Context<Self>) -> u64 {
    ///         self.count.increment(ctx.writer(), 1);
    ///         self.count.value()
    ///     }
    /// }
    ///
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = Runtime::builder().store(Memory::new()).only::<(Likes,)>();
    /// let runtime = builder.replica(ReplicaId::new(0x5f3a)).build().await?;
    /// assert_eq!(runtime.entity::<Likes>("post 7").like().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn replica(mut self, id: ReplicaId) -> Self {
        self.replica = Some(id);
        self
    }

    /// Hosts `E`, for code in crates that the linker may drop. Twice is fine.
    #[must_use]
    pub fn register<E: Behavior>(mut self) -> Self {
        self.definitions.push(define::<E>());
        self
    }

    /// Hosts exactly these types (a tuple of entities) instead of every linked one, and no projection
    /// but those of [`projection`](Self::projection).
    #[must_use]
    pub fn only<S: EntitySet>(mut self) -> Self {
        self.discovery = false;
        S::define(&mut |definition| self.definitions.push(definition.0));
        self
    }

    /// Runs a projection, beside every linked one or, after [`only`](Self::only), alone. Twice is
    /// fine.
    #[must_use]
    pub fn projection<P: Projection>(mut self) -> Self {
        self.projections.push(projection::definition::define::<P>());
        self
    }

    /// Hosts an action. Two of one name make [`build`](Self::build) fail.
    #[must_use]
    pub fn action<A: Action>(mut self, action: A) -> Self {
        if !self.actions.add(action) {
            self.action_taken = Some(A::NAME);
        }
        self
    }

    /// Other bounds than the default ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits.workable();
        self
    }

    /// How many shards (1 to 1,024, default 64). More than cores, so that two commands seldom
    /// meet; it may change from run to run.
    #[must_use]
    pub fn shards(mut self, count: usize) -> Self {
        self.shards = count;
        self
    }

    /// Another source of time and tasks than the tokio runtime that calls `build`.
    #[must_use]
    pub fn env(mut self, env: impl Env) -> Self {
        self.env = Some(Arc::new(env));
        self
    }

    /// Claims the store and starts.
    ///
    /// # Errors
    ///
    /// See [`BuildError`].
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the store may have been claimed: its earlier owner is fenced.
    pub async fn build(self) -> Result<Runtime, BuildError> {
        if let Some(name) = self.action_taken {
            return Err(BuildError::ActionTaken { name });
        }
        let linked = self
            .discovery
            .then(Registration::linked)
            .into_iter()
            .flatten();
        let hosted = host(self.definitions.into_iter().chain(linked), &self.limits)?;
        let linked = self
            .discovery
            .then(ProjectionRegistration::linked)
            .into_iter()
            .flatten();
        let projections = projections::projected(self.projections.into_iter().chain(linked))?;
        let env = match self.env {
            Some(env) => env,
            None => Arc::new(TokioEnv::current().map_err(|_| BuildError::NoAsyncRuntime)?),
        };
        if isolate(|| drop(env.sleep(Duration::ZERO))).is_err() {
            return Err(BuildError::NoTimers);
        }
        let is_temporary = self.store.is_none();
        let drawn = || is_temporary.then(|| ReplicaId::new(nonce()));
        let replica = self.replica.or_else(drawn);
        let store = self.store.unwrap_or_else(|| Arc::new(Memory::new()));
        let unhosted: Arc<[EntityType]> = store
            .entity_types()
            .await
            .map_err(BuildError::Store)?
            .into_iter()
            .filter(|stored| hosted.iter().all(|hosted| hosted.entity_type != *stored))
            .collect();
        for entity_type in unhosted.iter() {
            tracing::warn!(entity = %entity_type, "the store holds entities without code here");
        }
        let stored = if projections.is_empty() {
            StoredProjections::default()
        } else {
            let stored = store.projections().await.map_err(BuildError::Store)?;
            projections::check_layouts(&projections, &stored)?;
            stored
        };
        let epoch = store.claim().await.map_err(BuildError::Store)?;
        let projectors = Projectors::new(projections, &stored);
        let shared = Shared::new(self.limits, hosted, projectors, env, store, epoch);
        let shared = shared.replica(replica);
        Ok(Runtime {
            engine: Engine::start(shared, self.shards),
            actions: Arc::new(self.actions),
            unhosted,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("store", &self.store)
            .field("limits", &self.limits)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

fn host(
    definitions: impl Iterator<Item = Arc<dyn Definition>>,
    limits: &Limits,
) -> Result<Vec<Hosted>, BuildError> {
    let mut by_name: BTreeMap<&'static str, Arc<dyn Definition>> = BTreeMap::new();
    for definition in definitions {
        let name = definition.entity_type();
        if let Some(first) = by_name.get(name)
            && first.type_id() != definition.type_id()
        {
            let (first, second) = (first.type_name(), definition.type_name());
            return Err(BuildError::NameTaken {
                name,
                first,
                second,
            });
        }
        by_name.insert(name, definition);
    }
    by_name
        .into_values()
        .map(|definition| hosted(definition, limits))
        .collect()
}

fn hosted(definition: Arc<dyn Definition>, limits: &Limits) -> Result<Hosted, BuildError> {
    let options = definition.options();
    let shape = definition.shape()?.hash();
    let idle = options.passivate_after.unwrap_or(limits.passivate_after);
    let idle_ticks = u32::try_from(idle.as_millis().div_ceil(TICK.as_millis()));
    Ok(Hosted {
        entity_type: EntityType::new(definition.entity_type()),
        options,
        shape,
        idle_ticks: idle_ticks.unwrap_or(u32::MAX).max(1),
        commands: definition.commands(),
        definition,
    })
}

/// A tuple of up to eight entity types, for [`Builder::only`]; further ones by
/// [`Builder::register`].
pub trait EntitySet {
    /// Hands over each definition.
    #[doc(hidden)]
    fn define(each: &mut dyn FnMut(Defined));
}

/// One definition on its way to a builder.
#[doc(hidden)]
pub struct Defined(pub(crate) Arc<dyn Definition>);

impl fmt::Debug for Defined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.entity_type())
    }
}

macro_rules! entity_set {
    ($($entity:ident),*) => {
        impl<$($entity: Behavior + Entity),*> EntitySet for ($($entity,)*) {
            fn define(each: &mut dyn FnMut(Defined)) {
                $(each(Defined(define::<$entity>()));)*
            }
        }
    };
}

entity_set!(A);
entity_set!(A, B);
entity_set!(A, B, C);
entity_set!(A, B, C, D);
entity_set!(A, B, C, D, E);
entity_set!(A, B, C, D, E, F);
entity_set!(A, B, C, D, E, F, G);
entity_set!(A, B, C, D, E, F, G, H);
