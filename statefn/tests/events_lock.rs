//! `events.lock`: what is found, what is said, and what is written.

#![expect(unreachable_pub, reason = "the entities are public in their modules")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use statefn::testing::{Difference, EventsLock, EventsLockError, LockMode};
use tempfile::TempDir;

/// A `cart` entity whose events are the given ones.
macro_rules! cart {
    ($module:ident, $codec:literal, { $($item:item)* }, $event:ident) => {
        mod $module {
            use serde::{Deserialize, Serialize};
            use statefn::prelude::*;

            $($item)*

            #[entity(event_sourced, name = "cart", codec = $codec)]
            #[derive(Default, Serialize, Deserialize)]
            pub struct Cart {}

            #[entity]
            impl Cart {
                #[event_handler]
                fn apply(&mut self, _: &$event) {}
            }
        }
    };
}

cart!(
    original,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { product: String, price: Price },
            Emptied,
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    only_names_of_types_differ,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum Fact {
            #[event(name = "Emptied")]
            MadeEmpty,
            Added {
                product: ProductId,
                price: Box<Money>,
            },
        }
        #[derive(Serialize, Deserialize)]
        pub struct ProductId(String);
        #[derive(Serialize, Deserialize)]
        pub struct Money {
            amount: u64,
            currency: String,
        }
    },
    Fact
);

cart!(
    nested_field_added,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { product: String, price: Price },
            Emptied,
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            tax: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    event_removed,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { product: String, price: Price },
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    event_added,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            CheckedOut { at: Option<i64> },
            Added { product: String, price: Price },
            Emptied,
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    new_version,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            #[event(version = 2, from = AddedV1)]
            Added {
                product: String,
            },
            Emptied,
        }
        #[derive(Event, Serialize, Deserialize)]
        #[event(name = "Added", version = 1)]
        pub struct AddedV1 {
            product: String,
            price: Price,
        }
        impl From<AddedV1> for CartEvent {
            fn from(old: AddedV1) -> Self {
                Self::Added {
                    product: old.product,
                }
            }
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    new_version_alone,
    "bincode",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            #[event(version = 2)]
            Added {
                product: String,
            },
            Emptied,
        }
    },
    CartEvent
);

cart!(
    other_codec,
    "json",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { product: String, price: Price },
            Emptied,
        }
        #[derive(Serialize, Deserialize)]
        pub struct Price {
            amount: u64,
            currency: String,
        }
    },
    CartEvent
);

cart!(
    other_codec_and_shape,
    "json",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { product: String },
            Emptied,
        }
    },
    CartEvent
);

cart!(
    hidden,
    "json",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            Added { what: Anything },
        }
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        pub enum Anything {
            Text(String),
            Number(u8),
        }
    },
    CartEvent
);

cart!(
    named,
    "json",
    {
        #[derive(Event, Serialize, Deserialize)]
        pub enum CartEvent {
            #[event(shape = "added 1")]
            Added { what: Anything },
        }
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        pub enum Anything {
            Text(String),
            Number(u8),
        }
    },
    CartEvent
);

fn lock<S: statefn::EntitySet>() -> EventsLock {
    EventsLock::of::<S>()
}

/// A folder with the `events.lock` of the original cart.
fn written() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.lock");
    lock::<(original::Cart,)>()
        .check(&path, LockMode::Create)
        .expect("written");
    (folder, path)
}

fn differences(changed: &EventsLock) -> (Vec<Difference>, String) {
    let (_folder, path) = written();
    let before = fs::read(&path).expect("a file");
    for mode in [LockMode::Strict, LockMode::Create] {
        let refused = changed.check(&path, mode).expect_err("it differs");
        assert_eq!(
            fs::read(&path).expect("a file"),
            before,
            "a check changed the file"
        );
        if mode == LockMode::Create {
            let text = refused.to_string();
            let EventsLockError::Differs { differences, .. } = refused else {
                panic!("{refused}");
            };
            changed.check(&path, LockMode::Update).expect("accepted");
            changed
                .check(&path, LockMode::Strict)
                .expect("the same now");
            return (differences, text);
        }
    }
    unreachable!("both modes were tried")
}

#[test]
fn the_file_is_readable_and_stays_what_it_is() {
    let (_folder, path) = written();
    let expected = "\
# Every form in which events are stored, with its shape. Written and checked by
# `statefn::testing::check_events_lock!`; commit it. Format 1.

event \"cart\" \"Added\" version 1 codec bincode
{
  product: string
  price: {
    amount: u64
    currency: string
  }
}

event \"cart\" \"Emptied\" version 1 codec bincode
unit
";
    assert_eq!(fs::read_to_string(&path).expect("text"), expected);
    lock::<(original::Cart,)>()
        .check(&path, LockMode::Strict)
        .expect("the same");
}

#[test]
fn names_and_order_of_rust_types_do_not_matter() {
    let (_folder, path) = written();
    lock::<(only_names_of_types_differ::Cart,)>()
        .check(&path, LockMode::Strict)
        .expect("the same");
}

#[test]
fn a_missing_file_is_written_but_not_where_nobody_commits_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.lock");
    let lock = lock::<(original::Cart,)>();
    let refused = lock.check(&path, LockMode::Strict).expect_err("missing");
    assert!(
        matches!(refused, EventsLockError::Missing { .. }),
        "{refused}"
    );
    assert!(!path.exists());
    lock.check(&path, LockMode::Create).expect("written");
    let names: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing else is left behind");
}

#[test]
fn a_changed_nested_type_is_shown_with_the_ways_out() {
    let (found, text) = differences(&lock::<(nested_field_added::Cart,)>());
    assert!(
        matches!(found.as_slice(), [Difference::Changed { .. }]),
        "{found:?}"
    );
    assert!(found.iter().all(Difference::is_breaking));
    for expected in [
        "event \"Added\" of \"cart\", version 1: the stored form has changed",
        "\n          amount: u64\n    +     tax: u64\n          currency: string\n",
        "#[event(version = 2, from = OldForm)]",
        "STATEFN_UPDATE_LOCK=1 cargo test",
    ] {
        assert!(
            text.contains(expected),
            "{expected:?} is missing in:\n{text}"
        );
    }
}

#[test]
fn a_removed_event_is_found() {
    let (found, text) = differences(&lock::<(event_removed::Cart,)>());
    assert!(
        matches!(found.as_slice(), [Difference::Removed { .. }]),
        "{found:?}"
    );
    assert!(text.contains("event \"Emptied\" of \"cart\", version 1: the code does not know"));
}

#[test]
fn a_new_event_asks_for_an_update_only() {
    let (found, text) = differences(&lock::<(event_added::Cart,)>());
    assert!(
        matches!(found.as_slice(), [Difference::Added { .. }]),
        "{found:?}"
    );
    assert!(!found.iter().any(Difference::is_breaking));
    assert!(text.contains("Nothing that is stored breaks"), "{text}");
    assert!(!text.contains("from = OldForm"), "{text}");
}

#[test]
fn a_new_version_with_an_upcaster_breaks_nothing() {
    let (found, _) = differences(&lock::<(new_version::Cart,)>());
    let [Difference::Added { form }] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(form, "event \"Added\" of \"cart\", version 2");
}

#[test]
fn a_new_version_without_an_upcaster_breaks_the_old_one() {
    let (found, _) = differences(&lock::<(new_version_alone::Cart,)>());
    let expected = [
        Difference::Removed {
            form: "event \"Added\" of \"cart\", version 1".to_owned(),
        },
        Difference::Added {
            form: "event \"Added\" of \"cart\", version 2".to_owned(),
        },
    ];
    assert_eq!(found, expected);
}

#[test]
fn another_codec_is_no_break_unless_the_shape_changes_with_it() {
    let (found, text) = differences(&lock::<(other_codec::Cart,)>());
    assert_eq!(found.len(), 2);
    assert!(!found.iter().any(Difference::is_breaking), "{found:?}");
    assert!(text.contains("the codec was bincode and is json"), "{text}");
    let (found, _) = differences(&lock::<(other_codec_and_shape::Cart,)>());
    assert!(
        matches!(found.first(), Some(Difference::Changed { .. })),
        "{found:?}"
    );
}

#[test]
fn an_event_that_hides_its_shape_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.lock");
    let refused = lock::<(hidden::Cart,)>().check(&path, LockMode::Update);
    let text = refused.expect_err("hidden").to_string();
    assert!(
        text.contains("event \"Added\" of \"cart\", version 1"),
        "{text}"
    );
    assert!(text.contains("(at `what`)"), "{text}");
    assert!(text.contains("`#[event(..)]`"), "{text}");
    assert!(!path.exists());
    lock::<(named::Cart,)>()
        .check(&path, LockMode::Create)
        .expect("written");
    let text = fs::read_to_string(&path).expect("text");
    assert!(text.contains("codec json\nnamed \"added 1\"\n"), "{text}");
}

#[test]
fn line_ends_spaces_and_comments_do_not_matter() {
    let (_folder, path) = written();
    let text = fs::read_to_string(&path).expect("text");
    let lock = lock::<(original::Cart,)>();
    for other in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "  \n"),
        format!("\u{feff}{text}"),
        format!("{text}\n\n# the end"),
        text.trim_end().to_owned(),
    ] {
        fs::write(&path, &other).expect("written");
        lock.check(&path, LockMode::Strict)
            .unwrap_or_else(|error| panic!("{error}\n{other:?}"));
    }
}

#[test]
fn a_damaged_file_is_refused_with_its_line_and_an_update_mends_it() {
    let (_folder, path) = written();
    let text = fs::read_to_string(&path).expect("text");
    let lock = lock::<(original::Cart,)>();
    let twice = "event \"cart\" \"Emptied\" version 1 codec bincode\nunit\n";
    let conflict = text.replace(
        "    amount: u64\n",
        "<<<<<<< HEAD\n    amount: u64\n=======\n    amount: i64\n>>>>>>> branch\n",
    );
    let damaged: [(Vec<u8>, usize, &str); 7] = [
        (conflict.into_bytes(), 8, "merge conflict"),
        (format!("{text}\n{twice}").into_bytes(), 16, "there twice"),
        (b"garbage".to_vec(), 1, "found `garbage`"),
        (
            b"\nevent \"cart\" Added version 1 codec json\nunit".to_vec(),
            2,
            "expected",
        ),
        (
            b"event \"cart\" \"Added\" version x codec json\nunit".to_vec(),
            1,
            "expected",
        ),
        (
            b"event \"cart\" \"Added\" version 1 codec json\n\nunit".to_vec(),
            1,
            "no shape",
        ),
        (b"#\n\n\xff\xfe".to_vec(), 3, "not text"),
    ];
    for (bytes, line, reason) in damaged {
        fs::write(&path, &bytes).expect("written");
        let refused = lock.check(&path, LockMode::Create).expect_err("damaged");
        let text = refused.to_string();
        assert!(text.contains(&format!("line {line}: ")), "{text}");
        assert!(text.contains(reason), "{text}");
        lock.check(&path, LockMode::Update).expect("mended");
        lock.check(&path, LockMode::Strict).expect("the same");
    }
    fs::write(&path, "").expect("written");
    let refused = lock.check(&path, LockMode::Create).expect_err("empty");
    assert!(
        matches!(refused, EventsLockError::Differs { .. }),
        "{refused}"
    );
}

#[test]
fn a_path_that_is_no_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = lock::<(original::Cart,)>();
    for mode in [LockMode::Strict, LockMode::Create] {
        let refused = lock.check(folder.path(), mode).expect_err("a folder");
        assert!(matches!(refused, EventsLockError::Io { .. }), "{refused}");
    }
    let nowhere = folder.path().join("no").join("events.lock");
    let refused = lock
        .check(nowhere, LockMode::Create)
        .expect_err("no folder");
    assert!(refused.to_string().contains("cannot write"), "{refused}");
}

#[test]
fn two_entities_of_one_name_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.lock");
    let two = lock::<(original::Cart, named::Cart)>();
    let refused = two.check(&path, LockMode::Create).expect_err("one name");
    assert!(
        matches!(refused, EventsLockError::NameTaken { name: "cart", .. }),
        "{refused}"
    );
    // Every entity of this file is linked.
    let refused = EventsLock::linked().check(&path, LockMode::Create);
    assert!(matches!(refused, Err(EventsLockError::NameTaken { .. })));
}

/// Runs this very test again, once for each environment.
#[test]
fn the_environment_says_what_may_be_written() {
    const EXPECTED: &str = "STATEFN_TEST_EXPECTED_MODE";
    if let Ok(expected) = std::env::var(EXPECTED) {
        assert_eq!(format!("{:?}", LockMode::from_env()), expected);
        return;
    }
    let program = std::env::current_exe().expect("a program");
    for (update, ci, expected) in [
        (None, None, "Create"),
        (None, Some("true"), "Strict"),
        (None, Some("false"), "Create"),
        (Some("0"), Some("1"), "Strict"),
        (Some(""), None, "Create"),
        (Some("1"), None, "Update"),
        (Some("1"), Some("true"), "Update"),
    ] {
        let mut command = std::process::Command::new(&program);
        command
            .args(["--exact", "the_environment_says_what_may_be_written"])
            .env(EXPECTED, expected);
        for (name, value) in [("STATEFN_UPDATE_LOCK", update), ("CI", ci)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output().expect("it ran");
        assert!(output.status.success(), "{update:?} {ci:?}: {output:?}");
    }
}
