//! What handlers may look like: every return type, every kind of argument, odd names.

#![expect(
    clippy::expect_used,
    reason = "what these tests do not expect fails them"
)]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statefn::command::Operation;
use statefn::prelude::*;
use statefn::{Call, CallError, Infallible};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
struct Noted(String);

#[entity(event_sourced)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Notes {
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Refused {
    TooLong(usize),
}

type Fallible<T> = std::result::Result<T, Refused>;

/// An alias whose name is `Result`: its error is not written at the handler.
mod alias {
    pub(crate) type Result<T> = std::result::Result<T, super::Refused>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapper<T> {
    inner: T,
}

#[entity]
impl Notes {
    const LENGTH_MAX: usize = 10;

    fn checked(text: &str) -> Fallible<()> {
        if text.len() > Self::LENGTH_MAX {
            return Err(Refused::TooLong(text.len()));
        }
        Ok(())
    }

    #[command]
    fn returns_nothing(&self, ctx: &mut Context<Self>, text: String) {
        ctx.emit(Noted(text));
    }

    #[command]
    #[expect(clippy::unused_unit, reason = "that is the test")]
    fn returns_unit(&self, ctx: &mut Context<Self>, text: String) -> () {
        ctx.emit(Noted(text));
    }

    #[command]
    fn returns_a_value(&self, ctx: &mut Context<Self>, text: String) -> (usize, Self) {
        ctx.emit(Noted(text));
        (self.lines.len(), self.clone())
    }

    #[command]
    fn returns_a_result(&self, ctx: &mut Context<Self>, text: String) -> Result<usize, Refused> {
        Self::checked(&text)?;
        ctx.emit(Noted(text));
        Ok(self.lines.len())
    }

    #[command]
    fn returns_an_alias(&self, ctx: &mut Context<Self>, text: String) -> alias::Result<()> {
        Self::checked(&text)?;
        ctx.emit(Noted(text));
        Ok(())
    }

    #[command]
    fn returns_then(&self, ctx: &mut Context<Self>, text: String) -> Then<Self, usize> {
        ctx.emit(Noted(text));
        ctx.then(|notes| notes.lines.len())
    }

    #[command]
    fn returns_a_result_of_then(
        &self,
        ctx: &mut Context<Self>,
        text: String,
    ) -> Result<statefn::Then<Self, Vec<String>>, Refused> {
        Self::checked(&text)?;
        ctx.emit(Noted(text));
        Ok(ctx.then(|notes| notes.lines.clone()))
    }

    #[command]
    fn returns_an_alias_of_then(
        &self,
        ctx: &mut Context<Self>,
        text: String,
    ) -> alias::Result<Then<Self, usize>> {
        Self::checked(&text)?;
        ctx.emit(Noted(text));
        Ok(ctx.then(|notes| notes.lines.len()))
    }

    #[command]
    fn has_no_context(&self, by: usize) -> usize {
        self.lines.len() + by
    }

    #[command]
    fn has_no_argument(&self, ctx: &mut Context<Self>) -> String {
        ctx.id().to_owned()
    }

    #[command]
    fn has_the_context_last(&self, text: String, ctx: &mut statefn::Context<Notes>) {
        ctx.emit(Noted(text));
    }

    #[command]
    fn has_a_context_to_read(&self, ctx: &Context<Self>) -> u64 {
        ctx.sequence().get()
    }

    #[command]
    #[expect(clippy::too_many_arguments, reason = "that is the test")]
    #[expect(clippy::many_single_char_names, reason = "none of them means anything")]
    fn has_many_arguments(
        &self,
        ctx: &mut Context<Self>,
        a: String,
        b: Option<String>,
        c: Vec<Option<u8>>,
        d: BTreeMap<String, (i64, bool)>,
        e: Box<str>,
        f: [u16; 3],
        g: Wrapper<Wrapper<char>>,
        h: std::string::String,
        i: Noted,
    ) -> String {
        let text = format!("{a} {b:?} {c:?} {d:?} {e} {f:?} {g:?} {h} {i:?}");
        ctx.emit(Noted(text.clone()));
        text
    }

    /// Every name that the generated code uses for something else.
    #[command]
    #[expect(clippy::too_many_arguments, reason = "that is the test")]
    fn has_arguments_named_like_internals(
        &self,
        context: &mut Context<Self>,
        ctx: u8,
        self_: u8,
        entity: u8,
        key: u8,
        id: u8,
        operation: u8,
        event: u8,
        handle: u8,
        reply: u8,
        rejection: u8,
        r#type: u8,
    ) -> u8 {
        context.emit(Noted(String::new()));
        ctx + self_ + entity + key + id + operation + event + handle + reply + rejection + r#type
    }

    #[command]
    fn r#match(&self, r#fn: String, mut mutable: u8) -> String {
        mutable += 1;
        format!("{fn}{mutable}")
    }

    #[command(name = "stored-differently")]
    fn renamed(&self) {}

    // In camel case these two would be one.
    #[command]
    fn add_1(&self) -> u8 {
        1
    }

    #[command]
    fn add1(&self) -> u8 {
        11
    }

    #[query]
    fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }

    #[query]
    fn line(&self, number: usize) -> Result<String, Refused> {
        let missing = Refused::TooLong(number);
        self.lines.get(number).cloned().ok_or(missing)
    }

    #[query]
    fn whole(&self) -> Self {
        self.clone()
    }

    #[query]
    fn nothing(&self) {}

    #[query]
    fn contains(&self, text: String) -> bool {
        self.lines.contains(&text)
    }

    #[event_handler]
    fn noted(&mut self, Noted(text): &Noted) {
        self.lines.push(text.clone());
    }
}

async fn notes() -> (Runtime, NotesRef) {
    let builder = Runtime::builder().only::<(Notes,)>();
    let runtime = builder.build().await.expect("a runtime");
    let notes = runtime.entity::<Notes>("n");
    (runtime, notes)
}

fn too_long<T>(length: usize) -> Result<T, CallError<Refused>> {
    Err(CallError::Rejected(Refused::TooLong(length)))
}

#[statefn::test]
async fn every_return_type_reaches_the_caller() {
    let (_runtime, notes) = notes().await;
    let long = "eleven char";
    assert_eq!(notes.returns_nothing("a").await, Ok(()));
    assert_eq!(notes.returns_unit("b").await, Ok(()));
    let before = Notes {
        lines: vec!["a".to_owned(), "b".to_owned()],
    };
    assert_eq!(notes.returns_a_value("c").await, Ok((2, before)));
    assert_eq!(notes.returns_a_result("d").await, Ok(3));
    assert_eq!(notes.returns_a_result(long).await, too_long(11));
    assert_eq!(notes.returns_an_alias("e").await, Ok(()));
    assert_eq!(notes.returns_an_alias(long).await, too_long(11));
    assert_eq!(notes.returns_then("f").await, Ok(6));
    let all = ["a", "b", "c", "d", "e", "f", "g"].map(str::to_owned);
    assert_eq!(notes.returns_a_result_of_then("g").await, Ok(all.to_vec()));
    assert_eq!(notes.returns_a_result_of_then(long).await, too_long(11));
    assert_eq!(notes.returns_an_alias_of_then("h").await, Ok(8));
    assert_eq!(notes.returns_an_alias_of_then(long).await, too_long(11));
    assert_eq!(notes.line(7).await, Ok("h".to_owned()));
    assert_eq!(notes.line(8).await, too_long(8));
    assert_eq!(notes.whole().await.map(|notes| notes.lines.len()), Ok(8));
    assert_eq!(notes.nothing().await, Ok(()));
}

#[statefn::test]
async fn every_argument_reaches_the_handler() {
    let (_runtime, notes) = notes().await;
    assert_eq!(notes.has_no_context(5).await, Ok(5));
    assert_eq!(notes.has_no_argument().await, Ok("n".to_owned()));
    assert_eq!(notes.has_the_context_last("x").await, Ok(()));
    assert_eq!(notes.has_a_context_to_read().await, Ok(1));
    let map = BTreeMap::from([("k".to_owned(), (-1, true))]);
    let nested = Wrapper {
        inner: Wrapper { inner: 'w' },
    };
    let (b, e, i) = (Some("b".to_owned()), "e".into(), Noted("i".to_owned()));
    let call = notes.has_many_arguments("a", b, vec![None], map, e, [1, 2, 3], nested, "h", i);
    let text = "a Some(\"b\") [None] {\"k\": (-1, true)} e [1, 2, 3] \
                Wrapper { inner: Wrapper { inner: 'w' } } h Noted(\"i\")";
    assert_eq!(call.await, Ok(text.to_owned()));
    assert_eq!(notes.contains(text).await, Ok(true));
    assert_eq!(notes.contains('x').await, Ok(true));
    assert_eq!(notes.contains(String::from("y")).await, Ok(false));
}

#[statefn::test]
async fn names_are_the_users_own() {
    let (_runtime, notes) = notes().await;
    let sum = notes.has_arguments_named_like_internals(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    assert_eq!(sum.await, Ok(66));
    assert_eq!(notes.r#match("f", 1).await, Ok("f2".to_owned()));
    assert_eq!(notes.add_1().await, Ok(1));
    assert_eq!(notes.add1().await, Ok(11));
    assert_eq!(notes.id(), "n");
}

/// The declared name of an operation.
fn name_of<O: Operation>(_: &Call<O>) -> &'static str {
    O::NAME
}

#[statefn::test]
async fn stored_names_are_the_methods_or_what_the_attribute_says() {
    let (_runtime, notes) = notes().await;
    assert_eq!(name_of(&notes.has_no_argument()), "has_no_argument");
    assert_eq!(name_of(&notes.renamed()), "stored-differently");
    assert_eq!(name_of(&notes.r#match("", 0)), "match");
    assert_eq!(<Notes as statefn::entity::Entity>::TYPE, "notes");
}

/// The error of a handler that cannot reject has no value: its callers need no `match` arm.
#[statefn::test]
async fn a_handler_without_result_cannot_reject() {
    let (_runtime, notes) = notes().await;
    let answer: Result<u8, CallError<Infallible>> = notes.add_1().await;
    let reply = match answer {
        Ok(reply) => reply,
        Err(CallError::Rejected(never)) => match never {},
        Err(error) => panic!("{error}"),
    };
    assert_eq!(reply, 1);
}

#[test]
fn handlers_stay_plain_methods() {
    let mut notes = Notes::default();
    notes.noted(&Noted("a".to_owned()));
    assert_eq!(notes.has_no_context(1), 2);
    assert_eq!(notes.line(1), Err(Refused::TooLong(1)));
    assert_eq!(notes.r#match("f".to_owned(), 1), "f2");
}

/// A call owns what it holds: it can be kept, sent to another thread and outlive its reference.
#[statefn::test]
async fn calls_and_references_can_be_sent() {
    fn sent<T: Send + 'static>(value: T) -> T {
        value
    }
    let (_runtime, notes) = notes().await;
    let call = sent(sent(notes.clone()).returns_a_result("a"));
    drop(notes);
    assert_eq!(sent(call.into_future()).await, Ok(0));
}

/// Idempotency keys fingerprint the declared name and the arguments.
#[statefn::test]
async fn a_key_is_bound_to_the_command_and_its_arguments() {
    let (_runtime, notes) = notes().await;
    assert_eq!(notes.returns_a_result("a").with_key("k").await, Ok(0));
    assert_eq!(notes.returns_a_result("a").with_key("k").await, Ok(0));
    assert_eq!(notes.lines().await.map(|lines| lines.len()), Ok(1));
    let other_argument = notes.returns_a_result("b").with_key("k").await;
    assert!(matches!(other_argument, Err(CallError::KeyReused { .. })));
    let other_command = notes.returns_an_alias("a").with_key("k").await;
    assert!(matches!(other_command, Err(CallError::KeyReused { .. })));
}
