//! See `statefn_fuzz::entry`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| statefn_fuzz::entry::run(data));
