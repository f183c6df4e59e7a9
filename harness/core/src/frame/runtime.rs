//! Functions of C, C++, sanitizer and engine runtimes: exact names, and prefixes from the namespaces that the
//! languages reserve for implementations (leading double underscores) or that a runtime owns by its own convention.

use super::Origin;

/// Exact names of libc and loader functions through which a crash passes without being their fault.
const LIBC: [&str; 74] = [
    "abort",
    "raise",
    "gsignal",
    "kill",
    "tgkill",
    "pthread_kill",
    "exit",
    "_exit",
    "_start",
    "start_thread",
    "clone",
    "clone3",
    "thread_start",
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "cfree",
    "memalign",
    "posix_memalign",
    "aligned_alloc",
    "valloc",
    "pvalloc",
    "strdup",
    "strndup",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "memchr",
    "bcmp",
    "strlen",
    "strnlen",
    "strcpy",
    "strncpy",
    "strcat",
    "strncat",
    "strcmp",
    "strncmp",
    "strcasecmp",
    "strncasecmp",
    "strchr",
    "strrchr",
    "strstr",
    "strspn",
    "strcspn",
    "strtol",
    "strtoul",
    "atoi",
    "atol",
    "printf",
    "fprintf",
    "sprintf",
    "snprintf",
    "vsnprintf",
    "vfprintf",
    "fwrite",
    "fread",
    "fputs",
    "puts",
    "write",
    "read",
    "wcslen",
    "malloc_printerr",
    "_int_free",
    "_int_malloc",
    "sysmalloc",
    "munmap_chunk",
    "pthread_create",
    "BaseThreadInitThunk",
    "RtlUserThreadStart",
    "<signal handler called>",
    "rust_panic",
];

/// Prefixes in the implementation's reserved name space.
const RESERVED: [&str; 44] = [
    "__asan",
    "__interceptor_",
    "___interceptor_",
    "__sanitizer",
    "__msan",
    "__tsan",
    "__ubsan",
    "__lsan",
    "__hwasan",
    "__hwasan_",
    "__interception::",
    "__cxa_",
    "__cxxabiv1::",
    "__gxx_personality",
    "__libc_",
    "__GI_",
    "__pthread_",
    "__assert",
    "__run_exit_handlers",
    "__stack_chk_fail",
    "__fortify_fail",
    "__chk_fail",
    "__restore_rt",
    "__clone",
    "__sigaction",
    "__malloc",
    "__strlen",
    "__mem",
    "__str",
    "_Unwind_",
    "_IO_",
    "__rust_",
    "___rust_",
    "__rdl_",
    "__rg_",
    "rust_begin_unwind",
    "rust_eh_personality",
    "rust_oom",
    "asan_",
    "_asan_",
    "_sanitizer_",
    "__kernel_",
    "scudo::",
    "__xpg_",
];

/// Functions of libFuzzer: its namespace is `fuzzer::`, which a user may share, so the next word must be one of its own.
const LIBFUZZER: [&str; 16] = [
    "Fuzzer::",
    "FuzzerDriver",
    "RunOneTest",
    "PrintStackTrace",
    "MallocHook",
    "FreeHook",
    "TracePC",
    "SignalHandler",
    "CrashResistantMerge",
    "FuzzWithFork",
    "RunInMultipleProcesses",
    "MinimizeCrashInput",
    "CleanseCrashInput",
    "RssThread",
    "StaticCrash",
    "AlarmHandler",
];

/// How programs print, log and end after a failed check: the check is above them, in its caller.
const CHECKERS: [&str; 34] = [
    "logging::LogMessage",
    "logging::CheckError",
    "logging::CheckLogMessage",
    "logging::CheckNoreturnError",
    "logging::RawCheck",
    "logging::NotReachedError",
    "CrashTrampolineAsm",
    "base::debug::StackTrace",
    "base::debug::CollectStackTrace",
    "base::debug::BreakDebugger",
    "base::ImmediateCrash",
    "ImmediateCrash",
    "google::LogMessage",
    "absl::log_internal::",
    "V8_Fatal",
    "V8_Dcheck",
    "v8::base::OS::Abort",
    "v8::base::FatalError",
    "g_assertion_message",
    "g_log",
    "WTFCrash",
    "WTFReportBacktrace",
    "WTFReportAssertion",
    "_objc_terminate",
    "testing::internal::",
    "testing::UnitTest",
    "fuzztest::internal::",
    "__android_log_assert",
    "mozalloc_abort",
    "MOZ_Crash",
    "MOZ_ReportCrash",
    "com.code_intelligence.jazzer.",
    "java.lang.reflect.",
    "jdk.internal.reflect.",
];

/// Go's runtime: the functions of package `runtime`, and the built-in `panic`.
fn is_go_runtime(function: &str) -> bool {
    function.starts_with("runtime.") || function.starts_with("runtime/debug.") || function == "panic"
}

pub(super) fn is_engine_function(function: &str) -> bool {
    let is_libfuzzer = function
        .strip_prefix("fuzzer::")
        .map(|rest| rest.strip_prefix("(anonymous namespace)::").unwrap_or(rest))
        .is_some_and(|rest| LIBFUZZER.iter().any(|name| rest.starts_with(name)));
    is_libfuzzer || function.starts_with("_ZN6fuzzer") || function.starts_with("__sanitizer_cov_")
}

/// A name that the languages reserve for implementations.
pub(super) fn is_reserved(function: &str) -> bool {
    let name = plain_name(function);
    matches!(name.as_bytes().first(), Some(b'_' | b'r' | b'a' | b's'))
        && RESERVED.iter().any(|prefix| name.starts_with(prefix))
}

/// A function of libc, or an operator without a class: those of the runtime, or inlined ones that name no code.
pub(super) fn is_libc_function(function: &str) -> bool {
    let name = plain_name(function);
    LIBC.contains(&name) || (function.starts_with("operator") && !function.contains("::"))
}

/// C++, C and others: namespaces that belong to the implementation.
pub(super) fn origin_of_foreign_name(function: &str) -> Origin {
    // `WTF` is WebKit's own standard library.
    const OWNED: [&str; 6] = ["WTF::", "std::", "__gnu_cxx::", "__cxxabiv1::", "__sanitizer::", "__ubsan::"];
    let function = function.replace("(anonymous namespace)::", "").replace("`anonymous namespace'::", "");
    let name = plain_name(&function);
    if is_go_runtime(name) || CHECKERS.iter().any(|checker| name.starts_with(checker)) {
        return Origin::Runtime;
    }
    if OWNED.iter().any(|namespace| name.starts_with(namespace)) { Origin::Runtime } else { Origin::App }
}

/// The name without arguments and without a leading return type such as `void `.
fn plain_name(function: &str) -> &str {
    let head = function.split('(').next().unwrap_or(function);
    let head = if function.starts_with('<') { function } else { head };
    let open = head.find('<').unwrap_or(head.len());
    match head[..open].rfind(' ') {
        Some(at) if !head[..at].ends_with("operator") => &head[at + 1..],
        _ => head,
    }
}

/// Shared libraries of the system, by file name.
pub(super) fn is_system_library(module: &str) -> bool {
    const LIBRARIES: [&str; 16] = [
        "libc.so",
        "libc-2",
        "libpthread",
        "libstdc++",
        "libgcc_s",
        "ld-linux",
        "ld-2",
        "libm.so",
        "libm-2",
        "libdl",
        "libasan",
        "libubsan",
        "libtsan",
        "liblsan",
        "linux-vdso",
        "libclang_rt",
    ];
    let name = module.rsplit(['/', '\\']).next().unwrap_or(module);
    LIBRARIES.iter().any(|library| name.starts_with(library))
}
