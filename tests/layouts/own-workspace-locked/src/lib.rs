/// A speed through the water.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Speed {
    pub knots: u8,
    pub tenths: u8,
}

pub fn parse(text: &[u8]) -> Option<Speed> {
    let (knots, tenths) = std::str::from_utf8(text).ok()?.split_once('.')?;
    Some(Speed { knots: knots.parse().ok()?, tenths: tenths.parse().ok()? })
}

pub fn print(speed: Speed) -> String {
    format!("{}.{}", speed.knots, speed.tenths)
}
