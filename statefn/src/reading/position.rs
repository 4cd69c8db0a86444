//! Positions of replies: what a later read of a view waits for.

use statefn_store::Offset;

use crate::call::Call;
use crate::call_error::CallError;
use crate::command::Operation;
use crate::system::Runtime;

impl Runtime {
    /// A position in the journal at or behind everything that this runtime has acknowledged so far,
    /// for [`ViewReader::after`](super::ViewReader::after).
    ///
    /// Only a runtime that runs projections counts; another one answers the beginning.
    pub fn position(&self) -> Offset {
        self.engine().shared().projectors.end()
    }
}

impl<O: Operation> Call<O> {
    /// Runs the call, and answers the reply with a position in the journal: a view read
    /// [`after`](super::ViewReader::after) it includes what the reply depends on.
    ///
    /// The position may be a little further than that, by what other entities had committed by then.
    /// Only a runtime that runs projections counts; another one answers the beginning.
    ///
    /// # Errors
    ///
    /// As the call itself.
    ///
    /// # Cancel safety
    ///
    /// As the call itself.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/counter.rs"));
    /// # #[view]
    /// # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    /// # struct Total { #[key] counter: String, total: i64 }
    /// # #[derive(Default)]
    /// # struct Totals;
    /// # #[projection(views = Total)]
    /// # impl Totals {
    /// #     #[event_handler]
    /// #     fn added(&self, event: &CounterEvent, from: &Envelope<Counter>, views: &mut Views<Self>) -> Result<(), ViewError> {
    /// #         let CounterEvent::Added { amount } = event;
    /// #         let total = views.get::<Total>(from.id())?.map_or(0, |row| row.total);
    /// #         views.put(&Total { counter: from.id().to_owned(), total: total + amount })
    /// #     }
    /// # }
    /// # #[statefn::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().only::<(Counter,)>().projection::<Totals>().build().await?;
    /// let visits = runtime.entity::<Counter>("visits");
    /// let (_, position) = visits.add(3).with_position().await?;
    /// let row = runtime.view::<Total>().after(position).get("visits").await?;
    /// assert_eq!(row.map(|row| row.total), Some(3));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with_position(self) -> Result<(O::Reply, Offset), CallError<O::Error>> {
        let engine = self.engine().cloned();
        let reply = self.await?;
        let position = engine.map(|engine| engine.shared().projectors.end());
        Ok((reply, position.unwrap_or_default()))
    }
}
