//! See `statefn_fuzz::lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| statefn_fuzz::lines::run(data));
