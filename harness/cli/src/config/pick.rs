//! The strongest source that says something: argument, environment, file, default.

use std::path::PathBuf;

use shakedown_core::verdict::{FailOn, Outcome};
use shakedown_exec::build::flags::Sanitizer;

use super::env::{self, Variables};
use super::{ConfigError, Setting, Source};

/// How a value is written: the variable's name, what is expected there, and who reads it.
pub(super) type Spelling<T> = (&'static str, &'static str, fn(&str) -> Option<T>);

/// Takes the strongest source that says something: argument, environment, file, default.
pub(super) struct Picker<'a> {
    pub(super) variables: &'a Variables,
}

impl Picker<'_> {
    pub(super) fn value<T>(
        &self,
        argument: (&'static str, Option<T>),
        (variable, what, parse): Spelling<T>,
        in_file: Option<&str>,
        default: T,
    ) -> Result<Setting<T>, ConfigError> {
        if let (name, Some(value)) = argument {
            return Ok(Setting { value, source: Source::Argument(name) });
        }
        let said = self.variables.text(variable).map(|text| (text, Source::Environment(variable)));
        let said = said.or_else(|| Some((in_file?.to_owned(), Source::File)));
        match said {
            None => Ok(Setting { value: default, source: Source::Default }),
            Some((text, source)) => match parse(&text) {
                Some(value) => Ok(Setting { value, source }),
                None => Err(ConfigError::Value { value: text, what, source_of: source.to_string() }),
            },
        }
    }

    pub(super) fn number(
        &self,
        argument: (&'static str, Option<usize>),
        variable: &'static str,
        in_file: Option<usize>,
        default: usize,
    ) -> Result<Setting<usize>, ConfigError> {
        let in_file = in_file.map(|number| number.to_string());
        let parse = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let setting =
            self.value(argument, (variable, "number from 1", parse), in_file.as_deref(), default.max(1))?;
        if setting.value == 0 {
            let source_of = setting.source.to_string();
            return Err(ConfigError::Value { value: "0".to_owned(), what: "number from 1", source_of });
        }
        Ok(setting)
    }

    pub(super) fn seed(
        &self,
        argument: Option<u32>,
        in_file: Option<u32>,
    ) -> Result<Setting<Option<u32>>, ConfigError> {
        let in_file = in_file.map(|number| number.to_string());
        let parse: fn(&str) -> Option<Option<u32>> = |text| text.parse().ok().map(Some);
        self.value(("--seed", argument.map(Some)), (env::SEED, "number", parse), in_file.as_deref(), None)
    }

    pub(super) fn optional(
        &self,
        (name, argument): (&'static str, Option<String>),
        variable: &'static str,
        in_file: Option<String>,
    ) -> Setting<Option<String>> {
        let said = argument.map(|value| (value, Source::Argument(name)));
        let said = said.or_else(|| Some((self.variables.text(variable)?, Source::Environment(variable))));
        let said = said.or_else(|| Some((in_file?, Source::File)));
        match said {
            Some((value, source)) => Setting { value: Some(value), source },
            None => Setting { value: None, source: Source::Default },
        }
    }

    pub(super) fn path(
        &self,
        (name, argument): (&'static str, Option<PathBuf>),
        variable: &'static str,
        default: PathBuf,
    ) -> Setting<PathBuf> {
        let said = argument.map(|value| (value, Source::Argument(name)));
        let said =
            said.or_else(|| Some((self.variables.get(variable)?.into(), Source::Environment(variable))));
        let (value, source) = said.unwrap_or((default, Source::Default));
        // Targets run in folders of their own, so every path must hold wherever it is used.
        let value = std::path::absolute(&value).unwrap_or(value);
        Setting { value, source }
    }

    pub(super) fn fail_on(
        &self,
        argument: Option<&[String]>,
        in_file: Option<&[String]>,
    ) -> Result<Setting<FailOn>, ConfigError> {
        let from_variable = self.variables.text(env::FAIL_ON);
        let listed: Option<(Vec<String>, Source)> = argument
            .map(|words| (words.to_vec(), Source::Argument("--fail-on")))
            .or_else(|| {
                let words = from_variable?.split(',').map(|word| word.trim().to_owned()).collect();
                Some((words, Source::Environment(env::FAIL_ON)))
            })
            .or_else(|| Some((in_file?.to_vec(), Source::File)));
        let Some((words, source)) = listed else {
            return Ok(Setting { value: FailOn::Own, source: Source::Default });
        };
        let outcomes = words.iter().filter(|word| !word.is_empty()).map(|word| {
            parse_outcome(word).ok_or_else(|| ConfigError::Value {
                value: word.clone(),
                what: "outcome (fail, broken, undecided)",
                source_of: source.to_string(),
            })
        });
        Ok(Setting { value: FailOn::Listed(outcomes.collect::<Result<_, _>>()?), source })
    }
}

fn parse_outcome(word: &str) -> Option<Outcome> {
    [Outcome::Fail, Outcome::Broken, Outcome::Undecided].into_iter().find(|outcome| outcome.as_str() == word)
}

pub(super) fn parse_sanitizer(word: &str) -> Result<Option<Sanitizer>, ConfigError> {
    match word {
        "auto" => Ok(None),
        "address" => Ok(Some(Sanitizer::Address)),
        "none" => Ok(Some(Sanitizer::None)),
        _ => Err(ConfigError::Value {
            value: word.to_owned(),
            what: "sanitizer (auto, address, none)",
            source_of: "--sanitizer".to_owned(),
        }),
    }
}
