//! `shakedown.toml`, as written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

/// Every key that has a meaning, with `*` for a name that the user chooses. Others are warned of.
const KNOWN_KEYS: [&str; 24] = [
    "budget.total",
    "discover.exclude",
    "fuzz.jobs",
    "fuzz.seed",
    "fuzz.sanitizer",
    "fuzz.toolchain",
    "fuzz.targets",
    "fuzz.timeout",
    "fuzz.rss_limit_mb",
    "fuzz.malloc_limit_mb",
    "fuzz.max_len",
    "policy.fail_on",
    "target.*.enabled",
    "target.*.timeout",
    "target.*.rss_limit_mb",
    "target.*.malloc_limit_mb",
    "target.*.max_len",
    "target.*.dictionary",
    "target.*.seeds",
    "target.*.regressions",
    "target.*.flags.*",
    "target.*.binary",
    "target.*.command",
    "target.*.directory",
];

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigFile {
    pub(crate) budget: BudgetSection,
    pub(crate) discover: DiscoverSection,
    pub(crate) fuzz: FuzzSection,
    pub(crate) policy: PolicySection,
    pub(crate) target: BTreeMap<String, TargetSection>,
}

/// `[budget]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct BudgetSection {
    pub(crate) total: Option<String>,
}

/// `[discover]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct DiscoverSection {
    pub(crate) exclude: Vec<PathBuf>,
}

/// `[fuzz]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct FuzzSection {
    pub(crate) jobs: Option<usize>,
    pub(crate) seed: Option<u32>,
    pub(crate) sanitizer: Option<String>,
    pub(crate) toolchain: Option<String>,
    pub(crate) targets: Option<Vec<String>>,
    #[serde(flatten)]
    pub(crate) limits: LimitKeys,
}

/// `[policy]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct PolicySection {
    pub(crate) fail_on: Option<Vec<String>>,
}

/// `[target.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct TargetSection {
    pub(crate) enabled: Option<bool>,
    #[serde(flatten)]
    pub(crate) limits: LimitKeys,
    pub(crate) dictionary: Option<PathBuf>,
    pub(crate) seeds: Vec<PathBuf>,
    pub(crate) regressions: Vec<PathBuf>,
    pub(crate) flags: BTreeMap<String, FlagValue>,
    /// A ready-made program that speaks libFuzzer's flags.
    pub(crate) binary: Option<PathBuf>,
    /// Or a command line that starts one.
    pub(crate) command: Option<Vec<String>>,
    /// Where the command is run.
    pub(crate) directory: Option<PathBuf>,
}

impl TargetSection {
    /// Whether it names a program that somebody else built.
    pub(crate) fn is_ready_made(&self) -> bool {
        self.binary.is_some() || self.command.as_ref().is_some_and(|words| !words.is_empty())
    }
}

/// The value of a flag of libFuzzer's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum FlagValue {
    Switch(bool),
    Number(i64),
    Text(String),
}

/// As libFuzzer's command line has it.
impl fmt::Display for FlagValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(is_on) => write!(f, "{}", u8::from(*is_on)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The limits of one execution, for all targets or for one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct LimitKeys {
    pub(crate) timeout: Option<String>,
    pub(crate) rss_limit_mb: Option<u64>,
    pub(crate) malloc_limit_mb: Option<u64>,
    pub(crate) max_len: Option<u64>,
}

impl ConfigFile {
    /// Reads the file's text. Returns it with a warning for each key that has no meaning.
    pub(crate) fn parse(text: &str) -> Result<(Self, Vec<String>), toml::de::Error> {
        let table: toml::Table = toml::from_str(text)?;
        let file = toml::from_str(text)?;
        let mut keys = Vec::new();
        flatten("", &table, &mut keys);
        let warnings = keys.iter().filter(|key| !is_known(key)).map(|key| warning(key)).collect();
        Ok((file, warnings))
    }
}

/// All dotted keys of a table, without those that only hold other keys.
fn flatten(prefix: &str, table: &toml::Table, keys: &mut Vec<String>) {
    for (name, value) in table {
        // A dot in a quoted name must not look like a table.
        let key = format!("{prefix}{}", name.replace('.', "\u{2024}"));
        match value.as_table() {
            Some(inner) => flatten(&format!("{key}."), inner, keys),
            None => keys.push(key),
        }
    }
}

fn is_known(key: &str) -> bool {
    KNOWN_KEYS.iter().any(|known| matches(known, key))
}

fn matches(known: &str, key: &str) -> bool {
    let (known, key): (Vec<_>, Vec<_>) = (known.split('.').collect(), key.split('.').collect());
    known.len() == key.len() && known.iter().zip(key).all(|(known, part)| *known == "*" || *known == part)
}

fn warning(key: &str) -> String {
    let shown = key.replace('\u{2024}', ".");
    // The user's own names stand where the known key has a star, so that only the rest is compared.
    let fitted = |known: &str| -> String {
        let parts = known.split('.').zip(key.split('.').chain(std::iter::repeat("")));
        parts.map(|(known, part)| if known == "*" { part } else { known }).collect::<Vec<_>>().join(".")
    };
    let nearest = super::nearest(key, KNOWN_KEYS.iter().map(|known| fitted(known)));
    match nearest {
        Some(nearest) => {
            format!("unknown key `{shown}`; did you mean `{}`?", nearest.replace('\u{2024}', "."))
        }
        None => format!("unknown key `{shown}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        ConfigFile::parse(text).unwrap().1
    }

    #[test]
    fn an_unknown_key_is_told_with_the_nearest_known_one() {
        assert_eq!(
            warnings("[fuzz]\nsanitiser = 'none'\n"),
            ["unknown key `fuzz.sanitiser`; did you mean `fuzz.sanitizer`?"]
        );
        assert_eq!(
            warnings("[target.parse]\ntimout = '2s'\n"),
            ["unknown key `target.parse.timout`; did you mean `target.parse.timeout`?"]
        );
        assert_eq!(warnings("[quux]\nzzzzzzz = 1\n"), ["unknown key `quux.zzzzzzz`"]);
    }

    #[test]
    fn every_known_key_is_read_without_a_warning() {
        let text = "
            [budget]\ntotal = '1m'
            [discover]\nexclude = ['x']
            [fuzz]\njobs = 1\nseed = 1\nsanitizer = 'none'\ntoolchain = 'nightly'\ntargets = ['*']
            timeout = '2s'\nrss_limit_mb = 1\nmalloc_limit_mb = 1\nmax_len = 1
            [policy]\nfail_on = ['fail']
            [target.'a.b']\nenabled = true\ntimeout = '2s'\nrss_limit_mb = 1\nmalloc_limit_mb = 1\nmax_len = 1
            dictionary = 'd'\nseeds = ['s']\nregressions = ['r']\nbinary = 'b'\ncommand = ['c']\ndirectory = 'd'
            flags = { len_control = 0 }";
        let (file, warnings) = ConfigFile::parse(text).unwrap();
        assert_eq!(warnings, [] as [String; 0]);
        assert_eq!(file.target["a.b"].limits.timeout.as_deref(), Some("2s"));
        assert_eq!(file.fuzz.limits.max_len, Some(1));
    }
}
