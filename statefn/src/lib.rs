//! statefn
