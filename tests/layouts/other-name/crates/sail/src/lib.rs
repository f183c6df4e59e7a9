pub fn area(data: &[u8]) -> Option<u32> {
    let [height, foot] = data else { return None };
    Some(u32::from(*height) * u32::from(*foot) / 2)
}
