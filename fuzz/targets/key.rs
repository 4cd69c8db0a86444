//! See `statefn_fuzz::key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| statefn_fuzz::key::run(data));
