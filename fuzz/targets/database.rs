//! See `statefn_fuzz::database`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| statefn_fuzz::database::run(data));
