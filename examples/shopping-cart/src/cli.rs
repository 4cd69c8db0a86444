//! The command line: what can be asked for, and what each option means.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cart::USER_BYTES_MAX;

/// Longest name for `--keys-name`; leaves room for the line number within the limit of a key.
const KEYS_NAME_BYTES_MAX: usize = 200;

/// A durable shopping cart in one binary and one file.
///
/// Every cart is an entity of its own: its state is in memory while it is used, and
/// nothing is reported as done before it is on disk. Without a command you get a short
/// guided tour.
#[derive(Debug, Parser)]
#[command(name = "shopping-cart", version, verbatim_doc_comment)]
#[command(after_help = "Exit codes: 0 done, 1 refused or failed, 2 not understood.")]
pub(crate) struct Cli {
    /// The database file; made when it is missing
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "shopping-cart.db"
    )]
    pub(crate) data: PathBuf,

    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    OnCart(OnCart),
    /// Run the commands of a file or of standard input
    #[command(long_about = REPLAY)]
    Replay(Replay),
    /// Copy the database to a new file while it is in use by this program
    ///
    /// The copy is complete and consistent, and opens with --data like any other database.
    Backup {
        /// The copy; it must not exist
        file: PathBuf,
    },
    /// Show what sells best, by what was checked out in all carts
    ///
    /// Reads a view that a projection keeps beside the carts; waits until it includes everything in
    /// the database.
    Top {
        /// How many products
        #[arg(long, value_name = "N", default_value_t = 10)]
        #[arg(value_parser = clap::value_parser!(u16).range(1..=10_000))]
        limit: u16,
    },
    /// Build the view behind `top` anew from the first event on
    ///
    /// The old one is read until the new one is complete.
    Rebuild,
    /// Check the whole database: every checksum, every chain, every snapshot against replay
    ///
    /// Prints the place of each fault and exits with 1 if there is any.
    Verify,
}

/// What can be asked of one user's cart.
#[derive(Debug, Subcommand)]
pub(crate) enum OnCart {
    /// Put a product in a user's cart
    ///
    /// Adding a product again adds up the quantities and keeps the first name.
    /// A quantity of 0 or less is refused.
    #[command(verbatim_doc_comment)]
    Add {
        /// Whose cart, 1 to 1024 bytes
        #[arg(value_parser = user)]
        user: String,
        /// The product's id
        product: String,
        /// The product's name, for people
        name: String,
        /// How many, more than 0
        #[arg(allow_negative_numbers = true)]
        quantity: i64,
    },
    /// Take a product out of a user's cart, whatever its quantity
    Remove {
        /// Whose cart, 1 to 1024 bytes
        #[arg(value_parser = user)]
        user: String,
        /// The product's id
        product: String,
    },
    /// Check a user's cart out; it refuses changes from then on
    Checkout {
        /// Whose cart, 1 to 1024 bytes
        #[arg(value_parser = user)]
        user: String,
    },
    /// Show what is in a user's cart
    Show {
        /// Whose cart, 1 to 1024 bytes
        #[arg(value_parser = user)]
        user: String,
    },
    /// List everything that ever happened to a user's cart
    ///
    /// With --json one object a line.
    History {
        /// Whose cart, 1 to 1024 bytes
        #[arg(value_parser = user)]
        user: String,
    },
}

impl OnCart {
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::Add { user, .. }
            | Self::Remove { user, .. }
            | Self::Checkout { user }
            | Self::Show { user }
            | Self::History { user } => user,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// JSON Lines, or `-` for standard input
    #[arg(value_name = "FILE|-")]
    pub(crate) input: PathBuf,

    /// How many commands are under way at most
    #[arg(long, value_name = "N", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) concurrency: u16,

    /// Give each line a key, so that running the same input again changes nothing
    #[arg(long)]
    pub(crate) keys: bool,

    /// Use this name in the keys instead of the input's content (implies --keys)
    #[arg(long, value_name = "NAME", value_parser = keys_name)]
    pub(crate) keys_name: Option<String>,

    /// Print the outcome of each line as soon as it is durable, as a JSON object a line
    #[arg(long)]
    pub(crate) outcomes: bool,
}

const REPLAY: &str = "\
Run the commands of a file or of standard input

Each line is a JSON object:
  {\"op\":\"add\",\"user\":\"alice\",\"product\":\"p1\",\"name\":\"Deluxe\",\"quantity\":5}
  {\"op\":\"remove\",\"user\":\"alice\",\"product\":\"p1\"}
  {\"op\":\"checkout\",\"user\":\"alice\"}
Other fields are ignored. Blank lines are skipped, but counted in line numbers. A byte order
mark and CRLF line ends are fine.

Users run concurrently. The lines of one user run in the order of the input, each after the
durable reply to the one before. Memory use does not grow with the input.

What a cart refuses is counted by reason and is no failure. A line that no cart can decide on
is malformed: it is counted with its number, the run goes on, and the exit code is 1. Malformed
is a line that is no JSON object in UTF-8 or longer than 1 MiB, lacks a field or has one of the
wrong type, an unknown op, a quantity beyond 64 bits, or a user that is empty or longer than
1024 bytes.

A command that could not be taken (overload, a store that recovers) is sent again, for up to a
minute; then the run stops. A command whose outcome is unknown is sent again only under a key.
Without one it is reported as failed, and so is a command that cannot run. Both make the exit
code 1.

With --keys a line's key is made of the whole input's content and the line's number. So the same
file can be run again, also after a kill in the middle: each line takes effect once and reports
its first outcome. Standard input and pipes cannot be read twice: give them --keys-name, with a
name that no other input has. Keys are remembered for ten years.";

fn user(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a user needs a name".to_owned());
    }
    bounded(text, USER_BYTES_MAX)
}

fn keys_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it must not be empty".to_owned());
    }
    bounded(text, KEYS_NAME_BYTES_MAX)
}

fn bounded(text: &str, bytes_max: usize) -> Result<String, String> {
    if text.len() > bytes_max {
        let bytes = text.len();
        return Err(format!(
            "it has {bytes} bytes, at most {bytes_max} are possible"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_negative_quantity_is_a_quantity() {
        let cli = Cli::try_parse_from(["shopping-cart", "add", "u", "p", "n", "-3"]).unwrap();
        assert!(matches!(
            cli.command,
            Some(Command::OnCart(OnCart::Add { quantity: -3, .. }))
        ));
    }

    #[test]
    fn a_user_has_1_to_1024_bytes() {
        assert!(user("").is_err());
        assert!(user("a").is_ok());
        assert!(user(&"a".repeat(USER_BYTES_MAX)).is_ok());
        assert!(user(&"a".repeat(USER_BYTES_MAX + 1)).is_err());
    }
}
