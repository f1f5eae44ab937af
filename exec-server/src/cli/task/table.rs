//! Tables for people.

use std::iter::zip;

use super::super::escape::escaped;
use super::screen::Screen;
use super::text::{columns, cut};

/// What stands between two columns.
const GAP: &str = "  ";

/// A column that gives way is not made narrower than this.
const LEAST_COLUMNS: usize = 6;

/// A table: a line of names, and a line for each row.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

/// A column, and whether it gives way where the screen is too narrow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// It is shown whole.
    Whole(&'static str),
    /// It is cut.
    Cut(&'static str),
}

/// What stands in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    text: String,
    colour: Option<Colour>,
}

/// A colour of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row, with as many cells as there are columns.
    pub(super) fn push(&mut self, row: impl Into<Vec<Cell>>) {
        self.rows.push(row.into());
    }

    /// The lines, fitted to the screen.
    pub(super) fn render(&self, screen: Screen) -> String {
        let widths = self.widths(screen.columns);
        let names = self.columns.iter().map(|column| Cell::new(column.name()));
        let mut text = line(&names.collect::<Vec<_>>(), &widths, screen);
        for row in &self.rows {
            text += &line(row, &widths, screen);
        }
        text
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let width = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().map(|row| columns(&row[index].text));
            cells.max().unwrap_or(0).max(columns(column.name()))
        };
        let mut widths: Vec<usize> = self.columns.iter().enumerate().map(width).collect();
        let Some(limit) = limit else { return widths };
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > limit {
            let widest = zip(&mut widths, &self.columns)
                .filter(|(width, column)| matches!(column, Column::Cut(_)) && **width > LEAST_COLUMNS)
                .map(|(width, _)| width)
                .max();
            match widest {
                Some(width) => *width -= 1,
                None => break,
            }
        }
        widths
    }
}

impl Column {
    fn name(&self) -> &'static str {
        match self {
            Self::Whole(name) | Self::Cut(name) => name,
        }
    }
}

impl Cell {
    /// A text from anywhere: what could command the terminal is escaped.
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self {
            text: escaped(text.as_ref()),
            colour: None,
        }
    }

    /// As [`new`](Self::new), or a dash for what is not there.
    pub(super) fn or_dash(text: Option<impl AsRef<str>>) -> Self {
        text.map_or_else(|| Self::new("-"), Self::new)
    }

    /// The same, in colour where there is any.
    pub(super) fn coloured(mut self, colour: Option<Colour>) -> Self {
        self.colour = colour;
        self
    }
}

impl Colour {
    fn sequence(self) -> &'static str {
        match self {
            Self::Red => "\x1b[31m",
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
            Self::Cyan => "\x1b[36m",
        }
    }
}

fn line(cells: &[Cell], widths: &[usize], screen: Screen) -> String {
    let mut line = String::new();
    let mut padding = 0;
    for (cell, width) in zip(cells, widths) {
        // Only before what follows: no line ends with spaces.
        line.extend(std::iter::repeat_n(' ', padding));
        let text = cut(&cell.text, *width);
        padding = width - columns(&text) + GAP.len();
        match cell.colour.filter(|_| screen.has_colours) {
            Some(colour) => line.extend([colour.sequence(), &text, "\x1b[0m"]),
            None => line += &text,
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([Column::Whole("ID"), Column::Cut("TITLE"), Column::Whole("EXIT")]);
        table.push([
            Cell::new("one").coloured(Some(Colour::Green)),
            Cell::new("a title that is rather long"),
            Cell::new("0"),
        ]);
        table.push([
            Cell::new("two-two"),
            Cell::new("tab\there"),
            Cell::or_dash(None::<&str>),
        ]);
        table
    }

    #[test]
    fn without_a_width_everything_is_shown() {
        let lines = "\
ID       TITLE                        EXIT
one      a title that is rather long  0
two-two  tab\\there                    -
";
        assert_eq!(table().render(Screen::default()), lines);
    }

    #[test]
    fn a_narrow_screen_cuts_what_may_be_cut() {
        let screen = |columns| Screen {
            columns: Some(columns),
            has_colours: true,
        };
        let lines = "\
ID       TITLE       EXIT
\x1b[32mone\x1b[0m      a title t…  0
two-two  tab\\there   -
";
        assert_eq!(table().render(screen(25)), lines);
        let narrowest = table().render(screen(1));
        assert!(narrowest.contains("a tit…") && narrowest.contains("two-two"));
    }
}
