//! The guided tour: what a durable cart is, in one page that really happens.

use std::path::Path;

use statefn::SequenceNumber;
use statefn::prelude::*;

use crate::commands::Desk;
use crate::failure::Failure;
use crate::print::{self, Plain};
use crate::store;

/// Walks a fresh cart through its life, and the process through a stop and a start.
pub(crate) async fn run(data: &Path, json: bool) -> Result<(), Failure> {
    if json {
        let message = "the tour is for people; give a command with --json (see --help)";
        return Err(Failure::Usage(message.to_owned()));
    }
    let runtime = store::open(data).await?;
    let guest = first_unused(&runtime).await?;
    let tour = Tour { data, guest };
    tour.fill(&runtime).await?;
    print::lines(STOP)?;
    store::close(&runtime).await?;
    drop(runtime);
    let runtime = store::open(data).await?;
    tour.look_back(&runtime).await?;
    store::close(&runtime).await
}

struct Tour<'a> {
    data: &'a Path,
    guest: String,
}

impl Tour<'_> {
    async fn fill(&self, runtime: &Runtime) -> Result<(), Failure> {
        let guest = &self.guest;
        let desk = Desk::new(runtime, guest, false);
        let file = self.data.display().to_string();
        print::lines(format!(
            "A SHOPPING CART THAT FORGETS NOTHING\n\n\
             {guest} walks in. Their cart is an entity: a Rust struct with a name, kept in memory\n\
             while it is used, and in one file ({}) for ever. Every line below really\n\
             happens, and each one that starts with $ can be typed as it stands.\n\n\
             Put things in. The answer comes when they are on disk, not before. The third line adds to\n\
             the first: quantities add up, and the first name stays.",
            Plain(&file)
        ))?;
        self.typed("add", "p1 'Espresso cup' 5")?;
        desk.add("p1", "Espresso cup", 5).await?;
        self.typed("add", "p2 'Coffee beans' 1")?;
        desk.add("p2", "Coffee beans", 1).await?;
        self.typed("add", "p1 'Cup' 2")?;
        desk.add("p1", "Cup", 2).await?;
        print::lines(
            "\nA cart may say no. Then nothing is stored, and the error is a typed value.",
        )?;
        self.typed("add", "p3 'Saucer' 0")?;
        refused(desk.add("p3", "Saucer", 0).await)?;
        self.typed("remove", "p9")?;
        refused(desk.remove("p9").await)?;
        print::lines("\nTake something out, then look.")?;
        self.typed("remove", "p2")?;
        desk.remove("p2").await?;
        self.typed("show", "")?;
        desk.show().await
    }

    async fn look_back(&self, runtime: &Runtime) -> Result<(), Failure> {
        let desk = Desk::new(runtime, &self.guest, false);
        self.typed("show", "")?;
        desk.show().await?;
        print::lines("\nIt was rebuilt from what happened to it. That is what the file holds:")?;
        self.typed("history", "")?;
        desk.history().await?;
        print::lines("\nCheck out: a cart that is paid for refuses changes.")?;
        self.typed("checkout", "")?;
        desk.checkout().await?;
        self.typed("add", "p1 'Espresso cup' 1")?;
        refused(desk.add("p1", "Espresso cup", 1).await)?;
        print::lines(FURTHER)
    }

    /// Shows what to type for what comes next.
    fn typed(&self, command: &str, rest: &str) -> Result<(), Failure> {
        let mut words = vec!["  $ shopping-cart".to_owned()];
        if self.data != Path::new("shopping-cart.db") {
            let file = self.data.display().to_string();
            words.push(format!("--data '{}'", Plain(&file)));
        }
        words.extend([command.to_owned(), self.guest.clone()]);
        if !rest.is_empty() {
            words.push(rest.to_owned());
        }
        print::lines(words.join(" "))
    }
}

/// On the tour a refusal is what should happen, and anything else is not.
fn refused(answer: Result<(), Failure>) -> Result<(), Failure> {
    match answer {
        Err(Failure::Rejected(rejection)) => print::lines(format!("Refused: {rejection}.")),
        Ok(()) => Err(Failure::Failed(
            "the cart should have refused this".to_owned(),
        )),
        other => other,
    }
}

/// The first guest whose cart nothing has happened to: doubles up to an unused number, then halves
/// the distance to the last used one.
async fn first_unused(runtime: &Runtime) -> Result<String, Failure> {
    let (mut used, mut unused) = (0_u64, 1_u64);
    while is_used(runtime, unused).await? {
        (used, unused) = (unused, unused.saturating_mul(2));
    }
    while unused - used > 1 {
        let middle = used + (unused - used) / 2;
        if is_used(runtime, middle).await? {
            used = middle;
        } else {
            unused = middle;
        }
    }
    Ok(name(unused))
}

async fn is_used(runtime: &Runtime, number: u64) -> Result<bool, Failure> {
    let desk = Desk::new(runtime, &name(number), false);
    Ok(!desk.events(SequenceNumber::ZERO, 1).await?.is_empty())
}

fn name(number: u64) -> String {
    format!("guest-{number}")
}

const STOP: &str = "
Now the runtime stops and the file is closed. Nothing is left in memory. Open it again:";

const FURTHER: &str = "
Go on from here:
  shopping-cart replay FILE          run a file of commands, many users at once
  shopping-cart verify               check every stored byte against what it says
  shopping-cart backup FILE          copy the database while it is in use
  shopping-cart --help               all of it";
