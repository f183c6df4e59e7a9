#![no_main]

use canary::bearing::{Bearing, decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bearing: Bearing| {
    assert_eq!(decode(encode(&bearing)), Some(bearing));
});
