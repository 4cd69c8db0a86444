//! Names: the entity type, the entity, and the slice that it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::{Arc, OnceLock};

/// Name of an entity type as it is stored, for example `cart`.
///
/// Declared by the user, never a Rust path. Cloning a name that the program declares is free.
///
/// ```
/// use statefn_store::EntityType;
///
/// let cart = EntityType::new("cart");
/// assert_eq!(cart.as_str(), "cart");
/// assert!(cart < EntityType::new("user"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityType(Cow<'static, str>);

impl EntityType {
    /// The type with this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for EntityType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of 1,024 fixed parts of all entities; stored with every row, stable across releases.
///
/// The top ten bits of a 64-bit FNV-1a hash (Fowler, Noll, Vo; IETF draft
/// draft-eastlake-fnv), mixed by the finaliser of `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014),
/// over type, a zero byte and id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice(u16);

impl Slice {
    /// How many slices there are.
    pub const COUNT: u16 = 1024;

    /// The slice of an entity.
    ///
    /// ```
    /// use statefn_store::Slice;
    ///
    /// // Stored with every row: this number may never change.
    /// assert_eq!(Slice::of("cart", "alice").get(), Slice::of("cart", "alice").get());
    /// assert!(Slice::of("cart", "bob").get() < Slice::COUNT);
    /// ```
    pub fn of(entity_type: &str, id: &str) -> Self {
        let bytes = entity_type
            .bytes()
            .chain(std::iter::once(0))
            .chain(id.bytes());
        let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = (mixed ^ (mixed >> 31)) >> 54;
        Self(u16::try_from(top).unwrap_or(0))
    }

    /// The slice with this number, if it is below [`COUNT`](Self::COUNT).
    ///
    /// ```
    /// use statefn_store::Slice;
    ///
    /// assert_eq!(Slice::new(1023).map(Slice::get), Some(1023));
    /// assert_eq!(Slice::new(Slice::COUNT), None);
    /// ```
    pub const fn new(value: u16) -> Option<Self> {
        if value < Self::COUNT {
            Some(Self(value))
        } else {
            None
        }
    }

    /// The plain number, below [`COUNT`](Self::COUNT).
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Entity type and entity id together: the name under which an entity is stored.
///
/// A cheap handle: cloning it copies a pointer. Two ids are equal when type and id are equal, byte
/// for byte (no Unicode normalisation: NFC and NFD forms are different entities).
///
/// ```
/// use statefn_store::PersistenceId;
///
/// let id = PersistenceId::new("cart", "alice");
/// assert_eq!(id.to_string(), "cart/alice");
/// assert_eq!(id, PersistenceId::new("cart", "alice"));
/// ```
#[derive(Clone)]
pub struct PersistenceId(Arc<Parts>);

struct Parts {
    /// Keyed with a key of this process, so that nobody outside can aim ids at one bucket.
    table_hash: u64,
    slice: Slice,
    entity_type: EntityType,
    id: Box<str>,
}

impl PersistenceId {
    /// The name of the entity `id` of type `entity_type`.
    pub fn new(entity_type: impl Into<Cow<'static, str>>, id: impl Into<Box<str>>) -> Self {
        Self::of(EntityType::new(entity_type), id)
    }

    /// The name of the entity `id` of a type already named.
    ///
    /// ```
    /// use statefn_store::{EntityType, PersistenceId};
    ///
    /// let cart = EntityType::new("cart");
    /// let id = PersistenceId::of(cart.clone(), "alice");
    /// assert_eq!((id.entity_type(), id.id()), (&cart, "alice"));
    /// ```
    pub fn of(entity_type: EntityType, id: impl Into<Box<str>>) -> Self {
        static TABLE_KEY: OnceLock<RandomState> = OnceLock::new();
        let id = id.into();
        let table_hash = TABLE_KEY
            .get_or_init(RandomState::new)
            .hash_one((entity_type.as_str(), &*id));
        let slice = Slice::of(entity_type.as_str(), &id);
        Self(Arc::new(Parts {
            table_hash,
            slice,
            entity_type,
            id,
        }))
    }

    /// The entity type.
    pub fn entity_type(&self) -> &EntityType {
        &self.0.entity_type
    }

    /// The entity id within its type.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The slice of this entity.
    pub fn slice(&self) -> Slice {
        self.0.slice
    }
}

impl PartialEq for PersistenceId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.table_hash == other.0.table_hash
                && self.0.id == other.0.id
                && self.0.entity_type == other.0.entity_type)
    }
}

impl Eq for PersistenceId {}

impl Hash for PersistenceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.table_hash);
    }
}

impl PartialOrd for PersistenceId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PersistenceId {
    /// By type, then by id, both by bytes.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0
            .entity_type
            .cmp(&other.0.entity_type)
            .then_with(|| self.0.id.as_bytes().cmp(other.0.id.as_bytes()))
    }
}

impl fmt::Debug for PersistenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.entity_type(), self.id())
    }
}

impl fmt::Display for PersistenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity_type(), self.id())
    }
}
