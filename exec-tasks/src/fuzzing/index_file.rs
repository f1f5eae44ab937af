//! The index of a log, read by somebody who knows only how it is written.

/// An index that begins as one should.
pub(super) struct IndexFile {
    /// What the header says of the beginning: the first byte, the line feeds before it, its record, and what was dropped of
    /// each stream.
    first: [u64; 6],
    /// From the first that counts.
    pub(super) records: Vec<Record>,
}

/// One record, or what stands in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    has_mark: bool,
    length: u64,
    offset: u64,
    line_feeds: u64,
    seqs: [u64; 2],
    bytes: [u8; IndexFile::RECORD_BYTES],
}

impl IndexFile {
    pub(super) const HEADER_BYTES: usize = 256;
    pub(super) const RECORD_BYTES: usize = 64;
    const MAGIC: &[u8] = b"tasklog\x01";
    const MARK: u32 = 0x4B_4E_48_43;
    const MAX_LENGTH: u64 = 64 << 10;

    /// None if it does not begin as an index does.
    pub(super) fn parse(index: &[u8]) -> Option<Self> {
        let (header, records) = index.split_at_checked(Self::HEADER_BYTES)?;
        let fields = header.strip_prefix(Self::MAGIC)?;
        let first = std::array::from_fn(|field| u64_at(fields, 8 * field));
        let skipped = usize::try_from(first[2]).ok()?.checked_mul(Self::RECORD_BYTES)?;
        let records = records.get(skipped..).unwrap_or_default();
        let (records, _) = records.as_chunks();
        Some(Self {
            first,
            records: records.iter().map(Record::parse).collect(),
        })
    }

    /// Whether nothing was dropped.
    pub(super) fn is_from_the_beginning(&self) -> bool {
        self.first == [0; 6]
    }

    /// Where the last record ends, or what was dropped if there is none. None if one does not begin where that before it ends.
    pub(super) fn end(&self) -> Option<u64> {
        let dropped = self.first[3..]
            .iter()
            .fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        self.records.iter().try_fold(dropped, |end, record| {
            let follows = record.has_mark && record.offset == end;
            follows.then(|| end.saturating_add(record.length))
        })
    }

    /// How many records from the first on say nothing but what is so, if nothing was dropped.
    pub(super) fn whole_records(&self, raw: &[u8]) -> usize {
        let mut end = 0;
        let mut seq = 0;
        let is_whole = |record: &&Record| {
            let [first, last] = record.seqs;
            let from = usize::try_from(record.offset).ok();
            let before = from.and_then(|from| raw.get(..from));
            let is_whole = record.has_mark
                && (1..=Self::MAX_LENGTH).contains(&record.length)
                && record.offset == end
                && record.length <= (raw.len() as u64).saturating_sub(end)
                && before.is_some_and(|before| record.line_feeds == line_feeds(before))
                && (seq..=last).contains(&first);
            end = record.offset.saturating_add(record.length);
            seq = last;
            is_whole
        };
        self.records.iter().take_while(is_whole).count()
    }
}

impl Record {
    fn parse(bytes: &[u8; IndexFile::RECORD_BYTES]) -> Self {
        Self {
            has_mark: u32_at(bytes, 0) == IndexFile::MARK,
            length: [4, 8, 12].map(|at| u64::from(u32_at(bytes, at))).iter().sum(),
            offset: u64_at(bytes, 16),
            line_feeds: u64_at(bytes, 24),
            seqs: [32, 40].map(|at| u64_at(bytes, at)),
            bytes: *bytes,
        }
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes[at..].first_chunk().expect("it is within the file");
    u32::from_le_bytes(*field)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes[at..].first_chunk().expect("it is within the file");
    u64::from_le_bytes(*field)
}
