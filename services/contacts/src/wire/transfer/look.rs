//! Where the record ends with which the bytes begin.

/// A longer record is left out without being kept in memory.
pub(super) const LONGEST: usize = 1 << 20;
/// More cells than a header may have make a record unreadable, whatever they are.
pub(super) const MOST_CELLS: usize = 1_024;

const OPEN: &str = "has a quote that is not closed";
const LONG: &str = "is longer than 1 MiB, or a quote in it is not closed";
const WIDE: &str = "has more than 1,024 cells, or a quote in it is not closed";

/// How a record ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It has so many bytes, with the end of its line.
    Whole(usize),
    /// It has none. A quote that nobody closed took what follows into its cell: only the first line, of so many bytes with its end,
    /// is unreadable, for this reason, and the next record begins behind it.
    Line(usize, &'static str),
    /// Its first line is too long.
    Long,
}

/// What was seen of a record that may not be all there.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Bytes looked at.
    seen: usize,
    at: At,
    /// Bytes of the first line with its end, once a cell in quotes went on behind it.
    first_line: Option<usize>,
    cells_over: usize,
}

/// What the next byte is in.
#[derive(Debug, Default, Clone, Copy)]
enum At {
    /// The beginning of a cell.
    #[default]
    Cell,
    /// A cell without quotes, or text behind its quotes.
    Text,
    /// Quotes.
    Quotes,
    /// Behind a quote in quotes: it closes them, unless another one follows.
    Quote,
}

impl Look {
    /// Of lines. The bytes are those of the last time with more behind them; none: more must come. `ended`: no more comes.
    pub(super) fn lines(&mut self, bytes: &[u8], ended: bool) -> Option<Ending> {
        let within = &bytes[..bytes.len().min(LONGEST + 1)];
        if let Some(end) = within[self.seen..].iter().position(|byte| *byte == b'\n') {
            return Some(Ending::Whole(self.seen + end + 1));
        }
        self.seen = within.len();
        if within.len() > LONGEST {
            return Some(Ending::Long);
        }
        ended.then_some(Ending::Whole(bytes.len()))
    }

    /// Of a CSV with this between cells; the rest as for [`lines`](Self::lines). A quote closes a cell where a separator or the end of
    /// the line is behind it. Text behind it, some lines after the first, tells that it is the beginning of another cell, and that
    /// the one before was never closed; in one line it does no harm.
    pub(super) fn csv(&mut self, delimiter: u8, bytes: &[u8], ended: bool) -> Option<Ending> {
        let within = &bytes[..bytes.len().min(LONGEST + 1)];
        for (index, byte) in within.iter().enumerate().skip(self.seen) {
            let ends_line = matches!(byte, b'\r' | b'\n');
            self.at = match (self.at, *byte) {
                (At::Quotes, b'"') => At::Quote,
                (At::Quotes, _) => {
                    if ends_line {
                        self.first_line.get_or_insert(index + 1);
                    }
                    At::Quotes
                }
                _ if ends_line => return Some(self.whole(index + 1)),
                (At::Cell | At::Quote, b'"') => At::Quotes,
                (_, byte) if byte == delimiter => {
                    self.cells_over += 1;
                    At::Cell
                }
                (At::Quote, _) if self.first_line.is_some() => return self.line(OPEN),
                _ => At::Text,
            };
            if self.cells_over >= MOST_CELLS && self.first_line.is_some() {
                return self.line(WIDE);
            }
        }
        self.seen = within.len();
        if within.len() > LONGEST {
            return self.line(LONG).or(Some(Ending::Long));
        }
        match self.at {
            _ if !ended => None,
            At::Quotes => self.line(OPEN).or(Some(Ending::Line(bytes.len(), OPEN))),
            At::Cell | At::Text | At::Quote => Some(self.whole(bytes.len())),
        }
    }

    fn line(&self, why: &'static str) -> Option<Ending> {
        self.first_line.map(|first_line| Ending::Line(first_line, why))
    }

    fn whole(&self, bytes: usize) -> Ending {
        if self.cells_over < MOST_CELLS { Ending::Whole(bytes) } else { Ending::Line(bytes, WIDE) }
    }
}
