//! A key-value store: each key is an entity, its value is stored whole.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// A value with its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Value {
    text: String,
    version: u64,
    /// Milliseconds since 1970.
    expires: Option<i64>,
}

/// The key is at another version than the caller thought; 0 when it has no value.
#[derive(Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
#[error("it is at version {0}")]
struct Conflict(u64);

/// One key.
#[entity(crud, name = "key")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Key {
    value: Option<Value>,
}

#[entity]
impl Key {
    /// Stores a value, perhaps for a while only, and answers its version. Versions rise for ever,
    /// also over a deletion.
    #[command]
    fn put(&mut self, ctx: &mut Context<Self>, text: String, for_millis: Option<i64>) -> u64 {
        let version = ctx.sequence().next().get();
        let expires = for_millis.map(|millis| ctx.now().as_millis().saturating_add(millis));
        self.value = Some(Value {
            text,
            version,
            expires,
        });
        version
    }

    /// The value; one that has expired goes when it is asked for.
    #[command]
    fn get(&mut self, ctx: &mut Context<Self>) -> Option<Value> {
        let now = ctx.now().as_millis();
        let is_over = |value: &Value| value.expires.is_some_and(|expires| expires <= now);
        if self.value.as_ref().is_some_and(is_over) {
            ctx.delete();
            return None;
        }
        self.value.clone()
    }

    /// Stores a value if the key is at this version: 0 means that it has none.
    #[command]
    fn swap(
        &mut self,
        ctx: &mut Context<Self>,
        version: u64,
        text: String,
    ) -> Result<u64, Conflict> {
        let found = self.get(ctx).map_or(0, |value| value.version);
        if found != version {
            return Err(Conflict(found));
        }
        ctx.keep();
        Ok(self.put(ctx, text, None))
    }

    /// Deletes the key. Whether there was a value.
    #[command]
    fn delete(&mut self, ctx: &mut Context<Self>) -> bool {
        let was_there = self.get(ctx).is_some();
        ctx.delete();
        was_there
    }
}

const USAGE: &str =
    "key-value put KEY TEXT [SECONDS] | get KEY | swap KEY VERSION TEXT | delete KEY";

#[statefn::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = Runtime::builder()
        .store(Sqlite::open("key-value.db")?)
        .build()
        .await?;
    let key = |name: &str| runtime.entity::<Key>(name);
    match words[..] {
        ["put", name, text] => println!("version {}", key(name).put(text, None).await?),
        ["put", name, text, seconds] => {
            let seconds = Duration::from_secs(seconds.parse()?);
            let millis = i64::try_from(seconds.as_millis())?;
            println!("version {}", key(name).put(text, Some(millis)).await?);
        }
        ["get", name] => match key(name).get().await? {
            Some(value) => println!("{} (version {})", value.text, value.version),
            None => println!("nothing"),
        },
        ["swap", name, version, text] => {
            println!("version {}", key(name).swap(version.parse()?, text).await?);
        }
        ["delete", name] => println!("{}", key(name).delete().await?),
        _ => println!("{USAGE}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use statefn::CallError;
    use statefn::testing::{Scenario, VirtualClock};

    use super::*;

    #[statefn::test]
    async fn values_have_versions_that_rise_over_deletions_and_crashes() {
        let runtime = Runtime::builder().build().await.unwrap();
        let color = runtime.entity::<Key>("color");
        assert_eq!(color.get().await, Ok(None));
        assert_eq!(color.put("blue", None).await, Ok(1));
        assert_eq!(color.swap(1, "green").await, Ok(2));
        assert_eq!(
            color.swap(1, "red").await,
            Err(CallError::Rejected(Conflict(2)))
        );
        runtime.crash().await.unwrap();
        assert_eq!(
            color.get().await.unwrap().map(|value| value.text),
            Some("green".to_owned())
        );
        assert_eq!(color.delete().await, Ok(true));
        assert_eq!(color.delete().await, Ok(false));
        assert_eq!(
            color.swap(2, "red").await,
            Err(CallError::Rejected(Conflict(0)))
        );
        assert_eq!(color.swap(0, "red").await, Ok(4));
    }

    #[statefn::test]
    async fn a_value_expires_when_its_time_is_over_also_across_a_crash() {
        let clock = VirtualClock::new();
        let runtime = Runtime::builder().env(clock.clone()).build().await.unwrap();
        let color = runtime.entity::<Key>("color");
        color.put("blue", Some(1_000)).await.unwrap();
        clock.advance(Duration::from_millis(999));
        assert!(color.get().await.unwrap().is_some());
        runtime.crash().await.unwrap();
        clock.advance(Duration::from_millis(1));
        assert_eq!(
            color.swap(1, "red").await,
            Err(CallError::Rejected(Conflict(0)))
        );
        assert_eq!(color.get().await, Ok(None));
        assert_eq!(color.put("green", None).await, Ok(3));
    }

    #[test]
    fn a_swap_over_an_expired_value_keeps_the_new_one() {
        let old = Value {
            text: "blue".to_owned(),
            version: 1,
            expires: Some(0),
        };
        Scenario::<Key>::new("color")
            .given_state(Key { value: Some(old) })
            .when(|key, ctx| key.swap(ctx, 0, "green".to_owned()))
            .then_reply(2)
            .query(|key| key.value.as_ref().map(|value| value.text.clone()))
            .then_reply(Some("green".to_owned()));
    }
}
