//! The ship's stores: a small generic table of what is left, asked by name and summed up.
//!
//! One defect sits deep in generic code, where many callers share the crashing frames; the other is reached
//! from two callers and must still be one finding.

use std::borrow::Borrow;

/// Rows in the order they came, looked up by key.
#[derive(Debug)]
pub struct Table<K, V> {
    rows: Vec<(K, V)>,
}

impl<K: PartialEq, V> Table<K, V> {
    /// A table without rows.
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row, or replaces the value of an existing one.
    pub fn insert(&mut self, key: K, value: V) {
        match self.rows.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.rows.push((key, value)),
        }
    }

    /// The first value whose key satisfies the query.
    pub fn select<Q: Query<K>>(&self, query: &Q) -> &V {
        query.run(self.rows.iter().map(|(key, value)| (key, value)))
    }

    /// All values, in the order they came.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|(_, value)| value)
    }
}

impl<K: PartialEq, V> Default for Table<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Chooses one row among many.
pub trait Query<K> {
    /// Runs over the rows and returns the value of the chosen one.
    fn run<'a, V: 'a>(&self, rows: impl Iterator<Item = (&'a K, &'a V)>) -> &'a V
    where
        K: 'a;
}

/// Chooses the row with exactly this key.
#[derive(Debug)]
pub struct ByName<'n, N: ?Sized>(pub &'n N);

impl<K: Borrow<N>, N: PartialEq + ?Sized> Query<K> for ByName<'_, N> {
    fn run<'a, V: 'a>(&self, mut rows: impl Iterator<Item = (&'a K, &'a V)>) -> &'a V
    where
        K: 'a,
    {
        // DEFECT unknown-store: nobody checked that the name is in the table.
        rows.find(|(key, _)| (*key).borrow() == self.0).map(|(_, value)| value).unwrap()
    }
}

/// Runs the lines of a script over an empty table: `rum=40` stores, `?rum` asks. Returns the answers.
pub fn ask(script: &str) -> Vec<String> {
    let mut stores = Stores::new();
    let mut answers = Vec::new();
    for line in script.lines() {
        match line.strip_prefix('?') {
            Some(name) => answers.push(stores.select(&ByName(name)).to_string()),
            None => store(&mut stores, line),
        }
    }
    answers
}

/// Sums up the stores in one of two forms, `s` or `x` on the first line; `None` if it is another.
pub fn account(script: &str) -> Option<String> {
    let (form, lines) = script.split_once('\n')?;
    let mut stores = Stores::new();
    lines.lines().for_each(|line| store(&mut stores, line));
    match form {
        "s" => Some(status(&stores)),
        "x" => Some(export(&stores)),
        _ => None,
    }
}

type Stores = Table<String, u32>;

fn store(stores: &mut Stores, line: &str) {
    if let Some((name, amount)) = line.split_once('=') {
        stores.insert(name.to_owned(), amount.parse().unwrap_or(0));
    }
}

fn status(stores: &Stores) -> String {
    format!("{} left on average", average(stores.values().copied()))
}

fn export(stores: &Stores) -> String {
    let rounded_down = average(stores.values().map(|amount| amount / 10 * 10));
    format!("average;{rounded_down}")
}

#[inline(never)]
fn average(amounts: impl Iterator<Item = u32>) -> u64 {
    let (count, total) =
        amounts.fold((0, 0), |(count, total), amount| (count + 1, total + u64::from(amount)));
    // DEFECT average-of-nothing: no stores, no average; reached from `status` and from `export`.
    total / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_answered_with_the_latest_amount() {
        assert_eq!(ask("rum=40\nrum=39\n?rum"), ["39"]);
    }

    #[test]
    fn averages_are_over_all_stores() {
        assert_eq!(account("s\nrum=40\nbread=25").unwrap(), "32 left on average");
        assert_eq!(account("x\nrum=40\nbread=25").unwrap(), "average;30");
    }
}
