//! Ctrl-C and its like, turned into an [`Interrupt`].

use shakedown_exec::interrupt::Interrupt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// An interrupt that SIGINT, SIGTERM and SIGHUP raise; `said` is called for each. Where the system refuses, there is still
/// the interrupt, and the signals end the program as they always do.
pub(crate) fn listen(mut said: impl FnMut(&Interrupt) + Send + 'static) -> Interrupt {
    let interrupt = Interrupt::default();
    if let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        let raised = interrupt.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                raised.raise();
                said(&raised);
            }
        });
    }
    interrupt
}
