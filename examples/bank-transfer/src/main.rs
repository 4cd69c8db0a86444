//! Transfers between bank accounts, and where the money is after each step.
//!
//! `cargo run -p bank-transfer` plays it in memory, with a clock that it moves by hand.

mod account;
mod ledger;
#[cfg(test)]
mod property;

use std::error::Error;
use std::fmt::Write;

use statefn::prelude::*;
use statefn::testing::VirtualClock;

use account::{Account, PATIENCE};
use ledger::{Ledger, NAMES};

#[statefn::main]
async fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", play().await?);
    Ok(())
}

/// A day at the bank, as a table.
async fn play() -> Result<String, Box<dyn Error>> {
    let clock = VirtualClock::new();
    let builder = Runtime::builder().env(clock.clone());
    let runtime = builder.only::<(Account,)>().build().await?;
    let [alice, bob, carol] = NAMES.map(|name| runtime.entity::<Account>(name));
    let mut table = format!("{:<34}", "");
    for heading in NAMES {
        write!(table, "{heading:>7}")?;
    }
    writeln!(table, "{:>11}{:>7}", "in flight", "sum")?;
    let mut line = async |what: &str| -> Result<(), Box<dyn Error>> {
        let ledger = Ledger::read(&runtime).await?;
        writeln!(table, "{what:<34}{ledger}")?;
        Ok(())
    };

    alice.deposit(100).await?;
    bob.deposit(20).await?;
    carol.freeze(true).await?;
    line("carol's account is frozen").await?;

    alice.send("rent", "bob", 30).with_key("order-1").await?;
    line("alice sends 30 to bob").await?;
    runtime.settle().await;
    line("  it arrives").await?;

    bob.send("gift", "carol", 45).with_key("order-2").await?;
    line("bob sends 45 to carol").await?;
    runtime.crash().await?;
    runtime.settle().await;
    line("  a crash; then carol refuses it").await?;
    clock.advance(PATIENCE);
    runtime.settle().await;
    line("  a minute later it is back").await?;

    // A client that has not heard the answer sends it again.
    alice.send("rent", "bob", 30).with_key("order-1").await?;
    runtime.settle().await;
    line("alice's order once more, same key").await?;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[statefn::test]
    async fn the_table_shows_money_that_moves_and_a_sum_that_does_not() {
        let expected = "                                    alice    bob  carol  in flight    sum
carol's account is frozen             100     20      0          0    120
alice sends 30 to bob                  70     20      0         30    120
  it arrives                           70     50      0          0    120
bob sends 45 to carol                  70      5      0         45    120
  a crash; then carol refuses it       70      5      0         45    120
  a minute later it is back            70     50      0          0    120
alice's order once more, same key      70     50      0          0    120
";
        let table = play().await.unwrap();
        assert_eq!(table, expected, "\n{table}");
    }
}
