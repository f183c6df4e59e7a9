//! The second look: over all crashes of a project, which signatures are one defect after all?
//!
//! A signature is a function of one crash, so some links are out of its reach: a corruption that shows as a panic three
//! calls later, a recursion entered on two sides, a function that one tool names with its type and another without. Such
//! links are proposed here as aliases with a reason. They change no hash; a team can refuse each in its overrides file.

use std::collections::{BTreeMap, HashMap};

use super::Signature;
use super::evidence::Evidence;
use super::normalise::FunctionKey;
use crate::crash::KindClass;

/// Two signatures that are one defect, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The signature that becomes an alias.
    pub from: Signature,
    /// The signature that stays: the one of the two that came first in the given order.
    pub into: Signature,
    /// Why.
    pub reason: MergeReason,
}

/// Why two signatures are one defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MergeReason {
    /// Same words at the same line and column of the same file.
    SamePlace,
    /// Same function, once named with its type or file and once without.
    SameFunction,
    /// Two recursions through one function.
    SharedCycle,
    /// An invariant broke below the function that is known to corrupt memory.
    BelowCorruption,
    /// Two memory errors on one path: one's site is a caller in the other's stack.
    SameCorruption,
    /// Two timeouts in one target below one function.
    SameLoop,
    /// A size, width or count is zero in two functions of one file.
    SameZero,
}

impl MergeReason {
    /// The reason as a sentence for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SamePlace => "same words at the same place in the source",
            Self::SameFunction => "same function, named with and without its type or file",
            Self::SharedCycle => "two recursions through the same function",
            Self::BelowCorruption => "an invariant broke below a function that is known to corrupt memory",
            Self::SameCorruption => "two memory errors on the same path",
            Self::SameZero => "one value that must not be zero, used in several functions of one file",
            Self::SameLoop => "two timeouts below the same function",
        }
    }
}

/// What is looked at: the first crash of each signature would lose links, so every crash is given.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The crash's signature.
    pub signature: Signature,
    /// Its evidence.
    pub evidence: Evidence,
}

/// Proposes merges. The order of `sightings` decides only which of two signatures keeps its name.
pub fn group(sightings: &[Sighting]) -> Vec<Merge> {
    proposals(Union::new(sightings, None), sightings)
}

/// Like [`group`], but never puts two signatures together that `refuses`, not even through a third.
pub fn group_unless(sightings: &[Sighting], refuses: Refuses<'_>) -> Vec<Merge> {
    proposals(Union::new(sightings, Some(refuses)), sightings)
}

fn proposals(mut union: Union<'_>, sightings: &[Sighting]) -> Vec<Merge> {
    link_same_place(sightings, &mut union);
    link_same_function(sightings, &mut union);
    link_shared_cycles(sightings, &mut union);
    link_corruption(sightings, &mut union);
    link_timeouts(sightings, &mut union);
    link_zeros(sightings, &mut union);
    union.merges
}

/// The signature that stands for each after merging.
pub fn canonical(merges: &[Merge]) -> BTreeMap<Signature, Signature> {
    let direct: BTreeMap<&Signature, &Signature> =
        merges.iter().map(|merge| (&merge.from, &merge.into)).collect();
    let resolve = |signature: &Signature| {
        let mut current = signature;
        // Each step goes to an earlier signature, so there are no cycles; the bound holds for merges from a file.
        for _ in 0..=direct.len() {
            match direct.get(current) {
                Some(next) => current = next,
                None => break,
            }
        }
        current.clone()
    };
    direct.keys().map(|from| ((*from).clone(), resolve(from))).collect()
}

fn link_same_place(sightings: &[Sighting], union: &mut Union<'_>) {
    let mut seen = HashMap::new();
    for (at, sighting) in sightings.iter().enumerate() {
        let evidence = &sighting.evidence;
        let Some(location) = evidence
            .location
            .as_ref()
            .filter(|location| location.line.is_some() && location.column.is_some())
        else {
            continue;
        };
        let key =
            (location.file.as_str(), location.line, location.column, evidence.words.as_str(), evidence.class);
        union.link(*seen.entry(key).or_insert(at), at, MergeReason::SamePlace);
    }
}

fn link_same_function(sightings: &[Sighting], union: &mut Union<'_>) {
    // Per name, class and words: the sites seen, and where.
    let mut sites: BTreeMap<_, BTreeMap<&FunctionKey, usize>> = BTreeMap::new();
    for (at, sighting) in sightings.iter().enumerate() {
        let Evidence { class, site, words, .. } = &sighting.evidence;
        sites.entry((&site.name, class, words)).or_default().entry(site).or_insert(at);
    }
    // With a third one of the name there is no telling which two belong together.
    for seen in sites.values().filter(|seen| seen.len() == 2) {
        let mut both = seen.iter();
        if let (Some((one, at)), Some((other, other_at))) = (both.next(), both.next())
            && may_be_one(one, other)
        {
            union.link(*at, *other_at, MergeReason::SameFunction);
        }
    }
}

/// Whether two spellings differ only in what one of them doesn't know: its type, or its file.
fn may_be_one(one: &FunctionKey, other: &FunctionKey) -> bool {
    let knows_file = |site: &FunctionKey| site.place.contains('/');
    let same_owner = one.owner == other.owner || one.owner.is_empty() || other.owner.is_empty();
    let same_place = one.place == other.place || knows_file(one) != knows_file(other);
    same_owner && same_place && !one.name.is_empty()
}

fn link_shared_cycles(sightings: &[Sighting], union: &mut Union<'_>) {
    let mut seen: HashMap<&FunctionKey, usize> = HashMap::new();
    for (at, sighting) in sightings.iter().enumerate() {
        for function in &sighting.evidence.cycle {
            union.link(*seen.entry(function).or_insert(at), at, MergeReason::SharedCycle);
        }
    }
}

/// How many callers above the site are looked at for the function that corrupts memory.
const CALLERS: usize = 6;

fn link_corruption(sightings: &[Sighting], union: &mut Union<'_>) {
    let mut corruptors: HashMap<(&Option<String>, &FunctionKey), usize> = HashMap::new();
    for (at, Sighting { evidence, .. }) in sightings.iter().enumerate() {
        if evidence.class == KindClass::Memory {
            corruptors.entry((&evidence.target, &evidence.site)).or_insert(at);
        }
    }
    for (at, Sighting { evidence, .. }) in sightings.iter().enumerate() {
        let reason = match evidence.class {
            KindClass::Memory => MergeReason::SameCorruption,
            KindClass::Check if evidence.is_invariant => MergeReason::BelowCorruption,
            KindClass::Check
            | KindClass::Race
            | KindClass::Recursion
            | KindClass::Allocation
            | KindClass::Timeout
            | KindClass::Leak
            | KindClass::Exit => continue,
        };
        // Only callers in the crate of the site: every defect of a library lies below its entry functions.
        let own = |function: &&FunctionKey| crate_of(function) == crate_of(&evidence.site);
        let callers = evidence.functions.iter().take(CALLERS).filter(own);
        let corruptor = callers
            .filter(|caller| **caller != evidence.site)
            .find_map(|caller| corruptors.get(&(&evidence.target, caller)));
        if let Some(corruptor) = corruptor {
            union.link(*corruptor, at, reason);
        }
    }
}

fn crate_of(function: &FunctionKey) -> &str {
    function.place.split(':').next().unwrap_or_default()
}

fn link_timeouts(sightings: &[Sighting], union: &mut Union<'_>) {
    let mut seen = HashMap::new();
    for (at, Sighting { evidence, .. }) in sightings.iter().enumerate() {
        if evidence.class == KindClass::Timeout
            && let Some(outermost) = evidence.functions.last()
        {
            union.link(*seen.entry((&evidence.target, outermost)).or_insert(at), at, MergeReason::SameLoop);
        }
    }
}

/// A decoder that lets a zero through divides by it here and makes chunks of it there; the check that lacks is one.
fn link_zeros(sightings: &[Sighting], union: &mut Union<'_>) {
    let mut seen = HashMap::new();
    for (at, Sighting { evidence, .. }) in sightings.iter().enumerate() {
        let is_zero = evidence.words == "divide-by-zero" || evidence.words.ends_with("must be non-zero");
        if evidence.class == KindClass::Check && is_zero && !evidence.site.place.is_empty() {
            union.link(
                *seen.entry((&evidence.target, &evidence.site.place)).or_insert(at),
                at,
                MergeReason::SameZero,
            );
        }
    }
}

/// Says of two signatures that they must stay apart.
pub type Refuses<'a> = &'a dyn Fn(&Signature, &Signature) -> bool;

/// Union-find over signatures, which remembers why.
struct Union<'a> {
    signatures: Vec<Signature>,
    group_of: Vec<usize>,
    parents: Vec<usize>,
    members: Vec<Vec<usize>>,
    refuses: Option<Refuses<'a>>,
    merges: Vec<Merge>,
}

impl<'a> Union<'a> {
    fn new(sightings: &[Sighting], refuses: Option<Refuses<'a>>) -> Self {
        let mut numbers: HashMap<&Signature, usize> = HashMap::new();
        let mut signatures = Vec::new();
        let mut group_of = Vec::with_capacity(sightings.len());
        for sighting in sightings {
            let number = *numbers.entry(&sighting.signature).or_insert_with(|| {
                signatures.push(sighting.signature.clone());
                signatures.len() - 1
            });
            group_of.push(number);
        }
        let parents = (0..signatures.len()).collect();
        let members = (0..signatures.len()).map(|number| vec![number]).collect();
        Self { signatures, group_of, parents, members, refuses, merges: Vec::new() }
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn link(&mut self, a: usize, b: usize, reason: MergeReason) {
        let (a, b) = (self.root(self.group_of[a]), self.root(self.group_of[b]));
        if a == b || self.is_refused(a, b) {
            return;
        }
        let (into, from) = (a.min(b), a.max(b));
        self.parents[from] = into;
        let moved = std::mem::take(&mut self.members[from]);
        self.members[into].extend(moved);
        self.merges.push(Merge {
            from: self.signatures[from].clone(),
            into: self.signatures[into].clone(),
            reason,
        });
    }

    fn is_refused(&self, a: usize, b: usize) -> bool {
        let Some(refuses) = self.refuses else { return false };
        let all = |number: usize| self.members[number].iter().map(|member| &self.signatures[*member]);
        all(a).any(|one| all(b).any(|other| refuses(one, other)))
    }
}
