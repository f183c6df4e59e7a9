pub fn force(gusts: &[u8]) -> u32 {
    gusts.iter().map(|gust| u32::from(*gust)).sum()
}
