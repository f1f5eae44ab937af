//! `process/resize`

use serde::{Deserialize, Serialize};

use super::target::{Target, about_one_process};
use crate::{Empty, Method};

/// `process/resize`: a new size for a process's terminal.
#[derive(Debug)]
pub enum Resize {}

impl Method for Resize {
    const NAME: &'static str = "process/resize";
    const REPEATABLE: bool = true;
    type Params = ResizeParams;
    type Result = Empty;
}

about_one_process! {
    /// Which terminal, and how large.
    pub struct ResizeParams {
        /// The process.
        pub process: Target,
        /// The size to take.
        pub size: Size,
    }
}

/// Most rows, and most columns, of a terminal.
///
/// Programs allocate rows times columns; no screen comes near it.
pub const MAX_SIZE_CELLS: u16 = 10_000;

/// The size of a terminal in character cells, each from 1 to [`MAX_SIZE_CELLS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Size {
    rows: u16,
    cols: u16,
}

/// Rows or columns out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a terminal of {rows} x {cols} is not between 1 x 1 and {MAX_SIZE_CELLS} x {MAX_SIZE_CELLS}")]
pub struct SizeOutOfRange {
    rows: u16,
    cols: u16,
}

impl Size {
    /// The size of a terminal for which none was asked.
    pub const DEFAULT: Self = Self { rows: 24, cols: 80 };

    /// A size of so many rows and columns.
    ///
    /// # Errors
    ///
    /// [`SizeOutOfRange`] if one of them is 0 or above [`MAX_SIZE_CELLS`].
    pub fn new(rows: u16, cols: u16) -> Result<Self, SizeOutOfRange> {
        let range = 1..=MAX_SIZE_CELLS;
        if range.contains(&rows) && range.contains(&cols) {
            Ok(Self { rows, cols })
        } else {
            Err(SizeOutOfRange { rows, cols })
        }
    }

    /// Rows.
    pub const fn rows(self) -> u16 {
        self.rows
    }

    /// Columns.
    pub const fn cols(self) -> u16 {
        self.cols
    }
}

#[derive(Serialize, Deserialize)]
struct Unchecked {
    rows: u16,
    cols: u16,
}

impl TryFrom<Unchecked> for Size {
    type Error = SizeOutOfRange;

    fn try_from(size: Unchecked) -> Result<Self, SizeOutOfRange> {
        Self::new(size.rows, size.cols)
    }
}

impl From<Size> for Unchecked {
    fn from(size: Size) -> Self {
        Self {
            rows: size.rows,
            cols: size.cols,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_exact() {
        for (rows, cols, fits) in [
            (1, 1, true),
            (10_000, 10_000, true),
            (0, 80, false),
            (24, 10_001, false),
        ] {
            assert_eq!(Size::new(rows, cols).is_ok(), fits, "{rows} x {cols}");
        }
        assert!(serde_json::from_str::<Size>(r#"{"rows":65535,"cols":65535}"#).is_err());
    }
}
