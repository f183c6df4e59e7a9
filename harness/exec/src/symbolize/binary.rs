//! One binary: its debug information, its symbols, and what was already looked up.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gimli::{EndianArcSlice, RunTimeEndian, SectionId};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use shakedown_core::demangle::demangle;
use shakedown_core::frame::Frame;

/// Larger files are not read: no fuzz target is that large, and memory is bounded.
pub const BINARY_BYTES_MAX: u64 = 2 << 30;
/// A section that claims to decompress to more is not read.
const SECTION_BYTES_MAX: u64 = 4 << 30;
/// Inlined calls at one address; debug information with more is broken.
const INLINED_MAX: usize = 256;
/// Rows of the line table looked at for one function.
const ROWS_MAX: usize = 1 << 18;
/// Offsets remembered of one binary.
const CACHE_MAX: usize = 1 << 20;

type Reader = EndianArcSlice<RunTimeEndian>;

/// Why a binary gives no symbols.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SymbolizeError {
    /// It cannot be read.
    #[error("failed to read binary `{}`", path.display())]
    Read {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// It is no regular file.
    #[error("`{}` is no regular file", path.display())]
    NoFile {
        /// What was to be read.
        path: PathBuf,
    },
    /// It is too large to be read into memory.
    #[error("binary `{}` has {bytes} bytes, more than the {BINARY_BYTES_MAX} that are read", path.display())]
    TooLarge {
        /// The binary.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// It is no object file that can be read.
    #[error("`{}` is no binary with symbols", path.display())]
    Object {
        /// The file.
        path: PathBuf,
        /// Why.
        source: object::Error,
    },
    /// Its debug information is broken.
    #[error("failed to read the debug information of `{}`", path.display())]
    Debug {
        /// The binary.
        path: PathBuf,
        /// Why.
        source: gimli::Error,
    },
}

impl SymbolizeError {
    /// The file that is meant.
    pub fn path(&self) -> &Path {
        match self {
            Self::Read { path, .. }
            | Self::NoFile { path }
            | Self::TooLarge { path, .. }
            | Self::Object { path, .. }
            | Self::Debug { path, .. } => path,
        }
    }
}

/// A binary that was read.
pub(super) struct Binary {
    /// One lock for both: a lookup takes a microsecond and fills the lazily read units.
    lookup: Mutex<Lookup>,
    /// Function symbols by address, for functions without debug information.
    symbols: Vec<Symbol>,
}

struct Lookup {
    context: addr2line::Context<Reader>,
    seen: HashMap<u64, Vec<Frame>>,
}

struct Symbol {
    address: u64,
    size: u64,
    name: String,
}

impl Binary {
    pub(super) fn open(path: &Path) -> Result<Self, SymbolizeError> {
        Self::parse(path, &read(path)?)
    }

    /// Reads a binary that is in memory already; `path` is only its name.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, SymbolizeError> {
        let object_error = |source| SymbolizeError::Object { path: path.to_owned(), source };
        let file = object::File::parse(bytes).map_err(object_error)?;
        let debug_error = |source| SymbolizeError::Debug { path: path.to_owned(), source };
        let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let dwarf = gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(section(&file, id, endian)))
            .map_err(debug_error)?;
        let context = addr2line::Context::from_dwarf(dwarf).map_err(debug_error)?;
        Ok(Self { lookup: Mutex::new(Lookup { context, seen: HashMap::new() }), symbols: symbols(&file) })
    }

    /// The frames at `offset`, innermost first; none if nothing is known there.
    pub(super) fn frames(&self, module: &Path, offset: u64) -> Vec<Frame> {
        let mut lookup = self.lock();
        if let Some(frames) = lookup.seen.get(&offset) {
            return frames.clone();
        }
        let frames = self.look_up(&lookup.context, module, offset);
        if lookup.seen.len() < CACHE_MAX {
            lookup.seen.insert(offset, frames.clone());
        }
        frames
    }

    /// The frames of what `file:line` was compiled to inside the function around `offset`, innermost first.
    ///
    /// `file` may be relative: it is the end of the path that the debug information has.
    pub(super) fn frames_of_line(&self, module: &Path, offset: u64, file: &str, line: u32) -> Vec<Frame> {
        let Some(symbol) = self.symbol_at(offset).filter(|symbol| symbol.size > 0) else { return Vec::new() };
        let lookup = self.lock();
        let end = symbol.address.saturating_add(symbol.size);
        let Ok(rows) = lookup.context.find_location_range(symbol.address, end) else { return Vec::new() };
        let is_there = |place: &addr2line::Location<'_>| {
            let is_file = place
                .file
                .and_then(|path| path.strip_suffix(file))
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
            is_file && place.line == Some(line)
        };
        let row = rows.take(ROWS_MAX).find(|(_, _, place)| is_there(place));
        row.map(|(address, _, _)| self.look_up(&lookup.context, module, address)).unwrap_or_default()
    }

    fn look_up(&self, context: &addr2line::Context<Reader>, module: &Path, offset: u64) -> Vec<Frame> {
        let mut frames = debug_frames(context, offset);
        let symbol = self.symbol_at(offset);
        if frames.is_empty() {
            frames.extend(symbol.map(|symbol| Frame::of_function(demangle(&symbol.name))));
        }
        let last = frames.len().saturating_sub(1);
        for (at, frame) in frames.iter_mut().enumerate() {
            frame.inlined = at < last;
            frame.module = Some(module.display().to_string());
            frame.offset = Some(offset);
        }
        // The outermost of the frames is the function that the symbol names, with its full path.
        if let (Some(frame), Some(symbol)) = (frames.last_mut(), symbol)
            && !frame.has_qualified_name()
        {
            frame.function = Some(demangle(&symbol.name));
        }
        frames
    }

    fn symbol_at(&self, offset: u64) -> Option<&Symbol> {
        let after = self.symbols.partition_point(|symbol| symbol.address <= offset);
        let symbol = self.symbols.get(after.checked_sub(1)?)?;
        let is_inside = symbol.size == 0 || offset - symbol.address < symbol.size;
        is_inside.then_some(symbol)
    }

    fn lock(&self) -> MutexGuard<'_, Lookup> {
        // What a panicking thread could leave behind is a unit that is read again.
        self.lookup.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a regular file of bounded size: a log may name a device, a pipe or a directory as its module.
fn read(path: &Path) -> Result<Vec<u8>, SymbolizeError> {
    let read_error = |source| SymbolizeError::Read { path: path.to_owned(), source: Arc::new(source) };
    let metadata = std::fs::metadata(path).map_err(read_error)?;
    if !metadata.is_file() {
        return Err(SymbolizeError::NoFile { path: path.to_owned() });
    }
    if metadata.len() > BINARY_BYTES_MAX {
        return Err(SymbolizeError::TooLarge { path: path.to_owned(), bytes: metadata.len() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(read_error)?;
    file.take(BINARY_BYTES_MAX).read_to_end(&mut bytes).map_err(read_error)?;
    Ok(bytes)
}

/// A section's bytes, decompressed; empty if it is missing or broken, so that the others can still be used.
fn section(file: &object::File<'_>, id: SectionId, endian: RunTimeEndian) -> Reader {
    let claimed = file.section_by_name(id.name()).filter(|section| section.size() < SECTION_BYTES_MAX);
    let is_sane = |section: &object::Section<'_, '_>| {
        section.compressed_data().is_ok_and(|compressed| compressed.uncompressed_size < SECTION_BYTES_MAX)
    };
    let data =
        claimed.filter(is_sane).and_then(|section| section.uncompressed_data().ok()).unwrap_or_default();
    EndianArcSlice::new(Arc::from(data.into_owned()), endian)
}

fn symbols(file: &object::File<'_>) -> Vec<Symbol> {
    let functions = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.address() > 0);
    let named = functions.filter_map(|symbol| {
        let name = symbol.name().ok()?.to_owned();
        Some(Symbol { address: symbol.address(), size: symbol.size(), name })
    });
    let mut symbols: Vec<Symbol> = named.collect();
    symbols.sort_by(|a, b| (a.address, a.size, &a.name).cmp(&(b.address, b.size, &b.name)));
    symbols
}

fn debug_frames(context: &addr2line::Context<Reader>, offset: u64) -> Vec<Frame> {
    let mut frames = Vec::new();
    let Ok(mut iter) = context.find_frames(offset).skip_all_loads() else { return frames };
    while let Ok(Some(found)) = iter.next() {
        let mut frame = Frame::default();
        if let Some(function) = &found.function {
            frame.function = function.raw_name().ok().map(|name| demangle(&name));
        }
        if let Some(location) = &found.location {
            frame.file = location.file.map(str::to_owned);
            frame.line = location.line.filter(|line| *line > 0);
            frame.column = location.column.filter(|column| *column > 0);
        }
        frames.push(frame);
        if frames.len() >= INLINED_MAX {
            break;
        }
    }
    // A unit without functions gives one frame that says nothing.
    if frames.iter().all(|frame| frame.function.is_none() && frame.file.is_none()) {
        frames.clear();
    }
    frames
}
