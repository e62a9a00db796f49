//! Sizes, colours, and the boxes around what is internal. Lengths are points: 1/72 inch.

/// A4.
pub(super) const PAGE: (f32, f32) = (595.276, 841.89);
/// Left and right of the text.
pub(super) const MARGIN: f32 = 51.0;
/// Where the text begins, and where it ends at the latest, measured from below.
pub(super) const TOP: f32 = PAGE.1 - 62.0;
pub(super) const BOTTOM: f32 = 64.0;
/// Where the line at the head of a page stands, and the one at its foot.
pub(super) const HEAD_LINE: f32 = PAGE.1 - 38.0;
pub(super) const FOOT_LINE: f32 = 36.0;
/// The width of the text.
pub(super) const MEASURE: f32 = PAGE.0 - 2.0 * MARGIN;

/// Text that people wrote.
pub(super) const BODY: f32 = 9.5;
/// Labels, times, what stands at the head and the foot.
pub(super) const SMALL: f32 = 7.5;
/// From one line to the next, for a size of one.
pub(super) const LEADING: f32 = 1.42;
/// How much further in a list, a quotation or code stands.
pub(super) const STEP: f32 = 14.0;
/// How far a box's text stands from its sides, from its bar, and from its upper and lower edge.
pub(super) const PADDING: (f32, f32) = (11.0, 5.0);
/// The bar at the left of a box.
pub(super) const BAR: f32 = 3.0;

/// How a glyph looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) slanted: bool,
    pub(super) tone: Tone,
}

impl Style {
    pub(super) const PLAIN: Self = Self { bold: false, slanted: false, tone: Tone::Ink };

    pub(super) fn bold(tone: Tone) -> Self {
        Self { bold: true, slanted: false, tone }
    }

    pub(super) fn soft() -> Self {
        Self { tone: Tone::Soft, ..Self::PLAIN }
    }
}

/// The colour of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tone {
    #[default]
    Ink,
    Soft,
    /// Of a label on a box.
    On(Frame),
}

/// Red, green and blue, each from 0 to 1.
pub(super) type Colour = [f32; 3];

impl Tone {
    pub(super) fn colour(self) -> Colour {
        match self {
            Self::Ink => [0.10, 0.11, 0.13],
            Self::Soft => [0.38, 0.40, 0.44],
            Self::On(Frame::Note) => [0.50, 0.29, 0.0],
            Self::On(Frame::InternalMessage) => [0.34, 0.18, 0.55],
            Self::On(Frame::Event) => [0.30, 0.33, 0.37],
        }
    }
}

/// The box around something internal. Each kind has its label and its colours: nobody has to tell colours apart to know that
/// a box is internal, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    Note,
    InternalMessage,
    Event,
}

impl Frame {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Note => "INTERNAL NOTE",
            Self::InternalMessage => "INTERNAL MESSAGE",
            Self::Event => "INTERNAL EVENT",
        }
    }

    pub(super) fn fill(self) -> Colour {
        match self {
            Self::Note => [1.0, 0.965, 0.87],
            Self::InternalMessage => [0.95, 0.925, 0.985],
            Self::Event => [0.945, 0.95, 0.955],
        }
    }

    pub(super) fn bar(self) -> Colour {
        match self {
            Self::Note => [0.82, 0.53, 0.02],
            Self::InternalMessage => [0.46, 0.28, 0.72],
            Self::Event => [0.55, 0.58, 0.62],
        }
    }
}

/// Thin lines, and the ground of code.
pub(super) const LINE: Colour = [0.80, 0.81, 0.83];
