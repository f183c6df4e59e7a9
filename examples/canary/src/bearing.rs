//! Where a ship is and where she heads: a fixed wire form of six bytes. Sound.

/// A position and a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Bearing {
    /// Hundredths of a degree, north positive.
    pub latitude: i16,
    /// Hundredths of a degree, east positive.
    pub longitude: i16,
    /// Degrees from north, if she is under way.
    pub course: Option<Course>,
}

/// Degrees from north: below 360.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course(u16);

impl Course {
    /// Any number of degrees, brought below 360.
    pub fn new(degrees: u16) -> Self {
        Self(degrees % 360)
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Course {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self::new(u.arbitrary()?))
    }
}

/// No course: she rides at anchor.
const AT_ANCHOR: u16 = u16::MAX;

/// The wire form: latitude, longitude, course, each big-endian.
pub fn encode(bearing: &Bearing) -> [u8; 6] {
    let course = bearing.course.map_or(AT_ANCHOR, |Course(degrees)| degrees);
    let mut wire = [0; 6];
    wire[..2].copy_from_slice(&bearing.latitude.to_be_bytes());
    wire[2..4].copy_from_slice(&bearing.longitude.to_be_bytes());
    wire[4..].copy_from_slice(&course.to_be_bytes());
    wire
}

/// Reads the wire form; `None` if the course is neither below 360 nor "at anchor".
pub fn decode(wire: [u8; 6]) -> Option<Bearing> {
    let course = match u16::from_be_bytes([wire[4], wire[5]]) {
        AT_ANCHOR => None,
        degrees @ 0..360 => Some(Course(degrees)),
        360.. => return None,
    };
    Some(Bearing {
        latitude: i16::from_be_bytes([wire[0], wire[1]]),
        longitude: i16::from_be_bytes([wire[2], wire[3]]),
        course,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        let bearing = Bearing { latitude: -10, longitude: 20, course: Some(Course::new(359)) };
        assert_eq!(decode(encode(&bearing)), Some(bearing));
    }
}
