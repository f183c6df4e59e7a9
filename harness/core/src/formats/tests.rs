//! Logs of real runs (`corpora/crash_log/seeds`) and short texts, checked through one helper.

use super::*;
use crate::crash::{AccessMode, CrashKind, Severity, StackRole};

macro_rules! seed {
    ($name:literal) => {
        include_bytes!(concat!("../../../../corpora/crash_log/seeds/", $name))
    };
}

/// What is expected of the first report of a log.
struct Expect<'a> {
    kind: CrashKind,
    function: &'a str,
    message: &'a str,
    n_reports: usize,
}

fn check(log: &[u8], expect: &Expect<'_>) -> Crash {
    let parsed = parse_log(log);
    let crash = parsed.first().expect("a report").clone();
    assert_eq!(crash.kind, expect.kind);
    let function = crash.significant_frames().find_map(|frame| frame.function.as_deref()).unwrap_or("-");
    assert_eq!(function, expect.function);
    let message = crash.message.as_deref().unwrap_or("-");
    assert!(message.starts_with(expect.message), "{message}");
    assert_eq!(parsed.crashes.len(), expect.n_reports);
    crash
}

fn check_kind(log: &str, kind: CrashKind) -> Crash {
    let parsed = parse_log(log.as_bytes());
    let crash = parsed.first().unwrap_or_else(|| panic!("no report in {log}")).clone();
    assert_eq!(crash.kind, kind, "{log}");
    crash
}

#[test]
fn a_panic_under_asan_is_one_crash_with_both_stacks() {
    let expect = Expect {
        kind: CrashKind::Panic,
        function: "<ledger::Account>::balance",
        message: "index out of bounds: the len is 2",
        n_reports: 1,
    };
    let crash = check(seed!("rust-index-nightly-asan.txt"), &expect);
    assert_eq!(crash.stacks.len(), 2);
    assert_eq!(crash.location.as_ref().map(ToString::to_string).as_deref(), Some("src/lib.rs:6:59"));
    assert_eq!(crash.target.as_ref().map(crate::target::TargetName::as_str), Some("entry"));
}

#[test]
fn a_panic_is_found_in_every_form_of_backtrace() {
    let message = "index out of bounds";
    let expect = |function| Expect { kind: CrashKind::Panic, function, message, n_reports: 1 };
    check(seed!("rust-index-stable-no-sanitizer.txt"), &expect("ledger::Account::balance"));
    check(seed!("rust-index-without-fuzzer.txt"), &expect("ledger::Account::balance"));
    check(seed!("rust-index-full-backtrace.txt"), &expect("ledger::Account::balance"));
    check(seed!("rust-index-no-backtrace.txt"), &expect("-"));
    let raw = check(seed!("rust-index-no-symbols.txt"), &expect("-"));
    assert!(raw.stacks.iter().flat_map(|stack| &stack.frames).filter(|frame| frame.is_raw()).count() > 10);
}

#[test]
fn a_panic_while_panicking_leaves_the_first_one_first() {
    let expect = Expect {
        kind: CrashKind::Panic,
        function: "ledger::run",
        message: "first\nof two lines",
        n_reports: 2,
    };
    check(seed!("rust-double-panic-multi-line.txt"), &expect);
}

#[test]
fn a_join_that_unwraps_another_threads_panic_comes_second() {
    let expect = Expect {
        kind: CrashKind::Panic,
        function: "ledger::run::{{closure}}",
        message: "assertion `left == right` failed",
        n_reports: 2,
    };
    check(seed!("rust-thread-panic-and-join.txt"), &expect);
}

#[test]
fn a_library_that_prints_reports_does_not_hide_the_real_one() {
    let expect = Expect {
        kind: CrashKind::Panic,
        function: "ledger::run",
        message: "internal error: entered unreachable code: state 3",
        n_reports: 1,
    };
    check(seed!("rust-noise-colours-crlf.txt"), &expect);
}

#[test]
fn sanitizer_reports_carry_access_and_the_other_stacks() {
    let message = "AddressSanitizer: heap-buffer-overflow";
    let expect =
        Expect { kind: CrashKind::HeapBufferOverflow, function: "ledger::overread", message, n_reports: 1 };
    let crash = check(seed!("asan-heap-overflow-rust.txt"), &expect);
    let access = crash.access.expect("an access");
    assert_eq!((access.mode, access.size), (AccessMode::Read, Some(1)));
    assert_eq!(crash.severity(), Severity::High);
    assert!(crash.stack(StackRole::Allocation).is_some());
    let message = "AddressSanitizer: heap-use-after-free";
    let expect =
        Expect { kind: CrashKind::HeapUseAfterFree, function: "ledger::reuse", message, n_reports: 1 };
    assert!(check(seed!("asan-use-after-free-rust.txt"), &expect).stack(StackRole::Deallocation).is_some());
}

#[test]
fn what_ends_a_fuzzing_process_is_told_apart() {
    let check =
        |log: &[u8], kind, function| check(log, &Expect { kind, function, message: "", n_reports: 1 });
    check(seed!("libfuzzer-timeout.txt"), CrashKind::Timeout, "ledger::spin");
    check(seed!("libfuzzer-exit.txt"), CrashKind::Exit, "ledger::run");
    check(seed!("libfuzzer-abort.txt"), CrashKind::Abort, "ledger::run");
    check(seed!("libfuzzer-abort-no-stack.txt"), CrashKind::DeadlySignal, "-");
    check(seed!("asan-allocation-too-big.txt"), CrashKind::OutOfMemory, "ledger::reserve");
    check(seed!("lsan-leak-rust.txt"), CrashKind::Leak, "ledger::forget");
    check(seed!("asan-null-rust.txt"), CrashKind::NullDereference, "ledger::null");
    check(seed!("rust-recursion-asan.txt"), CrashKind::StackOverflow, "ledger::group");
    check(seed!("rust-recursion-std-message.txt"), CrashKind::StackOverflow, "-");
    check(seed!("rust-capacity-overflow.txt"), CrashKind::Panic, "ledger::reserve");
}

#[test]
fn c_and_cpp_programs_are_read_under_every_tool() {
    let check = |log: &[u8], kind, function, n_reports| {
        check(log, &Expect { kind, function, message: "", n_reports })
    };
    check(
        seed!("asan-heap-overflow-cpp.txt"),
        CrashKind::HeapBufferOverflow,
        "store::Reader<int>::at(int const*, int)",
        1,
    );
    check(seed!("asan-use-after-free-cpp.txt"), CrashKind::HeapUseAfterFree, "hidden", 1);
    check(seed!("asan-null-with-ubsan.txt"), CrashKind::NullDereference, "store::null(int*)", 2);
    check(seed!("asan-stack-overflow-cut.txt"), CrashKind::StackOverflow, "store::descend(int)", 1);
    check(seed!("ubsan-signed-overflow.txt"), CrashKind::UndefinedBehavior, "-", 1);
    check(seed!("tsan-race.txt"), CrashKind::DataRace, "store::bump()", 1);
    check(seed!("glibc-assert.txt"), CrashKind::AssertionFailure, "-", 1);
    check(seed!("glibc-assert-gdb.txt"), CrashKind::AssertionFailure, "store::check", 1);
    check(seed!("glibc-double-free.txt"), CrashKind::DoubleFree, "-", 1);
    check(seed!("cpp-uncaught-gdb.txt"), CrashKind::UncaughtException, "store::thrower", 1);
    check(seed!("gdb-segv.txt"), CrashKind::Segv, "store::null", 1);
    check(
        seed!("valgrind-use-after-free.txt"),
        CrashKind::HeapUseAfterFree,
        "store::(anonymous namespace)::hidden(int*)",
        1,
    );
    check(seed!("valgrind-leak.txt"), CrashKind::Leak, "store::lost()", 1);
}

#[test]
fn exceptions_of_managed_languages_are_read() {
    let check = |log: &[u8], function, message, n_reports| {
        check(log, &Expect { kind: CrashKind::UncaughtException, function, message, n_reports })
    };
    check(seed!("python-keyerror.txt"), "find", "KeyError: 'b'", 1);
    check(seed!("python-chained.txt"), "load", "RuntimeError: no shelf: {", 2);
    check(seed!("node-type-error.txt"), "Shelf.find", "TypeError: Cannot read properties", 1);
    check(seed!("java-caused-by.txt"), "T.load", "java.lang.IllegalStateException: no shelf abc", 1);
}

#[test]
fn every_panic_header_since_1_0_is_read() {
    let old = check_kind("thread '<main>' panicked at 'oh: no', src/main.rs:2\n", CrashKind::Panic);
    assert_eq!(old.message.as_deref(), Some("oh: no"));
    let quoted =
        check_kind("thread 'main' panicked at 'two\nlines', src/main.rs:2:5\nnote: run\n", CrashKind::Panic);
    assert_eq!(quoted.message.as_deref(), Some("two\nlines"));
    assert_eq!(quoted.location.map(|location| location.to_string()).as_deref(), Some("src/main.rs:2:5"));
    let new =
        check_kind("thread 'main' panicked at src/main.rs:2:5:\ntwo\n\nlines\nnote: run\n", CrashKind::Panic);
    assert_eq!(new.message.as_deref(), Some("two\n\nlines"));
    let newest = check_kind(
        "\nthread '<unnamed>' (123) panicked at src/main.rs:2:5:\noh\nstack backtrace:\n",
        CrashKind::Panic,
    );
    assert_eq!(newest.message.as_deref(), Some("oh"));
}

#[test]
fn go_panics_and_races_are_read() {
    let log = "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n\
        example.com/shop/cart.(*Cart).Item(0xc0000a, 0x5)\n\t/home/me/shop/cart/cart.go:12 +0x1d\n\
        main.main()\n\t/home/me/shop/main.go:7 +0x2a\nexit status 2\n";
    let crash = check_kind(log, CrashKind::Panic);
    let frames = &crash.stacks[0].frames;
    assert_eq!(frames[0].function.as_deref(), Some("example.com/shop/cart.(*Cart).Item"));
    assert_eq!((frames[0].file.as_deref(), frames[0].line), (Some("/home/me/shop/cart/cart.go"), Some(12)));
    let race = "==================\nWARNING: DATA RACE\nWrite at 0x00c00001 by goroutine 7:\n  main.put()\n      /x/main.go:10 +0x2c\n\n\
        Previous read at 0x00c00001 by main goroutine:\n  main.get()\n      /x/main.go:20 +0x2c\n==================\n";
    let crash = check_kind(race, CrashKind::DataRace);
    assert_eq!(
        crash.stacks.iter().map(|stack| stack.role).collect::<Vec<_>>(),
        [StackRole::Crash, StackRole::OtherThread]
    );
    check_kind("fatal error: all goroutines are asleep - deadlock!\n", CrashKind::LockOrderInversion);
}

#[test]
fn the_other_sanitizers_headlines_are_known() {
    check_kind(
        "==1==WARNING: MemorySanitizer: use-of-uninitialized-value\n    #0 0x1 in f a.c:1\n",
        CrashKind::UseOfUninitializedValue,
    );
    check_kind(
        "==1==ERROR: HWAddressSanitizer: tag-mismatch on address 0x0045 at pc 0x1\n",
        CrashKind::TagMismatch,
    );
    check_kind(
        "==1==ERROR: AddressSanitizer: attempting double-free on 0x602 in thread T0:\n",
        CrashKind::DoubleFree,
    );
    check_kind(
        "==1==ERROR: AddressSanitizer: memcpy-param-overlap: memory ranges [0x1,0x2) and [0x1, 0x2) overlap\n",
        CrashKind::ParamOverlap,
    );
    check_kind(
        "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=1)\n",
        CrashKind::LockOrderInversion,
    );
    check_kind(
        "==1==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 1 byte(s) in 1 object(s) allocated from:\n    #0 0x1 in malloc\n",
        CrashKind::Leak,
    );
    check_kind(
        "==1== ERROR: libFuzzer: fuzz target overwrites its const input\n",
        CrashKind::OverwrittenInput,
    );
    check_kind("memory allocation of 18446744073709551615 bytes failed\nAborted\n", CrashKind::OutOfMemory);
    let high = "==1==ERROR: AddressSanitizer: SEGV on unknown address (pc 0x1 bp 0x2 sp 0x3 T0)\n==1==The signal is caused by a READ memory access.\n\
        ==1==Hint: this fault was caused by a dereference of a high value address (see below).\n";
    check_kind(high, CrashKind::Segv);
}

#[test]
fn an_ordinary_log_has_no_crash() {
    for log in [
        "",
        "\n\n",
        "INFO: Seed: 1\n#2\tINITED cov: 8\nDone 5 runs in 0 second(s)\n",
        "error: could not compile\n",
        "\u{fffd}\0\u{1b}[",
    ] {
        assert_eq!(parse_log(log.as_bytes()).crashes, [], "{log:?}");
    }
}

#[test]
fn a_log_may_end_or_break_anywhere() {
    let log: &[u8] = seed!("rust-index-nightly-asan.txt");
    for end in (0..log.len()).step_by(97) {
        let whole = parse_log(&log[..end]);
        let mut scanner = LogScanner::new();
        log[..end].chunks(13).for_each(|piece| scanner.feed(piece));
        assert_eq!(scanner.finish(), whole, "cut at {end}");
    }
    let broken: Vec<u8> =
        log.iter().enumerate().map(|(at, byte)| if at % 31 == 0 { 0xff } else { *byte }).collect();
    assert!(parse_log(&broken).n_lines > 50);
}

#[test]
fn a_hostile_log_stays_small_in_memory() {
    let mut scanner = LogScanner::new();
    scanner.feed(b"==1==ERROR: AddressSanitizer: SEGV on unknown address 0x10\n");
    for at in 0..5000 {
        scanner.feed(format!("    #{at} 0x{at:x} in f{at} a.c:1\n").as_bytes());
    }
    (0..100).for_each(|_| scanner.feed(&[b'x'; 10_000]));
    scanner.feed(b"\n");
    for _ in 0..3000 {
        scanner.feed(b"thread 'x' panicked at 'y', z.rs:1:1\nSUMMARY: x\n");
    }
    let parsed = scanner.finish();
    assert_eq!(parsed.crashes[0].stacks[0].frames.len(), 1024);
    assert_eq!(parsed.crashes.len(), 1024);
    assert!(parsed.n_dropped > 1900);
}
