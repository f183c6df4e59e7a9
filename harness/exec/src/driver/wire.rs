//! The protocol's bytes (`docs/driver.md`). Decoding takes any bytes and bounds what it builds; encoding is ours alone.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::crash::{EndKind, Executed, PanicLocation, RawCrash, RawFrame, RawSite};

/// A frame's size and what it is.
pub(super) const HEADER_BYTES: usize = 5;
/// The largest frame that is read: features of an execution, or an input with its crash.
pub(super) const FRAME_BYTES_MAX: usize = 80 << 20;
/// The largest input; the driver refuses more.
pub(super) const INPUT_BYTES_MAX: usize = 64 << 20;

const FRAMES_MAX: u32 = 192;
const MODULES_MAX: u32 = 64;
const TEXT_BYTES_MAX: usize = 2048;
const LOG_BYTES_MAX: usize = 64 << 10;

/// Where an input is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the serving process itself.
    Here,
    /// In a fork of it.
    Fork,
}

/// Which features of an execution are told. The numbers are the protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// None; nothing is counted either.
    None = 0,
    /// None, but their number.
    Count = 1,
    /// Those that no earlier execution of the same process had.
    New = 2,
    /// All.
    All = 3,
}

/// What we ask of the driver.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    Run { place: Place, listing: Listing, limits: RequestLimits, input: &'a [u8] },
    Minimise { place: Place, limits: RequestLimits, n_executions_max: u32, time: Duration, input: &'a [u8] },
}

/// The limits of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestLimits {
    pub(super) time: Duration,
    pub(super) memory_mb: u32,
}

/// What the driver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Hello {
        version: u32,
        catches_panics: bool,
        has_sanitizer: bool,
    },
    /// `is_last`: the process dies with it.
    Result {
        id: u32,
        executed: Executed,
        is_last: bool,
    },
    Progress {
        id: u32,
        smallest: Vec<u8>,
    },
    Minimised {
        id: u32,
        end: MinimiseEnd,
        n_executions: u32,
        time: Duration,
        site: RawSite,
        smallest: Vec<u8>,
    },
}

/// Why minimising came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinimiseEnd {
    /// No single byte can be left out.
    Smallest,
    /// The limit of executions or time.
    OutOfLimit,
    /// The input that was given ends well.
    NoCrash,
}

/// Bytes that are no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonsense;

impl Request<'_> {
    /// The frame that asks it.
    pub(super) fn encode(&self, id: u32) -> Vec<u8> {
        let (number, mut payload, input) = match *self {
            Request::Run { place, listing, limits, input } => {
                let mut payload = Vec::with_capacity(14 + input.len());
                payload.extend(id.to_le_bytes());
                payload.extend([place.number(), listing as u8]);
                limits.encode(&mut payload);
                (1, payload, input)
            }
            Request::Minimise { place, limits, n_executions_max, time, input } => {
                let mut payload = Vec::with_capacity(21 + input.len());
                payload.extend(id.to_le_bytes());
                payload.push(place.number());
                limits.encode(&mut payload);
                payload.extend(n_executions_max.to_le_bytes());
                payload.extend(milliseconds(time).to_le_bytes());
                (2, payload, input)
            }
        };
        payload.extend(input);
        let size = u32::try_from(payload.len()).expect("inputs are bounded far below this");
        let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
        frame.extend(size.to_le_bytes());
        frame.push(number);
        frame.extend(payload);
        frame
    }
}

impl Place {
    fn number(self) -> u8 {
        match self {
            Self::Here => 0,
            Self::Fork => 1,
        }
    }
}

impl RequestLimits {
    fn encode(self, payload: &mut Vec<u8>) {
        payload.extend(milliseconds(self.time).to_le_bytes());
        payload.extend(self.memory_mb.to_le_bytes());
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

/// The size of the payload that follows a header and the number of what it is.
pub(super) fn header(bytes: [u8; HEADER_BYTES]) -> Result<(usize, u8), Nonsense> {
    let [a, b, c, d, number] = bytes;
    let size = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(|_| Nonsense)?;
    if size <= FRAME_BYTES_MAX { Ok((size, number)) } else { Err(Nonsense) }
}

impl Answer {
    /// Reads a payload.
    pub(super) fn decode(number: u8, payload: &[u8]) -> Result<Self, Nonsense> {
        let mut reader = Reader(payload);
        match number {
            128 => {
                let (version, _pid) = (reader.u32()?, reader.u32()?);
                let (catches_panics, has_sanitizer) = (reader.u8()? != 0, reader.u8()? != 0);
                Ok(Self::Hello { version, catches_panics, has_sanitizer })
            }
            129 => {
                let id = reader.u32()?;
                let (executed, is_last) = executed(&mut reader)?;
                Ok(Self::Result { id, executed, is_last })
            }
            130 => {
                let (id, _n_executions) = (reader.u32()?, reader.u32()?);
                Ok(Self::Progress { id, smallest: reader.blob(INPUT_BYTES_MAX)?.to_vec() })
            }
            131 => {
                let id = reader.u32()?;
                let end = match reader.u8()? {
                    0 => MinimiseEnd::Smallest,
                    1 => MinimiseEnd::OutOfLimit,
                    2 => MinimiseEnd::NoCrash,
                    _ => return Err(Nonsense),
                };
                let n_executions = reader.u32()?;
                let time = Duration::from_nanos(reader.u64()?);
                let site = RawSite(reader.u64()?);
                let smallest = reader.blob(INPUT_BYTES_MAX)?.to_vec();
                Ok(Self::Minimised { id, end, n_executions, time, site, smallest })
            }
            _ => Err(Nonsense),
        }
    }
}

fn executed(reader: &mut Reader<'_>) -> Result<(Executed, bool), Nonsense> {
    let end = EndKind::from_number(reader.u8()?).ok_or(Nonsense)?;
    let time = Duration::from_nanos(reader.u64()?);
    let n_features = reader.u32()?;
    let carries = reader.u8()?;
    let crash = match carries {
        0 => None,
        _ => {
            let mut crash = crash(reader, end)?;
            crash.log = reader.blob(LOG_BYTES_MAX)?.to_vec();
            crash.log_bytes_dropped = reader.u64()?;
            Some(crash)
        }
    };
    if end.is_bad() != crash.is_some() || !reader.0.len().is_multiple_of(4) {
        return Err(Nonsense);
    }
    let features =
        reader.0.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
    Ok((Executed { end, time, n_features, features: features.collect(), crash }, carries == 2))
}

/// A crash without its log, as it also stands in a note.
pub(super) fn crash(reader: &mut Reader<'_>, kind: EndKind) -> Result<RawCrash, Nonsense> {
    let (signal, exit_code) = (reader.i32()?, reader.i32()?);
    let address = reader.u64()?;
    let site = RawSite(reader.u64()?);
    let (line, column) = (reader.u32()?, reader.u32()?);
    let message = reader.text()?;
    let file = reader.text()?;
    let stack = stack(reader)?;
    Ok(RawCrash {
        kind,
        signal: (signal > 0).then_some(signal),
        exit_code: (exit_code > 0).then_some(exit_code),
        address,
        site,
        message,
        location: (!file.is_empty()).then_some(PanicLocation { file, line, column }),
        stack,
        log: Vec::new(),
        log_bytes_dropped: 0,
    })
}

fn stack(reader: &mut Reader<'_>) -> Result<Vec<RawFrame>, Nonsense> {
    let mut modules: Vec<(u16, Arc<Path>)> = Vec::new();
    for _ in 0..reader.count(MODULES_MAX)? {
        let number = reader.u16()?;
        modules.push((number, Arc::from(Path::new(&reader.text()?))));
    }
    let mut stack = Vec::new();
    for _ in 0..reader.count(FRAMES_MAX)? {
        let number = reader.u16()?;
        let module = modules.iter().find(|(known, _)| *known == number).map(|(_, path)| Arc::clone(path));
        stack.push(RawFrame { module, offset: reader.u64()? });
    }
    Ok(stack)
}

/// Takes numbers and texts off the front of bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Nonsense> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Nonsense)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Nonsense> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Result<u16, Nonsense> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Nonsense> {
        self.array().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Result<i32, Nonsense> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Nonsense> {
        self.array().map(u64::from_le_bytes)
    }

    fn count(&mut self, max: u32) -> Result<u32, Nonsense> {
        self.u32().and_then(|count| if count <= max { Ok(count) } else { Err(Nonsense) })
    }

    pub(super) fn blob(&mut self, max: usize) -> Result<&'a [u8], Nonsense> {
        let size = usize::try_from(self.u32()?).map_err(|_| Nonsense)?;
        if size > max {
            return Err(Nonsense);
        }
        let (taken, rest) = self.0.split_at_checked(size).ok_or(Nonsense)?;
        self.0 = rest;
        Ok(taken)
    }

    fn text(&mut self) -> Result<String, Nonsense> {
        self.blob(TEXT_BYTES_MAX).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(features: &[u32]) -> Vec<u8> {
        let mut payload = vec![7, 0, 0, 0, 0];
        payload.extend(5_000_u64.to_le_bytes());
        payload.extend(u32::try_from(features.len()).unwrap().to_le_bytes());
        payload.push(0);
        payload.extend(features.iter().flat_map(|feature| feature.to_le_bytes()));
        payload
    }

    #[test]
    fn an_execution_comes_with_its_features() {
        let Ok(Answer::Result { id: 7, executed, is_last: false }) = Answer::decode(129, &passed(&[3, 900]))
        else {
            panic!("it should be a result");
        };
        assert_eq!(executed.end, EndKind::Passed);
        assert_eq!(executed.time, Duration::from_micros(5));
        assert_eq!(executed.features, [3, 900]);
    }

    #[test]
    fn claims_beyond_the_bounds_are_nonsense() {
        assert_eq!(header([0xff; HEADER_BYTES]), Err(Nonsense));
        assert_eq!(
            Answer::decode(129, &passed(&[1])[..18]),
            Ok(Answer::decode(129, &passed(&[1])[..18]).unwrap())
        );
        let mut unknown_end = passed(&[]);
        unknown_end[4] = 200;
        assert_eq!(Answer::decode(129, &unknown_end), Err(Nonsense));
        let mut bad_without_crash = passed(&[]);
        bad_without_crash[4] = 2;
        assert_eq!(Answer::decode(129, &bad_without_crash), Err(Nonsense));
        let mut huge_blob = vec![0; 8];
        huge_blob.extend(u32::MAX.to_le_bytes());
        assert_eq!(Answer::decode(130, &huge_blob), Err(Nonsense));
    }

    #[test]
    fn no_bytes_make_decoding_panic() {
        // A linear congruential generator: the same bytes every time, no dependency.
        let mut state = 1_u64;
        for size in 0..600 {
            let bytes: Vec<u8> = (0..size)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    u8::try_from(state >> 60).unwrap()
                })
                .collect();
            for number in 127..=132 {
                drop(Answer::decode(number, &bytes));
            }
        }
    }

    #[test]
    fn a_request_is_its_numbers_and_the_input() {
        let limits = RequestLimits { time: Duration::from_secs(2), memory_mb: 9 };
        let frame =
            Request::Run { place: Place::Fork, listing: Listing::New, limits, input: b"xy" }.encode(5);
        assert_eq!(frame, [16, 0, 0, 0, 1, 5, 0, 0, 0, 1, 2, 0xd0, 7, 0, 0, 9, 0, 0, 0, b'x', b'y']);
    }
}
