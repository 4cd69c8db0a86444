//! What only the inside of the runtime can show.

mod interleavings;
