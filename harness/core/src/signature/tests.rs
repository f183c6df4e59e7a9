//! Laws of signatures, checked on logs through one helper.

use super::*;
