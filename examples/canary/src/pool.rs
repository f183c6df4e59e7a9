//! The bunks: a pool of heap cells behind raw pointers, driven by a list of [`Order`]s.
//!
//! Sound for ordinary use; `Recall` after `Leave` is not.

use std::ptr;

const BUNKS: usize = 4;

/// What the bosun orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Order {
    /// Gives a bunk to a sailor.
    Assign {
        /// Which bunk.
        bunk: u8,
        /// The sailor's number.
        sailor: u32,
    },
    /// The sailor in this bunk leaves the ship.
    Leave {
        /// Which bunk.
        bunk: u8,
    },
    /// Asks for whoever was assigned last.
    Recall,
}

/// Bunks and the sailors in them.
#[derive(Debug)]
pub struct Pool {
    bunks: [*mut u32; BUNKS],
    latest: *mut u32,
}

impl Pool {
    /// A pool with every bunk free.
    pub fn new() -> Self {
        Self { bunks: [ptr::null_mut(); BUNKS], latest: ptr::null_mut() }
    }

    /// Follows the orders and returns what each `Recall` answered.
    pub fn follow(&mut self, orders: &[Order]) -> Vec<Option<u32>> {
        let mut answers = Vec::new();
        for order in orders {
            match *order {
                Order::Assign { bunk, sailor } => self.assign(usize::from(bunk) % BUNKS, sailor),
                Order::Leave { bunk } => self.leave(usize::from(bunk) % BUNKS),
                Order::Recall => answers.push(self.recall()),
            }
        }
        answers
    }

    fn assign(&mut self, bunk: usize, sailor: u32) {
        self.leave(bunk);
        self.bunks[bunk] = Box::into_raw(Box::new(sailor));
        self.latest = self.bunks[bunk];
    }

    fn leave(&mut self, bunk: usize) {
        let sailor = std::mem::replace(&mut self.bunks[bunk], ptr::null_mut());
        if !sailor.is_null() {
            // SAFETY: made by `Box::into_raw` in `assign`, and no longer in any bunk.
            drop(unsafe { Box::from_raw(sailor) });
        }
    }

    fn recall(&self) -> Option<u32> {
        if self.latest.is_null() {
            return None;
        }
        // DEFECT recall-after-leave: `leave` freed the sailor, but `latest` still points there.
        Some(unsafe { *self.latest })
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for bunk in 0..BUNKS {
            self.leave(bunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_sailor_is_recalled() {
        let orders = [Order::Assign { bunk: 0, sailor: 7 }, Order::Recall, Order::Leave { bunk: 0 }];
        assert_eq!(Pool::new().follow(&orders), [Some(7)]);
    }
}
