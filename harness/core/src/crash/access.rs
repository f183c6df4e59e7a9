//! The memory access at fault: read or write, how many bytes, at what sort of address.

/// A faulting access to memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// Read or write, if said.
    pub mode: AccessMode,
    /// How many bytes, if said.
    pub size: Option<u64>,
    /// The address, if said.
    pub address: Option<u64>,
}

/// Read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AccessMode {
    /// Memory was read.
    Read,
    /// Memory was written.
    Write,
    /// The log doesn't say.
    #[default]
    Unknown,
}

/// What an address looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// In the first page or just below zero: a null pointer, perhaps with a field's offset.
    Null,
    /// Not canonical on x86-64: a wild or overwritten pointer.
    NonCanonical,
    /// Somewhere else.
    Wild,
}

impl Access {
    /// What the address looks like, if one is known.
    pub fn address_class(&self) -> Option<AddressClass> {
        self.address.map(|address| match address {
            0..0x1000 | 0xffff_ffff_ffff_f000.. => AddressClass::Null,
            0x0000_8000_0000_0000..0xffff_8000_0000_0000 => AddressClass::NonCanonical,
            0x1000.. => AddressClass::Wild,
        })
    }
}

impl AccessMode {
    /// The word used in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Unknown => "unknown",
        }
    }
}

impl AddressClass {
    /// The word used in reports and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::NonCanonical => "non-canonical",
            Self::Wild => "wild",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_near_zero_are_null_from_both_sides() {
        let class = |address| Access { address: Some(address), ..Access::default() }.address_class();
        assert_eq!(class(0), Some(AddressClass::Null));
        assert_eq!(class(0xfff), Some(AddressClass::Null));
        assert_eq!(class(u64::MAX - 7), Some(AddressClass::Null));
        assert_eq!(class(0x1000), Some(AddressClass::Wild));
        assert_eq!(class(0x4141_4141_4141_4141), Some(AddressClass::NonCanonical));
        assert_eq!(Access::default().address_class(), None);
    }
}
