//! Symbolising: module and offset become functions, files and lines, from the debug information of the binary.
//!
//! Reading order: [`Symbolizer`] (what others use), `binary` (one file's debug information). A binary is read once, its
//! debug information is shared by all threads, and an offset is looked up once. What cannot be read is reported once a
//! binary and leaves frames as they were. Nothing here trusts a binary: sizes are bounded and a broken one is an error.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shakedown_core::crash::{Crash, CrashKind, Stack, StackRole};
use shakedown_core::frame::source::{Source, source_of};
use shakedown_core::frame::{Frame, mark_in_app};

mod binary;

pub use binary::{BINARY_BYTES_MAX, SymbolizeError};

use binary::Binary;

/// Resolves raw frames. Share one by reference between threads.
#[derive(Default)]
pub struct Symbolizer {
    binaries: Mutex<HashMap<PathBuf, Loaded>>,
    /// Where a module of a log really is: logs carry paths of the machine that ran the binary.
    replacements: HashMap<PathBuf, PathBuf>,
}

type Loaded = Arc<Result<Binary, SymbolizeError>>;

impl Symbolizer {
    /// A symboliser that has read nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `path` wherever a log says `module`.
    #[must_use]
    pub fn with_module(mut self, module: impl Into<PathBuf>, path: impl Into<PathBuf>) -> Self {
        self.replacements.insert(module.into(), path.into());
        self
    }

    /// Takes `bytes` as the binary that logs call `module`, for binaries that are no files.
    #[must_use]
    pub fn with_binary(self, module: impl Into<PathBuf>, bytes: &[u8]) -> Self {
        let module = module.into();
        let binary = Binary::parse(&module, bytes);
        self.lock().insert(module, Arc::new(binary));
        self
    }

    /// The frames at `offset` of `module`, innermost first: several where calls were inlined.
    ///
    /// `offset` is what a sanitizer prints; for all but the innermost frame of a stack it already points into the call.
    pub fn frames(&self, module: &Path, offset: u64) -> Result<Vec<Frame>, SymbolizeError> {
        match self.binary(module).as_ref() {
            Ok(binary) => Ok(binary.frames(module, offset)),
            Err(error) => Err(error.clone()),
        }
    }

    /// `stack` with every raw frame resolved that can be, and `in_app` set anew.
    pub fn resolve_stack(&self, stack: &Stack) -> Stack {
        let mut frames = Vec::with_capacity(stack.frames.len() * 2);
        for frame in &stack.frames {
            match self.resolved(frame) {
                Some(resolved) => frames.extend(resolved),
                None => frames.push(frame.clone()),
            }
        }
        mark_in_app(&mut frames);
        Stack::new(stack.role, frames)
    }

    /// Resolves all stacks of `crash` in place, and draws the conclusions that names allow.
    pub fn resolve(&self, crash: &mut Crash) {
        for stack in &mut crash.stacks {
            if stack.frames.iter().any(Frame::is_raw) {
                *stack = self.resolve_stack(stack);
            }
        }
        crash.conclude();
        if crash.kind == CrashKind::Panic && self.split_merged_panic(crash).is_some() {
            crash.conclude();
        }
    }

    /// Finds the function that really panicked, where the optimiser made one call of all panics of a function: that call
    /// has no place, but the check before it still has, and the panic's header says which.
    fn split_merged_panic(&self, crash: &mut Crash) -> Option<()> {
        let location = crash.location.as_ref()?;
        let (file, line) =
            (location.file.strip_prefix("./").unwrap_or(&location.file).to_owned(), location.line?);
        if !is_app_file(&file) {
            return None;
        }
        let stack = crash
            .stacks
            .iter_mut()
            .find(|stack| stack.role == StackRole::Crash && stack.frames.iter().any(|frame| frame.in_app))?;
        let at = stack.frames.iter().position(|frame| frame.in_app)?;
        let merged = stack.frames[at].clone();
        if merged.line.is_some() && merged.file.as_deref().is_some_and(is_app_file) {
            return None;
        }
        let module = Path::new(merged.module.as_deref()?);
        let loaded = self.binary(module);
        let mut found = loaded.as_ref().as_ref().ok()?.frames_of_line(module, merged.offset?, &file, line);
        for frame in &mut found {
            frame.address = merged.address;
        }
        (!found.is_empty()).then(|| drop(stack.frames.splice(at..=at, found)))
    }

    /// Why binaries could not be read, each once, in the order of their paths.
    pub fn errors(&self) -> Vec<SymbolizeError> {
        let binaries = self.lock();
        let mut errors: Vec<SymbolizeError> =
            binaries.values().filter_map(|loaded| loaded.as_ref().as_ref().err()).cloned().collect();
        errors.sort_by(|a, b| a.path().cmp(b.path()));
        errors
    }

    fn resolved(&self, frame: &Frame) -> Option<Vec<Frame>> {
        let module = frame.module.as_deref().filter(|_| frame.is_raw())?;
        let mut frames = self.frames(Path::new(module), frame.offset?).ok()?;
        for resolved in &mut frames {
            resolved.address = frame.address;
        }
        (!frames.is_empty()).then_some(frames)
    }

    fn binary(&self, module: &Path) -> Loaded {
        let path = self.replacements.get(module).map_or(module, PathBuf::as_path);
        if let Some(loaded) = self.lock().get(path) {
            return Arc::clone(loaded);
        }
        // Loaded outside of the lock, so that other binaries stay usable; of two threads that load one, the first wins.
        let loaded = Arc::new(Binary::open(path));
        Arc::clone(self.lock().entry(path.to_owned()).or_insert(loaded))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Loaded>> {
        // A thread that panicked while inserting leaves a map that is still whole.
        self.binaries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a source file is not the standard library's.
fn is_app_file(file: &str) -> bool {
    !matches!(source_of(file), Source::RustStd { .. })
}

#[cfg(test)]
mod tests;
