//! The head of a request, read line by line.

/// The head of a request that is known to be one.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) version: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Head<'a> {
    /// Takes a head apart that has an end.
    pub(super) fn parse(bytes: &'a [u8]) -> Self {
        let mut lines = bytes
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .filter(|line| !line.is_empty());
        let request = lines.next().expect("there is a request line");
        let mut words = request.split(|byte| *byte == b' ');
        let mut word = || words.next().expect("it has three words");
        Self {
            method: word(),
            target: word(),
            version: word(),
            headers: lines.map(header).collect(),
        }
    }

    /// The values of all headers of this name, which is in small letters.
    pub(super) fn values(&self, name: &str) -> Vec<&'a [u8]> {
        let of_name = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name.as_bytes()));
        of_name.map(|(_, value)| *value).collect()
    }
}

fn header(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = memchr::memchr(b':', line).expect("a header has a name");
    let value = &line[colon + 1..];
    let is_blank = |byte: &u8| b" \t".contains(byte);
    let from = value
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(value.len());
    let to = value
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(from, |at| at + 1);
    (&line[..colon], &value[from..to])
}
