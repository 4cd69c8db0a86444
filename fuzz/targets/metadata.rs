//! See `statefn_fuzz::metadata`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| statefn_fuzz::metadata::run(data));
