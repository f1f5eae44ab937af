//! Chance that can be repeated.

/// Numbers that look random, and are the same for the same seed (splitmix64).
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of one client.
    pub(super) fn new(seed: u64, client: u64) -> Self {
        let mut this = Self(seed ^ client.wrapping_mul(0xd134_2543_de82_ef95));
        // Neighbours begin alike, and part after a few.
        for _ in 0..4 {
            this.next();
        }
        this
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to before `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A length up to `end`, of which short ones are as likely as long ones.
    pub(super) fn length(&mut self, end: u64) -> u64 {
        let scale = 1 << self.below(u64::from(end.ilog2()) + 1);
        self.below(scale).min(end)
    }

    /// True once in so many times.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).expect("it is an index")].clone()
    }
}
