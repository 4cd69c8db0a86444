//! Where all the money is.

use std::fmt;

use statefn::prelude::*;

use crate::account::Account;

/// The accounts of the bank.
pub(crate) const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Where all the money is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) cents: [u64; NAMES.len()],
    /// Has left one account and not arrived at another one.
    pub(crate) in_flight: u64,
}

impl Ledger {
    /// Asks all accounts.
    pub(crate) async fn read(runtime: &Runtime) -> Result<Self, CallError<statefn::Infallible>> {
        let account = |name: &str| runtime.entity::<Account>(name);
        let mut ledger = Self {
            cents: [0; NAMES.len()],
            in_flight: 0,
        };
        for (place, name) in ledger.cents.iter_mut().zip(NAMES) {
            *place = account(name).cents().await?;
            for (transfer, transit) in account(name).in_transit().await? {
                let receiver = account(&transit.to);
                if !receiver.has_received(name, transfer).await? {
                    ledger.in_flight += transit.cents;
                }
            }
        }
        Ok(ledger)
    }

    /// All the money there is.
    pub(crate) fn sum(&self) -> u64 {
        self.cents.iter().sum::<u64>() + self.in_flight
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for cents in self.cents {
            write!(f, "{cents:>7}")?;
        }
        write!(f, "{:>11}{:>7}", self.in_flight, self.sum())
    }
}
