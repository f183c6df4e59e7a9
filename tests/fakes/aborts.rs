//! Dies of SIGABRT.
#![forbid(unsafe_code)]

fn main() {
    std::process::abort();
}
