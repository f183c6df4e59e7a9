pub fn is_lit(data: &[u8]) -> bool {
    data.first() == Some(&b'*')
}
