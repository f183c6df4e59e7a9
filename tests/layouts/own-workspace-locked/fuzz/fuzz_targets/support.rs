//! Shared by targets; no target itself.

pub fn check(speed: knots::Speed) {
    assert_eq!(knots::parse(knots::print(speed).as_bytes()), Some(speed));
}
