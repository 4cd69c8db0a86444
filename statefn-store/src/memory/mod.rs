//! The in-memory backend: for tests, demos and state that may vanish.
