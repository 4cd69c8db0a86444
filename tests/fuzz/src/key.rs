//! Entity ids and idempotency keys from outside, against limits.
//!
//! Each is an entity, or a key, of its own by its bytes; too short or too long ones are typed errors
//! and change nothing; a key answers what it answered, also after a crash; the store lists exactly
//! the entities that have something.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use statefn::store::{EntityType, Memory, PersistenceId, Slice, Store};
use statefn::{CallError, Limits, Runtime};

use crate::input::Input;
use crate::tally::Tally;
use crate::world;

const STEPS_MAX: usize = 40;

/// Tries some names.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let limits = Limits {
        id_bytes_max: usize::from(input.byte()),
        key_bytes_max: usize::from(input.byte()),
        keys_max: usize::from(input.below(5)),
        ..Limits::default()
    };
    let mut names = || -> Vec<String> {
        let count = 1 + input.below(4);
        (0..count).map(|_| input.text(u8::MAX)).collect()
    };
    let (ids, keys) = (names(), names());
    for (one, other) in ids.iter().zip(ids.iter().skip(1).chain(&keys)) {
        are_told_apart(one, other);
    }
    world::block_on(async {
        let mut trial = Trial::open(limits).await;
        for _ in 0..STEPS_MAX {
            if input.is_at_end() {
                break;
            }
            trial.step(&mut input, &ids, &keys).await;
        }
        trial.check(&ids).await;
        trial.crash(true).await;
        trial.check(&ids).await;
    });
}

/// Two names, as type and id, in both places.
fn are_told_apart(one: &str, other: &str) {
    let left = PersistenceId::new(one.to_owned(), other);
    let right = PersistenceId::of(EntityType::new(other.to_owned()), one);
    assert_eq!(left == right, one == other);
    assert_eq!(left.cmp(&right), one.as_bytes().cmp(other.as_bytes()));
    assert_eq!(left.cmp(&left.clone()), Ordering::Equal);
    for id in [left, right] {
        let (entity_type, id_text) = (id.entity_type().as_str(), id.id());
        assert_eq!(id.slice().get(), slice(entity_type, id_text));
        assert_eq!(Slice::of(entity_type, id_text), id.slice());
        assert_eq!(id, PersistenceId::new(entity_type.to_owned(), id_text));
    }
}

/// The slice as FORMAT.md has it.
fn slice(entity_type: &str, id: &str) -> u16 {
    let bytes = [entity_type.as_bytes(), &[0], id.as_bytes()].concat();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u16::try_from((hash ^ (hash >> 31)) >> 54).unwrap()
}

type Answer = Result<usize, CallError<String>>;

/// What one entity must have.
#[derive(Default)]
struct Known {
    amounts: Vec<u32>,
    /// The amount sent under each key, and the answer to it.
    keys: BTreeMap<String, (u32, Answer)>,
}

struct Trial {
    store: Memory,
    limits: Limits,
    runtime: Runtime,
    known: BTreeMap<String, Known>,
}

impl Trial {
    async fn open(limits: Limits) -> Self {
        let store = Memory::new();
        let runtime = world::open::<Tally>(&store, limits.clone()).await;
        Self {
            store,
            limits,
            runtime,
            known: BTreeMap::new(),
        }
    }

    /// Another runtime takes over, or this one forgets what it had in memory.
    async fn crash(&mut self, takes_over: bool) {
        if takes_over {
            self.runtime = world::open::<Tally>(&self.store, self.limits.clone()).await;
        } else {
            self.runtime.crash().await.unwrap();
        }
    }

    async fn step(&mut self, input: &mut Input<'_>, ids: &[String], keys: &[String]) {
        if input.once_in(16) {
            return self.crash(input.once_in(2)).await;
        }
        let id = &ids[usize::from(input.byte()) % ids.len()];
        let at = usize::from(input.byte()) % (keys.len() + 1);
        let key = keys.get(at).map(String::as_str);
        let amount = u32::from(input.below(3));
        let call = self.runtime.entity::<Tally>(id.as_str()).add(amount);
        let answer = match key {
            Some(key) => call.with_key(key).await,
            None => call.await,
        };
        let expected = self.expected(id, key, amount);
        assert_eq!(answer, expected, "{amount} for {id:?} under {key:?}");
    }

    /// Worked out by hand, and remembered.
    fn expected(&mut self, id: &str, key: Option<&str>, amount: u32) -> Answer {
        check("entity id", id, self.limits.id_bytes_max)?;
        if let Some(key) = key {
            check("key", key, self.limits.key_bytes_max)?;
        }
        let earlier = self.known.get(id);
        let earlier = earlier.and_then(|known| known.keys.get(key?));
        if let Some((sent, answer)) = earlier {
            if *sent == amount {
                return answer.clone();
            }
            return Err(CallError::KeyReused {
                key: key.unwrap_or_default().into(),
            });
        }
        let count = self.known.get(id).map_or(0, |known| known.amounts.len());
        let answer = match amount {
            0 => Err(CallError::Rejected(format!("nothing after {count}"))),
            _ => Ok(count + 1),
        };
        if answer.is_err() && key.is_none() {
            return answer;
        }
        let known = self.known.entry(id.to_owned()).or_default();
        known.amounts.extend(answer.is_ok().then_some(amount));
        if let Some(key) = key {
            known.keys.insert(key.to_owned(), (amount, answer.clone()));
        }
        answer
    }

    /// Every id has what it must have, and nobody else is there.
    async fn check(&self, ids: &[String]) {
        for id in ids {
            let amounts = self.runtime.entity::<Tally>(id.as_str()).amounts().await;
            let expected: Result<(), CallError<String>> =
                check("entity id", id, self.limits.id_bytes_max);
            match (amounts, expected) {
                (Ok(amounts), Ok(())) => {
                    let known = self.known.get(id).map(|known| known.amounts.clone());
                    assert_eq!(amounts, known.unwrap_or_default(), "{id:?}");
                }
                (Err(CallError::Invalid { .. } | CallError::TooLarge { .. }), Err(_)) => {}
                (amounts, expected) => panic!("{id:?}: {amounts:?}, {expected:?}"),
            }
        }
        let listed = self.store.entities(None, usize::MAX).await.unwrap();
        let listed: Vec<&str> = listed.iter().map(PersistenceId::id).collect();
        assert!(listed.iter().eq(self.known.keys()), "{listed:?}");
    }
}

fn check(what: &'static str, name: &str, limit: usize) -> Result<(), CallError<String>> {
    match name.len() {
        0 => Err(CallError::Invalid {
            what,
            reason: "it must have at least one byte".into(),
        }),
        bytes if bytes > limit => Err(CallError::TooLarge { what, bytes, limit }),
        _ => Ok(()),
    }
}

/// Names that have broken other systems, in pairs, and some steps with each.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let pairs = [
        ["a", "A"],
        ["", "a"],
        ["\0", "a\0b"],
        ["'; --", "\""],
        ["\u{e9}", "e\u{301}"],
        ["\u{1f980}", "\u{10ffff}"],
        ["..", "/"],
        ["12345678", "123456789"],
    ];
    let seed = |[one, other]: [&str; 2]| {
        let mut seed = vec![8, 8, 2];
        for names in [[one, other], [other, one]] {
            seed.push(1);
            for name in names {
                seed.push(u8::try_from(name.len()).unwrap());
                seed.extend(name.bytes());
            }
        }
        for step in 0..24_u8 {
            seed.extend([step, step / 2, step / 3, step % 5]);
        }
        seed
    };
    pairs.map(seed).into()
}
