//! Attribute and derive macros of statefn. Documented where they are used: on the re-exports in `statefn`.
