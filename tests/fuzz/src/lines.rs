//! The JSON Lines that the shopping cart reads, cut, read and run.
//!
//! Cutting does not depend on how the input arrives; a line is a command exactly if a JSON object
//! says so; every command is answered as a list of items by hand would, and sent again under its
//! key, after a crash, it answers the same and changes nothing.

#[path = "../../../examples/shopping-cart/src/replay/lines.rs"]
mod cut;
#[path = "../../../examples/shopping-cart/src/replay/line.rs"]
mod line;

use std::collections::BTreeMap;
use std::io::BufReader;

use serde_json::{Map, Value, json};
use statefn::store::Memory;
use statefn::{CallError, Limits, Runtime};

use crate::cart::{Cart, CartError, LineItem, USER_BYTES_MAX};
use crate::world;
use cut::{Line, Lines};
use line::{Command, Content};

/// More commands than this are read and not run.
const COMMANDS_MAX: usize = 64;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Tries one file.
pub fn run(data: &[u8]) {
    let lines = lines(data, data.len().max(1));
    for capacity in [1, 2, 5] {
        assert_eq!(
            self::lines(data, capacity),
            lines,
            "in pieces of {capacity}"
        );
    }
    assert_eq!(lines, split(data));
    let mut commands = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if let Some(command) = read(line) {
            commands.push((format!("line:{number}"), command));
        }
    }
    commands.truncate(COMMANDS_MAX);
    if !commands.is_empty() {
        world::block_on(are_run(&commands));
    }
}

fn lines(data: &[u8], capacity: usize) -> Vec<Vec<u8>> {
    let mut lines = Lines::new(BufReader::with_capacity(capacity, data));
    let mut all = Vec::new();
    let mut end = 0;
    while let Some(Line {
        number,
        bytes,
        position,
    }) = lines.next().unwrap()
    {
        all.push(bytes.unwrap_or_default());
        assert_eq!(number, all.len() as u64);
        assert!(position > end, "it goes on");
        end = position;
    }
    assert_eq!(end, data.len() as u64);
    if data.len() > cut::LINE_BYTES_MAX {
        all.clear();
    }
    all
}

/// The same in one go.
fn split(data: &[u8]) -> Vec<Vec<u8>> {
    if data.is_empty() || data.len() > cut::LINE_BYTES_MAX {
        return Vec::new();
    }
    let whole = data.strip_suffix(b"\n").unwrap_or(data);
    let whole = whole.strip_prefix(BYTE_ORDER_MARK).unwrap_or(whole);
    let lines = whole.split(|byte| *byte == b'\n');
    lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .collect()
}

/// The command in a line, if there is one.
fn read(line: &[u8]) -> Option<Command> {
    let content = Content::of(line);
    if let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(line) {
        // Written anew, since a field that comes twice is refused, and here the last one counts.
        let anew = Content::of(value.to_string().as_bytes());
        match (expected(&value), anew) {
            (Some(expected), Content::Command(command)) => assert_eq!(command, expected),
            (None, Content::Malformed(_)) => {}
            (expected, anew) => panic!("{value}: {anew:?} and not {expected:?}"),
        }
        if let Content::Command(command) = &content {
            assert_eq!(Some(command), expected(&value).as_ref());
        }
    }
    match content {
        Content::Blank => assert!(line.trim_ascii().is_empty()),
        Content::Malformed(reason) => {
            assert!(!reason.is_empty() && !line.trim_ascii().is_empty());
        }
        Content::Command(command) => {
            let written = written(&command);
            let again = Content::of(written.to_string().as_bytes());
            assert_eq!(again, Content::Command(expected(&written).unwrap()));
            return Some(command);
        }
    }
    None
}

/// What an object means, looked up field by field.
fn expected(value: &Value) -> Option<Command> {
    let object: &Map<String, Value> = value.as_object()?;
    let text = |field: &str| Some(object.get(field)?.as_str()?.to_owned());
    let user = text("user").filter(|user| (1..=USER_BYTES_MAX).contains(&user.len()))?;
    match object.get("op")?.as_str()? {
        "add" => Some(Command::Add {
            user,
            product: text("product")?,
            name: text("name")?,
            quantity: object.get("quantity")?.as_i64()?,
        }),
        "remove" => Some(Command::Remove {
            user,
            product: text("product")?,
        }),
        "checkout" => Some(Command::Checkout { user }),
        _ => None,
    }
}

fn written(command: &Command) -> Value {
    match command {
        Command::Add {
            user,
            product,
            name,
            quantity,
        } => json!({
            "op": "add", "user": user, "product": product, "name": name, "quantity": quantity,
        }),
        Command::Remove { user, product } => {
            json!({ "op": "remove", "user": user, "product": product })
        }
        Command::Checkout { user } => json!({ "op": "checkout", "user": user }),
    }
}

type Answer = Result<i64, &'static str>;

async fn are_run(commands: &[(String, Command)]) {
    let store = Memory::new();
    let mut carts: BTreeMap<String, Cart> = BTreeMap::new();
    let expected: Vec<Answer> = commands
        .iter()
        .map(|(_, command)| by_hand(&mut carts, command))
        .collect();
    for _ in 0..2 {
        let runtime = world::open::<Cart>(&store, Limits::default()).await;
        for ((key, command), expected) in commands.iter().zip(&expected) {
            let answer = send(&runtime, command, key).await;
            assert_eq!(&answer, expected, "{command:?}");
        }
        for (user, cart) in &carts {
            let contents = runtime.entity::<Cart>(user.as_str()).contents().await;
            assert_eq!(contents.as_ref(), Ok(cart), "{user:?}");
        }
    }
}

async fn send(runtime: &Runtime, command: &Command, key: &str) -> Answer {
    let cart = runtime.entity::<Cart>(command.user());
    let answer = match command {
        Command::Add {
            product,
            name,
            quantity,
            ..
        } => {
            let call = cart.add_item(product.as_str(), name.as_str(), *quantity);
            call.with_key(key).await
        }
        Command::Remove { product, .. } => {
            let left = cart.remove_item(product.as_str()).with_key(key).await;
            left.map(|left| i64::try_from(left).unwrap())
        }
        Command::Checkout { .. } => cart.check_out().with_key(key).await.map(|()| 0),
    };
    answer.map_err(|error| match error {
        CallError::Rejected(error) => CartError::reason(&error),
        error => panic!("{command:?}: {error}"),
    })
}

/// A command on plain lists.
fn by_hand(carts: &mut BTreeMap<String, Cart>, command: &Command) -> Answer {
    let cart = carts.entry(command.user().to_owned()).or_default();
    if cart.checked_out {
        return Err("checked_out");
    }
    let place = |product: &str| cart.items.iter().position(|i| i.product_id == product);
    match command {
        Command::Add {
            product,
            name,
            quantity,
            ..
        } => {
            if *quantity <= 0 {
                return Err("quantity_not_positive");
            }
            let Some(at) = place(product) else {
                cart.items.push(LineItem {
                    product_id: product.clone(),
                    name: name.clone(),
                    quantity: *quantity,
                });
                return Ok(*quantity);
            };
            let total = cart.items[at].quantity.checked_add(*quantity);
            cart.items[at].quantity = total.ok_or("quantity_overflow")?;
            Ok(cart.items[at].quantity)
        }
        Command::Remove { product, .. } => {
            cart.items.remove(place(product).ok_or("not_in_cart")?);
            Ok(i64::try_from(cart.items.len()).unwrap())
        }
        Command::Checkout { .. } => {
            cart.checked_out = true;
            Ok(0)
        }
    }
}

/// Files with every command, every kind of line end, and every mistake that has a name.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let add = |user: &str, product: &str, quantity: &str| {
        format!(
            r#"{{"op":"add","user":"{user}","product":"{product}","name":"N","quantity":{quantity}}}"#
        )
    };
    let (one, other) = (add("a", "p", "1"), add("a", "p", "9223372036854775807"));
    let remove = r#"{"op":"remove","user":"a","product":"p"}"#;
    let checkout = r#" {"user":"\u0000\ud83c\udf77","x":[1,{"y":null}],"op":"checkout"} "#;
    let mut seeds: Vec<Vec<u8>> = [
        String::new(),
        "\n".to_owned(),
        "\r\n \n\t".to_owned(),
        format!("\u{feff}{one}\r\n{one}\n\n{other}\n{remove}\n{remove}\n{checkout}\n{checkout}"),
        format!(
            "{}\n{}\n{}",
            add("a", "p", "0"),
            add("b", "p", "-1"),
            add("b", "q", "2")
        ),
        format!(
            "{}\n{}\n{}",
            add("a", "p", "1.0"),
            add("", "p", "1"),
            add("a", "p", "1e3")
        ),
        format!(
            "{}\n{one}}}\n[{one}]\n7\nnull",
            add(&"u".repeat(1025), "p", "1")
        ),
        r#"{"op":"add","user":"a","user":"b","product":"p","name":"n","quantity":1}"#.to_owned(),
        r#"{"op":"sell","user":"a"}{"op":"checkout","user":7}"#.to_owned(),
        r#"{"op":"checkout","user":"\ud800"}"#.to_owned(),
        format!(r#"{{"op":"checkout","user":"a","x":{}"#, "[".repeat(300)),
    ]
    .map(String::into_bytes)
    .into();
    seeds.push(b"{\"op\":\"checkout\",\"user\":\"\xff\"}\n\xef\xbb\xbf{}".to_vec());
    seeds
}
