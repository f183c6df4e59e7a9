//! The product with everything real: compilers, sanitizers, libFuzzer, fuzzers of other languages. Minutes, not seconds:
//! only with `--features end-to-end`, as `.ci/run` does.

mod canary;
mod layouts;
mod peers;
