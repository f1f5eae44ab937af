//! The command line of a server, as it is given in one argument.

use std::ffi::OsString;
use std::process::Command;
use std::str::FromStr;

/// What stands for the address in a command line.
const LISTEN: &str = "{listen}";

/// A program, its arguments and its extra variables, split as a shell would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine {
    variables: Vec<(String, String)>,
    program: String,
    arguments: Vec<String>,
}

/// Why a command line is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum CommandLineError {
    /// There is no program in it.
    #[error("no program in the command line")]
    Empty,
    /// A quote has no end.
    #[error("a {0} without its other half")]
    OpenQuote(char),
}

/// A server under test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerSpec {
    /// Its name in the tables.
    pub(crate) name: String,
    /// How it is started.
    pub(crate) command: CommandLine,
}

/// Why an argument does not describe a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerSpecError {
    /// There is no `NAME=` in front.
    #[error("expected NAME=COMMAND")]
    NoName,
    /// What follows is no command.
    #[error("{0}")]
    Command(#[from] CommandLineError),
}

impl CommandLine {
    /// The program without its arguments.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    /// The command, listening at `address`.
    ///
    /// # Errors
    ///
    /// None; a program that does not exist is noticed when it is spawned.
    pub(crate) fn command(&self, address: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(
            self.arguments
                .iter()
                .map(|word| OsString::from(word.replace(LISTEN, address))),
        );
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl FromStr for CommandLine {
    type Err = CommandLineError;

    fn from_str(text: &str) -> Result<Self, CommandLineError> {
        let mut words = split(text)?.into_iter().peekable();
        let mut variables = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| assignment(word)) {
            variables.push((name.to_owned(), value.to_owned()));
            words.next();
        }
        let program = words.next().ok_or(CommandLineError::Empty)?;
        Ok(Self {
            variables,
            program,
            arguments: words.collect(),
        })
    }
}

impl FromStr for ServerSpec {
    type Err = ServerSpecError;

    fn from_str(text: &str) -> Result<Self, ServerSpecError> {
        let (name, command) = text.split_once('=').ok_or(ServerSpecError::NoName)?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(ServerSpecError::NoName);
        }
        Ok(Self {
            name: name.to_owned(),
            command: command.parse()?,
        })
    }
}

/// `NAME=VALUE`, where NAME is one that a shell would take as a variable's.
fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|letter| letter == '_' || letter.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}

/// Words, with single and double quotes and backslashes; no variables, no globs.
fn split(text: &str) -> Result<Vec<String>, CommandLineError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            quote @ ('\'' | '"') => {
                let quoted = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        None => return Err(CommandLineError::OpenQuote(quote)),
                        Some(end) if end == quote => break,
                        Some('\\') if quote == '"' => quoted.extend(letters.next()),
                        Some(other) => quoted.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let words = |text| split(text).unwrap();
        assert_eq!(words(""), Vec::<String>::new());
        assert_eq!(words("  a  b "), ["a", "b"]);
        assert_eq!(
            words(r#"a'b c'd "e \" f" '' g\ h"#),
            ["ab cd", "e \" f", "", "g h"]
        );
        assert_eq!(split("a 'b"), Err(CommandLineError::OpenQuote('\'')));
        assert_eq!(split("a \"b\\\""), Err(CommandLineError::OpenQuote('"')));
    }

    #[test]
    fn variables_come_before_the_program_and_not_after_it() {
        let line: CommandLine = "A=1 B_2='x y' prog C=3 --listen {listen}".parse().unwrap();
        assert_eq!(
            line.variables,
            [("A".into(), "1".into()), ("B_2".into(), "x y".into())]
        );
        assert_eq!(line.program, "prog");
        assert_eq!(line.arguments, ["C=3", "--listen", "{listen}"]);
        assert_eq!("A=1".parse::<CommandLine>(), Err(CommandLineError::Empty));
    }

    #[test]
    fn the_address_takes_the_place_of_listen_anywhere() {
        let line: CommandLine = "prog --listen={listen}".parse().unwrap();
        let command = line.command("stdio");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["--listen=stdio"]);
    }

    #[test]
    fn a_server_has_a_name() {
        let spec: ServerSpec = "ours=A=1 prog".parse().unwrap();
        assert_eq!(spec.name, "ours");
        assert_eq!(spec.command.program, "prog");
        assert!("prog".parse::<ServerSpec>().is_err());
        assert!("=prog".parse::<ServerSpec>().is_err());
        assert!("my prog=x".parse::<ServerSpec>().is_err());
    }
}
