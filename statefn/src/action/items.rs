//! What flows into an action, or out of it, one after another.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// A stream of values: an argument or a result of an [action](macro@crate::action).
///
/// It holds no values: each is made when it is asked for, so whoever is slow slows the other side
/// down. Dropping it ends it.
///
/// ```
/// use statefn::Items;
///
/// # #[statefn::main]
/// # async fn main() {
/// let mut items = Items::of([1, 2]);
/// assert_eq!(items.next().await, Some(1));
/// assert_eq!(items.next().await, Some(2));
/// assert_eq!(items.next().await, None);
/// # }
/// ```
pub struct Items<T>(Pin<Box<dyn Stream<Item = T> + Send>>);

impl<T> Items<T> {
    /// The items of a stream.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self(Box::pin(stream))
    }

    /// The items of a list.
    pub fn of<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T, IntoIter: Send + 'static>,
    {
        Self::new(Listed(items.into_iter()))
    }

    /// Items that are made one after another, each when it is asked for, until there is none.
    ///
    /// ```
    /// use statefn::Items;
    ///
    /// # #[statefn::main]
    /// # async fn main() {
    /// let doubled = Items::unfold(Items::of([1, 2]), |mut numbers| async {
    ///     let number: i32 = numbers.next().await?;
    ///     Some((2 * number, numbers))
    /// });
    /// assert_eq!(doubled.collect().await, [2, 4]);
    /// # }
    /// ```
    pub fn unfold<S, F, N>(state: S, next: N) -> Self
    where
        S: Send + 'static,
        T: 'static,
        F: Future<Output = Option<(T, S)>> + Send + 'static,
        N: FnMut(S) -> F + Send + 'static,
    {
        Self::new(Unfolded {
            next,
            state: Some(state),
            running: None,
        })
    }

    /// The next item; `None` at the end.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, no item is lost.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|cx| self.0.as_mut().poll_next(cx)).await
    }

    /// All items that are left.
    pub async fn collect(mut self) -> Vec<T> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            all.push(item);
        }
        all
    }
}

impl<T> Stream for Items<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items(..)")
    }
}

struct Listed<I>(I);

impl<I> Unpin for Listed<I> {}

impl<I: Iterator> Stream for Listed<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

struct Unfolded<S, F, N> {
    next: N,
    /// Empty while an item is made, and at the end.
    state: Option<S>,
    running: Option<Pin<Box<F>>>,
}

impl<S, F, N> Unpin for Unfolded<S, F, N> {}

impl<T, S, F, N> Stream for Unfolded<S, F, N>
where
    F: Future<Output = Option<(T, S)>>,
    N: FnMut(S) -> F,
{
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if let Some(state) = this.state.take() {
            this.running = Some(Box::pin((this.next)(state)));
        }
        let Some(running) = &mut this.running else {
            return Poll::Ready(None);
        };
        let Poll::Ready(made) = running.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        this.running = None;
        Poll::Ready(made.map(|(item, state)| {
            this.state = Some(state);
            item
        }))
    }
}
