//! The symboliser on a real binary (this test's own) and on broken ones.

use super::*;

/// Where this function is in the running test binary. `#[inline(never)]` gives it a symbol of its own.
#[inline(never)]
fn landmark() -> Frame {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let executable = std::env::current_exe().unwrap();
    let mapping = maps.lines().find(|line| line.ends_with(&executable.display().to_string())).unwrap();
    let base = u64::from_str_radix(mapping.split('-').next().unwrap(), 16).unwrap();
    let address = landmark as fn() -> Frame as usize as u64;
    Frame::of_offset(executable.display().to_string(), address - base)
}

#[test]
fn an_offset_in_this_very_test_is_resolved_to_its_function_and_file() {
    let symbolizer = Symbolizer::new();
    let stack = symbolizer.resolve_stack(&Stack::new(StackRole::Crash, vec![landmark()]));
    let frame = stack.frames.last().unwrap();
    assert_eq!(frame.function.as_deref(), Some("shakedown_exec::symbolize::tests::landmark"));
    assert!(frame.file.as_deref().is_some_and(|file| file.ends_with("symbolize/tests.rs")), "{frame:?}");
    assert!(frame.line.is_some() && frame.in_app && !frame.inlined, "{frame:?}");
    assert!(symbolizer.errors().is_empty());
}

#[test]
fn eight_threads_share_one_reading_of_a_binary() {
    let symbolizer = Symbolizer::new();
    let raw = landmark();
    let resolve =
        || symbolizer.frames(Path::new(raw.module.as_deref().unwrap()), raw.offset.unwrap()).unwrap();
    let expected = resolve();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..100).all(|_| resolve() == expected))).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn a_missing_a_broken_and_a_strange_binary_are_errors_and_leave_frames_as_they_were() {
    let folder = std::env::temp_dir().join(format!("shakedown-symbolize-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let truncated = folder.join("truncated");
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    std::fs::write(&truncated, &own[..own.len() / 3]).unwrap();
    let text = folder.join("text");
    std::fs::write(&text, "no binary").unwrap();
    let symbolizer = Symbolizer::new();
    for module in [folder.join("missing"), text, folder.clone(), PathBuf::from("/dev/zero")] {
        let raw = Frame::of_offset(module.display().to_string(), 0x1234);
        let stack = Stack::new(StackRole::Crash, vec![raw.clone()]);
        assert_eq!(symbolizer.resolve_stack(&stack).frames, [raw], "{}", module.display());
        assert!(symbolizer.frames(&module, 0x1234).is_err());
    }
    assert_eq!(symbolizer.errors().len(), 4);
    // Half of a binary may still be one; what counts is that it is read without a panic.
    let _ = symbolizer.frames(&truncated, 0x1234);
    std::fs::remove_dir_all(&folder).unwrap();
}
