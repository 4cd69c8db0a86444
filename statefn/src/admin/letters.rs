//! Dead letters: stored calls that were given up.

use statefn_store::{CommitError, DeadLetter, OutboxNumber, StoreFailure, Tending};

use super::Admin;

impl Admin {
    /// Up to `limit` stored calls that were given up, by number, after `after`: what was to be called,
    /// who sent it, why it could not be delivered.
    ///
    /// # Errors
    ///
    /// The store cannot read.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().build().await?;
    /// use statefn::store::OutboxNumber;
    ///
    /// let admin = runtime.admin();
    /// for letter in admin.dead_letters(OutboxNumber::ZERO, 100).await? {
    ///     println!("{}: {}", letter.effect.call.target, letter.reason);
    ///     admin.retry_letter(letter.effect.number).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dead_letters(
        &self,
        after: OutboxNumber,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreFailure> {
        self.store().dead_letters(after, limit).await
    }

    /// Sends a dead letter once more, as an effect behind those that its sender has under way. `false` if
    /// there is none of this number.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]: it says whether the letter goes.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the letter may go at once, or when the runtime starts again.
    pub async fn retry_letter(&self, number: OutboxNumber) -> Result<bool, CommitError> {
        let is_there = self.tend(Tending::Retry(number)).await?;
        if is_there {
            self.engine.shared().outbox.read_again();
        }
        Ok(is_there)
    }

    /// Gives a dead letter up for good. `false` if there is none of this number.
    ///
    /// # Errors
    ///
    /// See [`CommitError`]: it says whether the letter is gone.
    pub async fn drop_letter(&self, number: OutboxNumber) -> Result<bool, CommitError> {
        self.tend(Tending::Drop(number)).await
    }

    /// Effects on their way, those whose commit is under way included.
    pub fn outbox(&self) -> usize {
        self.engine.shared().budget.outbox()
    }

    async fn tend(&self, change: Tending) -> Result<bool, CommitError> {
        let shared = self.engine.shared();
        let done = self.store().tend(shared.epoch(), vec![change]).await?;
        Ok(done.first().copied().unwrap_or_default())
    }
}
