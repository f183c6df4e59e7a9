// A target of old, no longer in the manifest: fuzz_target!(|data: &[u8]| { knots::parse(data); });
