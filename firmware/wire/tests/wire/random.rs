/// xorshift64*, by Vigna: the seed is printed by whoever asserts.
pub(crate) struct Random(u64);

impl Random {
    /// Any seed but 0.
    pub(crate) fn from_seed(seed: u64) -> Self {
        assert_ne!(seed, 0);
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % limit
    }
}
