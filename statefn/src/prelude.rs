//! What an entity's module needs: `use statefn::prelude::*;`.
