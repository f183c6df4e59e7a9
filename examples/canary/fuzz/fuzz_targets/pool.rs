#![no_main]

use canary::pool::{Order, Pool};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|orders: Vec<Order>| {
    Pool::new().follow(&orders);
});
