//! A picture of times: lanes of bars and marks over one time axis, laid out so that no label touches another.
//!
//! [`Picture`] says what is to be seen, [`Picture::draw`] where it stands. Lengths are pixels of the view box, in whole numbers, so
//! that the same story gives the same picture everywhere.

mod lanes;
mod letters;
mod placing;
mod scale;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use self::scale::Scale;

/// Width of the view box.
pub(super) const WIDTH: i64 = 1040;
/// The column of lane names.
const NAMES_WIDTH: i64 = 150;
/// Where the lanes begin, under the axis.
const LANES_TOP: i64 = 48;
const SEAM: &str = "seam";
/// What is to be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) title: String,
    /// The same in words, for those who do not see it.
    pub(super) description: String,
    pub(super) lanes: Vec<Lane>,
}
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) spans: Vec<Span>,
    pub(super) marks: Vec<Mark>,
}
/// Something that lasts, in a lane where one follows the other.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    /// `None`: it lasts.
    pub(super) to: Option<Timestamp>,
    pub(super) label: String,
    pub(super) tone: Tone,
    pub(super) href: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// What the page is about.
    Ours,
    /// The same, in an environment before the last.
    OursBefore,
    /// Something else.
    Other,
}
impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OursBefore => "before",
            Self::Other => "other",
        }
    }
}
/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    /// Where it lasts: until when.
    pub(super) until: Option<Timestamp>,
    pub(super) shape: Shape,
    pub(super) label: String,
    /// Those with the smallest rank are placed first, the last ones are counted where they do not fit.
    pub(super) rank: u8,
    pub(super) href: Option<String>,
    /// Whether a faint line through all lanes shows where it stands.
    pub(super) guide: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A dot: said.
    Said,
    /// An open square: asked.
    Asked,
    /// A tick: agreed.
    Agreed,
    /// A cross: refused or failed.
    Against,
    /// A triangle: an alert or incident.
    Alarm,
    /// A diamond: a rule was overridden.
    Override,
}
impl Shape {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Said | Self::Asked => "blue",
            Self::Agreed => "good",
            Self::Against | Self::Alarm => "bad",
            Self::Override => "warn",
        }
    }
    /// The path of an SVG element around (0, 0).
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Said => "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
            Self::Asked => "M-6-6h12v12h-12z",
            Self::Agreed | Self::Against => "M-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0z",
            Self::Alarm => "M-8 7l8-15 8 15z",
            Self::Override => "M0-8l8 8-8 8-8-8z",
        }
    }
    /// The sign on top of the path, drawn in the colour of the card.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Said | Self::Asked => "",
            Self::Agreed => "M-4 0l3 3 5-6",
            Self::Against => "M-3-3l6 6m0-6l-6 6",
            Self::Alarm => "M0-3v5m0 2v1",
            Self::Override => "M0-4v5m0 2v1",
        }
    }
    pub(super) fn hollow(self) -> bool {
        self == Self::Asked
    }
}

/// Where everything stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawing {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) lines: Vec<Line>,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<DrawnMark>,
    pub(super) texts: Vec<Text>,
    /// How many marks and labels did not fit, over all lanes.
    pub(super) left_out: usize,
}
impl Drawing {
    /// Lines where the scale of time changes.
    pub(super) fn seams(&self) -> usize {
        let is_seam = |line: &&Line| line.class == SEAM;
        self.lines.iter().filter(is_seam).count()
    }
}
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) x1: i64,
    pub(super) y1: i64,
    pub(super) x2: i64,
    pub(super) y2: i64,
    pub(super) class: &'static str,
}
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) class: &'static str,
    pub(super) title: String,
    pub(super) href: Option<String>,
}
#[derive(Clone, Debug)]
pub(super) struct DrawnMark {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) shape: Shape,
    pub(super) title: String,
    pub(super) href: Option<String>,
}
/// One line of text. `y` is its base line.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) class: &'static str,
    pub(super) line: String,
}

impl Picture {
    /// `None` when nothing has a time.
    pub(super) fn draw(&self) -> Option<Drawing> {
        let scale = Scale::over(&self.times(), NAMES_WIDTH + 12, WIDTH - 12)?;
        let mut drawing = Drawing {
            title: self.title.clone(),
            description: self.description.clone(),
            width: WIDTH,
            ..Drawing::default()
        };
        let mut top = LANES_TOP;
        for lane in &self.lanes {
            top = lane.draw(&scale, top, &mut drawing);
        }
        drawing.height = top;
        let grid = self.grid(&scale, top);
        drawing.lines.splice(0..0, grid);
        drawing.texts.extend(scale.labels());
        Some(drawing)
    }
    fn times(&self) -> Vec<i64> {
        let spans = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.spans)
            .flat_map(|span| [Some(span.from), span.to]);
        let marks = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.marks)
            .flat_map(|mark| [Some(mark.at), mark.until]);
        spans
            .chain(marks)
            .flatten()
            .map(Timestamp::as_second)
            .collect()
    }
    /// Ticks, changes of scale, and the lines of marks that want one: behind everything else.
    fn grid(&self, scale: &Scale, bottom: i64) -> Vec<Line> {
        let vertical = |x, y1, class| Line {
            x1: x,
            y1,
            x2: x,
            y2: bottom,
            class,
        };
        let ticks = scale.ticks().map(|x| vertical(x, 38, "tick"));
        let seams = scale.seams().map(|x| vertical(x, 6, SEAM));
        let guides = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.marks)
            .filter(|mark| mark.guide)
            .map(|mark| vertical(scale.x(mark.at.as_second()), LANES_TOP, "guide"));
        ticks.chain(seams).chain(guides).collect()
    }
}
