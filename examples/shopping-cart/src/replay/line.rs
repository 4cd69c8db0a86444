//! What a line of the input says.

use std::str;

use serde::Deserialize;

use crate::cart::USER_BYTES_MAX;

/// A command on somebody's cart, as a line spells it. Fields that it does not need are ignored.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Command {
    Add {
        user: String,
        product: String,
        name: String,
        quantity: i64,
    },
    Remove {
        user: String,
        product: String,
    },
    Checkout {
        user: String,
    },
}

/// What there is in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Blank,
    Command(Command),
    /// No cart can decide on it, and why.
    Malformed(String),
}

impl Content {
    /// Reads a line without its end.
    pub(super) fn of(line: &[u8]) -> Self {
        let line = line.trim_ascii();
        match line.first() {
            None => return Self::Blank,
            // serde would take a list of the fields as well.
            Some(b'{') => {}
            Some(_) => return Self::Malformed("not a JSON object".to_owned()),
        }
        // serde_json looks only at the strings that it hands out.
        if str::from_utf8(line).is_err() {
            return Self::Malformed("not UTF-8".to_owned());
        }
        match serde_json::from_slice::<Command>(line) {
            Ok(command) => Self::addressed(command),
            Err(error) => Self::Malformed(reason(&error)),
        }
    }

    fn addressed(command: Command) -> Self {
        match command.user().len() {
            0 => Self::Malformed("the user is empty".to_owned()),
            1..=USER_BYTES_MAX => Self::Command(command),
            bytes => Self::Malformed(format!(
                "the user has {bytes} bytes, at most {USER_BYTES_MAX} are possible"
            )),
        }
    }
}

/// What is wrong and in which column; the line is known better outside.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(what) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

impl Command {
    pub(super) fn user(&self) -> &str {
        match self {
            Self::Add { user, .. } | Self::Remove { user, .. } | Self::Checkout { user } => user,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(line: impl AsRef<[u8]>) -> String {
        match Content::of(line.as_ref()) {
            Content::Malformed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_command_is_read_and_other_fields_are_ignored() {
        let add = r#"{"op":"add","user":"u","product":"p","name":"n","quantity":-1,"at":[1]}"#;
        let expected = Command::Add {
            user: "u".to_owned(),
            product: "p".to_owned(),
            name: "n".to_owned(),
            quantity: -1,
        };
        assert_eq!(Content::of(add.as_bytes()), Content::Command(expected));
        let remove = r#" {"quantity":"x","product":"p","user":"u","op":"remove"} "#;
        let expected = Command::Remove {
            user: "u".to_owned(),
            product: "p".to_owned(),
        };
        assert_eq!(Content::of(remove.as_bytes()), Content::Command(expected));
        let checkout = r#"{"user":"\u0000'\"\ud83c\udf77","op":"checkout"}"#;
        let expected = Command::Checkout {
            user: "\0'\"🍷".to_owned(),
        };
        assert_eq!(Content::of(checkout.as_bytes()), Content::Command(expected));
    }

    #[test]
    fn white_space_alone_is_blank() {
        for line in ["", " ", "\t", "\r", " \r"] {
            assert_eq!(Content::of(line.as_bytes()), Content::Blank);
        }
    }

    #[test]
    fn what_no_cart_can_decide_on_is_malformed() {
        let add = |user: &str, quantity: &str| {
            format!(
                r#"{{"op":"add","user":"{user}","product":"p","name":"n","quantity":{quantity}}}"#
            )
        };
        for quantity in [
            "1.0",
            "1.5",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "9223372036854775808",
        ] {
            assert!(malformed(add("u", quantity)).contains("i64"), "{quantity}");
        }
        assert!(malformed(add("u", "-99999999999999999999")).contains("i64"));
        assert!(malformed(add("", "1")).contains("empty"));
        assert!(malformed(add(&"u".repeat(1025), "1")).contains("1025 bytes"));
        assert!(malformed(r#"{"op":"add","user":"u"}"#).contains("missing field"));
        assert!(malformed(r#"{"user":"u"}"#).contains("missing field `op`"));
        let unknown = malformed(r#"{"op":"sell","user":"u"}"#);
        assert!(unknown.starts_with("unknown variant `sell`") && unknown.ends_with("at column 12"));
        assert!(malformed(r#"{"op":"checkout","user":7}"#).contains("string"));
        assert!(malformed(r#"{"op":"checkout","user":"a","user":"b"}"#).contains("duplicate"));
        assert!(malformed(r#"{"op":"checkout","user":"u"} {}"#).contains("trailing"));
        assert!(malformed(r#"{"op":"checkout","user":"#).contains("EOF"));
        assert!(malformed(r#"{"op":"checkout","user":"\ud800"}"#).contains("hex escape"));
        assert_eq!(malformed(r#"["checkout","u"]"#), "not a JSON object");
        assert_eq!(malformed("\0"), "not a JSON object");
        assert_eq!(
            malformed(b"{\"op\":\"checkout\",\"user\":\"\xff\"}"),
            "not UTF-8"
        );
        let nested = format!(
            r#"{{"op":"checkout","user":"u","x":{}"#,
            "[".repeat(500_000)
        );
        assert!(malformed(nested).contains("recursion"));
    }

    #[test]
    fn a_user_of_1024_bytes_is_fine() {
        let line = format!(r#"{{"op":"checkout","user":"{}"}}"#, "u".repeat(1024));
        assert!(matches!(Content::of(line.as_bytes()), Content::Command(_)));
    }
}
