//! The wish to stop, shared by everything that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How much of a hurry there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody asked to stop.
    None,
    /// Finish what is in hand, then report.
    Finish,
    /// Stop at once.
    Now,
}

/// A flag that a signal handler raises and every stage looks at. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicU8>);

impl Interrupt {
    /// Raises the urgency by one step.
    pub fn raise(&self) {
        // A third Ctrl-C and later ones mean no more than the second, so the counter stops there.
        let more = |level: u8| Some(level.saturating_add(1).min(2));
        // The closure never answers `None`, so the update cannot fail.
        let _previous = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// The urgency now.
    pub fn urgency(&self) -> Urgency {
        match self.0.load(Ordering::Relaxed) {
            0 => Urgency::None,
            1 => Urgency::Finish,
            _ => Urgency::Now,
        }
    }

    /// Whether anybody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.urgency() != Urgency::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_interrupt_means_now() {
        let interrupt = Interrupt::default();
        let seen_by_a_stage = interrupt.clone();
        assert_eq!(seen_by_a_stage.urgency(), Urgency::None);
        interrupt.raise();
        assert_eq!(seen_by_a_stage.urgency(), Urgency::Finish);
        interrupt.raise();
        interrupt.raise();
        assert_eq!(seen_by_a_stage.urgency(), Urgency::Now);
    }
}
