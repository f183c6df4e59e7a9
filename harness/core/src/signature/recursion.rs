//! One name for a recursion, wherever the stack ran out and whichever of its functions was on top.

use std::collections::BTreeMap;

use super::normalise::FunctionKey;

/// Longest period that is collapsed in a stack.
const PERIOD_MAX: usize = 32;
/// A function that is called this often in one stack is part of the recursion.
const CALLS_MIN: usize = 3;

/// The functions of the recursion, sorted: those that come again and again.
///
/// What stands on top (an allocator, a tokenizer) was only there when the stack ran out, and is seen once or twice.
pub fn cycle(functions: &[FunctionKey]) -> Vec<FunctionKey> {
    let mut counts: BTreeMap<&FunctionKey, usize> = BTreeMap::new();
    for function in functions {
        *counts.entry(function).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    // A short stack has no cycle to speak of; then everything in it counts.
    let least = if most >= CALLS_MIN { CALLS_MIN.max(most / 8) } else { 1 };
    counts.into_iter().filter(|(_, count)| *count >= least).map(|(function, _)| function.clone()).collect()
}

/// One key for a cycle.
///
/// Recursive descent goes through methods of one type in an order that depends on the input; so the type with the most
/// functions names it. Free functions have only their own names.
pub fn name(cycle: &[FunctionKey]) -> Option<FunctionKey> {
    let mut owners: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for function in cycle.iter().filter(|function| !function.owner.is_empty()) {
        *owners.entry((&function.place, &function.owner)).or_default() += 1;
    }
    // Ties go to the first in order, so that the same cycle always has the same name.
    let owner = owners.into_iter().rev().max_by_key(|(_, count)| *count).map(|(owner, _)| owner);
    if let Some((place, owner)) = owner {
        return Some(FunctionKey {
            place: place.to_owned(),
            owner: owner.to_owned(),
            name: "cycle".to_owned(),
        });
    }
    let names: Vec<String> = cycle.iter().map(FunctionKey::describe).collect();
    (!names.is_empty()).then(|| FunctionKey { name: names.join(" "), ..FunctionKey::default() })
}

/// The stack without repetitions of any period up to [`PERIOD_MAX`]: `a b c b c b c d` → `a b c d`.
///
/// Every function is compared at most `PERIOD_MAX` times with what is already there, so the effort stays linear.
pub fn collapsed(functions: Vec<FunctionKey>) -> Vec<FunctionKey> {
    let mut kept: Vec<FunctionKey> = Vec::with_capacity(functions.len().min(64));
    for function in functions {
        kept.push(function);
        // The shortest period that now stands twice at the end is cut once.
        let periods = 1..=PERIOD_MAX.min(kept.len() / 2);
        let repeated = periods.into_iter().find(|period| {
            let (head, tail) = kept.split_at(kept.len() - period);
            head.ends_with(tail)
        });
        if let Some(period) = repeated {
            kept.truncate(kept.len() - period);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(names: &str) -> Vec<FunctionKey> {
        let key = |name: &str| match name.split_once('.') {
            Some((owner, name)) => {
                FunctionKey { owner: owner.to_owned(), name: name.to_owned(), ..FunctionKey::default() }
            }
            None => FunctionKey { name: name.to_owned(), ..FunctionKey::default() },
        };
        names.split_whitespace().map(key).collect()
    }

    fn check_collapsed(names: &str, expect: &str) {
        assert_eq!(collapsed(functions(names)), functions(expect), "{names}");
    }

    #[test]
    fn repetitions_of_any_period_collapse() {
        check_collapsed("a b b b c", "a b c");
        check_collapsed("a b c b c b c d", "a b c d");
        check_collapsed("x a b c a b c a b c y", "x a b c y");
        check_collapsed("a b a", "a b a");
        check_collapsed("", "");
    }

    #[test]
    fn a_recursion_has_one_name_wherever_the_stack_ran_out() {
        let deep = |top: &str, cycle: &str| functions(&format!("{top} {}", cycle.repeat(20)));
        let name_of = |functions: &[FunctionKey]| name(&cycle(functions));
        let one = name_of(&deep("Token.next", "P.value P.array "));
        assert_eq!(one, name_of(&deep("alloc", "P.array P.value ")));
        assert_eq!(one, name_of(&deep("", "P.value P.table ")));
        assert_ne!(one, name_of(&deep("", "Q.value ")));
        assert_ne!(name_of(&deep("", "ping pong ")), name_of(&deep("", "deep ")));
    }
}
