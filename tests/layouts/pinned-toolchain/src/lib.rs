pub fn altitude(data: &[u8]) -> Option<u8> {
    data.first().map(|degrees| degrees % 90)
}
