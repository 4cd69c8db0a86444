//! The commands on one user's cart.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use statefn::prelude::*;
use statefn::{HistoryEvent, SequenceNumber};

use crate::cart::{Cart, CartEvent, CartRef, LineItem};
use crate::cli::OnCart;
use crate::failure::{Failure, sentence};
use crate::print::{self, Plain};
use crate::store;
use crate::time::rfc3339;

/// How many events are read at a time.
const PAGE: usize = 10_000;

/// Runs one command on one cart.
pub(crate) async fn run(data: &Path, json: bool, command: &OnCart) -> Result<(), Failure> {
    let runtime = store::open(data).await?;
    let desk = Desk::new(&runtime, command.user(), json);
    let done = match command {
        OnCart::Add {
            product,
            name,
            quantity,
            ..
        } => desk.add(product, name, *quantity).await,
        OnCart::Remove { product, .. } => desk.remove(product).await,
        OnCart::Checkout { .. } => desk.checkout().await,
        OnCart::Show { .. } => desk.show().await,
        OnCart::History { .. } => desk.history().await,
    };
    done.and(store::close(&runtime).await)
}

/// A user's cart on an open runtime, and how to talk about it.
pub(crate) struct Desk<'a> {
    runtime: &'a Runtime,
    cart: CartRef,
    json: bool,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(runtime: &'a Runtime, user: &str, json: bool) -> Self {
        Self {
            runtime,
            cart: runtime.entity::<Cart>(user),
            json,
        }
    }

    pub(crate) async fn add(
        &self,
        product: &str,
        name: &str,
        quantity: i64,
    ) -> Result<(), Failure> {
        let added = self.cart.add_item(product, name, quantity).await;
        let total = added.map_err(Failure::of_call)?;
        self.tell(format!(
            "{} of {} in the cart of {}.",
            total,
            Plain(product),
            Plain(self.cart.id())
        ))
        .await
    }

    pub(crate) async fn remove(&self, product: &str) -> Result<(), Failure> {
        let left = self.cart.remove_item(product).await;
        let left = left.map_err(Failure::of_call)?;
        let products = if left == 1 { "product" } else { "products" };
        self.tell(format!(
            "{} is out of the cart of {}, {left} {products} left.",
            Plain(product),
            Plain(self.cart.id())
        ))
        .await
    }

    pub(crate) async fn checkout(&self) -> Result<(), Failure> {
        self.cart.check_out().await.map_err(Failure::of_call)?;
        self.tell(format!(
            "The cart of {} is checked out.",
            Plain(self.cart.id())
        ))
        .await
    }

    pub(crate) async fn show(&self) -> Result<(), Failure> {
        let cart = self.contents().await?;
        let user = self.cart.id();
        if self.json {
            print::lines(json_of(&Shown::new(user, &cart)))
        } else {
            print::lines(page(user, &cart))
        }
    }

    /// Answers whether all events could be read.
    pub(crate) async fn history(&self) -> Result<(), Failure> {
        let mut after = SequenceNumber::ZERO;
        let mut unreadable = false;
        loop {
            let events = self.events(after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.sequence;
            unreadable |= events.iter().any(|event| event.event.is_err());
            let lines: Vec<String> = events.iter().map(|event| self.line(event)).collect();
            print::lines(lines.join("\n"))?;
        }
        if after == SequenceNumber::ZERO && !self.json {
            let user = Plain(self.cart.id());
            print::lines(format!("Nothing has happened to the cart of {user} yet."))?;
        }
        if unreadable {
            Err(Failure::Reported)
        } else {
            Ok(())
        }
    }

    pub(crate) async fn events(
        &self,
        after: SequenceNumber,
        limit: usize,
    ) -> Result<Vec<HistoryEvent<CartEvent>>, Failure> {
        let admin = self.runtime.admin();
        let events = admin.history::<Cart>(self.cart.id(), after, limit).await;
        events.map_err(|error| Failure::of("cannot read the history", &error))
    }

    async fn contents(&self) -> Result<Cart, Failure> {
        self.cart
            .contents()
            .await
            .map_err(|error| Failure::Failed(sentence(&error)))
    }

    /// Tells people what was done, programs what there is now.
    async fn tell(&self, done: String) -> Result<(), Failure> {
        if self.json {
            self.show().await
        } else {
            print::lines(done)
        }
    }

    fn line(&self, event: &HistoryEvent<CartEvent>) -> String {
        if self.json {
            json_line(event).to_string()
        } else {
            text_line(event)
        }
    }
}

/// A cart as `--json` shows it.
#[derive(Serialize)]
struct Shown<'a> {
    user: &'a str,
    checked_out: bool,
    items: &'a [LineItem],
}

impl<'a> Shown<'a> {
    fn new(user: &'a str, cart: &'a Cart) -> Self {
        Self {
            user,
            checked_out: cart.checked_out,
            items: &cart.items,
        }
    }
}

/// Strings, numbers and lists always have a JSON form.
pub(crate) fn json_of(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A cart as people read it.
fn page(user: &str, cart: &Cart) -> String {
    let state = if cart.checked_out {
        ", checked out"
    } else {
        ""
    };
    let mut text = format!("Cart of {}{state}:", Plain(user));
    if cart.items.is_empty() {
        text.push_str(" empty");
    }
    for item in &cart.items {
        let (name, product) = (Plain(&item.name), Plain(&item.product_id));
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {:>6} x {name} ({product})", item.quantity);
    }
    text
}

fn text_line(event: &HistoryEvent<CartEvent>) -> String {
    let content = match &event.event {
        Ok(CartEvent::ItemAdded {
            product_id,
            name,
            quantity,
        }) => {
            format!("{quantity} x {} ({})", Plain(name), Plain(product_id))
        }
        Ok(CartEvent::ItemRemoved { product_id }) => Plain(product_id).to_string(),
        Ok(CartEvent::CheckedOut) => String::new(),
        Err(error) => format!("cannot be read: {}", Plain(&sentence(error))),
    };
    let (time, name) = (rfc3339(event.time), Plain(&event.name).to_string());
    let line = format!("{:>6}  {time}  {name:<11}  {content}", event.sequence.get());
    line.trim_end().to_owned()
}

fn json_line(event: &HistoryEvent<CartEvent>) -> Value {
    let (field, value) = match &event.event {
        Ok(event) => ("content", content(event)),
        Err(error) => ("unreadable", sentence(error).into()),
    };
    json!({
        "sequence": event.sequence.get(),
        "time": rfc3339(event.time),
        "event": event.name,
        field: value,
    })
}

fn content(event: &CartEvent) -> Value {
    match event {
        CartEvent::ItemAdded {
            product_id,
            name,
            quantity,
        } => {
            json!({"product_id": product_id, "name": name, "quantity": quantity})
        }
        CartEvent::ItemRemoved { product_id } => json!({"product_id": product_id}),
        CartEvent::CheckedOut => json!({}),
    }
}
