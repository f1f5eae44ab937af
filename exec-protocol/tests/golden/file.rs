//! Golden files, and how values are compared with them.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use exec_protocol::{Method, Notice, parse_params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Files in `golden/` that are no method's.
const OTHER_FILES: [&str; 2] = ["envelope", "errors"];

/// Compares a method's file with values: all of its params, then all of its results.
pub(crate) fn method<M>(params: &[M::Params], results: &[M::Result]) -> &'static str
where
    M: Method<Params: Debug + PartialEq, Result: Debug + PartialEq>,
{
    let mut golden = Golden::open(M::NAME);
    golden.params(params);
    golden.compare("result", results, |text| {
        serde_json::from_str(text).map_err(|error| error.to_string())
    });
    golden.end()
}

/// Compares a notification's file with the params it may have.
pub(crate) fn notice<N>(params: &[N::Params]) -> &'static str
where
    N: Notice<Params: Debug + PartialEq>,
{
    let mut golden = Golden::open(N::NAME);
    golden.params(params);
    golden.end()
}

/// The lines of a golden file that were not compared yet.
struct Golden {
    name: &'static str,
    lines: std::iter::Peekable<std::vec::IntoIter<String>>,
}

impl Golden {
    fn open(name: &'static str) -> Self {
        Self {
            name,
            lines: lines_of(name).into_iter().peekable(),
        }
    }

    fn params<T: Debug + PartialEq + Serialize + DeserializeOwned>(&mut self, values: &[T]) {
        self.compare("params", values, |text| {
            parse_params(Some(text)).map_err(|error| error.to_string())
        });
    }

    fn compare<T: Debug + PartialEq + Serialize>(
        &mut self,
        role: &str,
        values: &[T],
        parse: impl Fn(&str) -> Result<T, String>,
    ) {
        assert!(!values.is_empty(), "{}: no {role} to compare", self.name);
        for value in values {
            let line = self
                .lines
                .next()
                .unwrap_or_else(|| panic!("{}: no line for {value:?}", self.name));
            let written = serde_json::to_string(value).unwrap();
            assert_eq!(format!("{role} {written}"), line, "{}: as we write it", self.name);
            assert_eq!(
                parse(&written).as_ref(),
                Ok(value),
                "{}: as we read {line}",
                self.name
            );
            while let Some(other) = self.lines.next_if(|line| line.starts_with("  also ")) {
                let other = other.trim_start_matches("  also ");
                assert_eq!(
                    parse(other).as_ref(),
                    Ok(value),
                    "{}: as we read {other}",
                    self.name
                );
                assert_ne!(other, written, "{}: the same line twice", self.name);
            }
        }
    }

    fn end(mut self) -> &'static str {
        assert_eq!(
            self.lines.next(),
            None,
            "{}: a line that nothing compares",
            self.name
        );
        self.name
    }
}

pub(crate) fn lines_of(name: &str) -> Vec<String> {
    let path = golden_dir().join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The methods and notifications that have a file.
pub(crate) fn golden_files() -> BTreeSet<String> {
    let dir = golden_dir();
    files_under(&dir)
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            path.strip_prefix(&dir)
                .unwrap()
                .with_extension("")
                .to_str()
                .unwrap()
                .to_owned()
        })
        .filter(|name| !OTHER_FILES.contains(&name.as_str()))
        .collect()
}

/// Every NAME that is declared in the crate, by its source: a type alone cannot be asked which
/// others there are.
pub(crate) fn names_in_source() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let implementations =
            text.matches("impl Method for ").count() + text.matches("impl Notice for ").count();
        let declared: Vec<_> = text
            .split("const NAME: &'static str = \"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            declared.len(),
            implementations,
            "a NAME of {} is not a literal",
            path.display()
        );
        names.extend(declared);
    }
    names
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else {
            files.push(path);
        }
    }
    files
}
