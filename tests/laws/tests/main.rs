//! Every law on every type, and each type beside a plain model.

mod by_type;
mod limits;
mod models;
mod stored_form;
