//! One lane: its name, its bars in a row, its marks where they find a free place.

use jiff::Timestamp;

use super::{
    Bar, Drawing, DrawnMark, Lane, Line, Mark, NAMES_WIDTH, Text, WIDTH,
    letters::{self, LINE_HEIGHT, wrap},
    placing::{Area, Box},
    scale::Scale,
};

const BAR_HEIGHT: i64 = 24;
/// Half of a mark's height and width.
const MARK_RADIUS: i64 = 8;
/// A label is broken into lines of this width at most.
const LABEL_WIDTH_MAX: i64 = 340;
/// A lane is at most this high; what does not fit is counted.
const LANE_HEIGHT_MAX: i64 = 230;
/// Marks a lane shows before it counts; more than these are noise even where there is room.
const LANE_MARKS_MAX: usize = 24;

impl Lane {
    /// Draws the lane from `top` on and gives back where the next one begins.
    pub(super) fn draw(&self, scale: &Scale, top: i64, drawing: &mut Drawing) -> i64 {
        let mut area = Area::new(NAMES_WIDTH + 4, WIDTH - 4);
        let mut left_out = 0;
        if !self.spans.is_empty() {
            left_out += self.draw_spans(scale, top, &mut area, drawing);
        }
        left_out += self.draw_marks(scale, top, &mut area, drawing);
        if left_out > 0 {
            let text = format!("+{left_out} more in the list");
            let y = area.height() + LINE_HEIGHT;
            area.occupy(Box::of_line(NAMES_WIDTH + 8, y, &text));
            drawing.texts.push(Text {
                x: NAMES_WIDTH + 8,
                y: top + y + 12,
                class: "s",
                line: text,
            });
        }
        drawing.left_out += left_out;
        let names = wrap(&self.name, NAMES_WIDTH - 14);
        let names_height = lines_height(names.len());
        for (line, y) in names.into_iter().zip((0..).step_by(step(LINE_HEIGHT))) {
            drawing.texts.push(Text {
                x: 0,
                y: top + y + 14,
                class: "lane",
                line,
            });
        }
        let bottom = top + area.height().max(names_height).max(BAR_HEIGHT) + 14;
        drawing.lines.push(Line {
            x1: 0,
            y1: bottom - 5,
            x2: WIDTH,
            y2: bottom - 5,
            class: "lane",
        });
        bottom
    }

    /// Bars in one row; a label that does not fit into its bar stands below, tied to it by a short line.
    fn draw_spans(&self, scale: &Scale, top: i64, area: &mut Area, drawing: &mut Drawing) -> usize {
        let bars_top = LINE_HEIGHT;
        let mut below = Vec::new();
        for span in &self.spans {
            let x = scale.x(span.from.as_second());
            let end = span.to.map_or(WIDTH - 4, |to| scale.x(to.as_second()));
            let width = (end - x).max(3);
            drawing.bars.push(Bar {
                x,
                y: top + bars_top,
                width,
                height: BAR_HEIGHT,
                class: span.tone.class(),
                title: span.label.clone(),
                href: span.href.clone(),
            });
            area.occupy(Box {
                left: x,
                top: bars_top,
                right: x + width,
                bottom: bars_top + BAR_HEIGHT,
            });
            let clock = clock(span.from);
            let clock_box = Box::of_line(x, 0, &clock);
            if area.takes(&clock_box) {
                area.occupy(clock_box);
                drawing.texts.push(Text {
                    x,
                    y: top + 11,
                    class: "s",
                    line: clock,
                });
            }
            if letters::width(&span.label) + 16 <= width {
                drawing.texts.push(Text {
                    x: x + 8,
                    y: top + bars_top + 17,
                    class: "inside",
                    line: span.label.clone(),
                });
            } else {
                below.push((x, span));
            }
        }
        // From the right, so that the line down from a bar never meets the label of a later one.
        let mut left_out = 0;
        for (x, span) in below.into_iter().rev() {
            if !place_below(x, &span.label, bars_top + BAR_HEIGHT, top, area, drawing) {
                left_out += 1;
            }
        }
        left_out
    }

    /// Each mark with its label beside it, in the first free place from the top.
    fn draw_marks(&self, scale: &Scale, top: i64, area: &mut Area, drawing: &mut Drawing) -> usize {
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by_key(|mark| (mark.rank, mark.at));
        let first_row = if self.spans.is_empty() {
            0
        } else {
            LINE_HEIGHT + BAR_HEIGHT + 6
        };
        let mut shown = 0;
        for mark in &marks {
            if shown < LANE_MARKS_MAX && mark.place(scale, first_row, top, area, drawing) {
                shown += 1;
            }
        }
        marks.len() - shown
    }
}

impl Mark {
    fn place(
        &self,
        scale: &Scale,
        first_row: i64,
        top: i64,
        area: &mut Area,
        drawing: &mut Drawing,
    ) -> bool {
        let x = scale.x(self.at.as_second());
        let end = self
            .until
            .map_or(x, |until| scale.x(until.as_second()).max(x));
        let lines = wrap(&self.label, LABEL_WIDTH_MAX);
        let width = lines
            .iter()
            .map(|line| letters::width(line))
            .max()
            .unwrap_or(0);
        let lasts = self.until.is_some();
        let height = lines_height(lines.len()).max(2 * MARK_RADIUS) + if lasts { 6 } else { 0 };
        let after = (end.max(x + MARK_RADIUS) + 6).min(WIDTH - 4);
        let beside_mark = x + MARK_RADIUS + 6;
        let candidates = [beside_mark, x - MARK_RADIUS - 6 - width];
        for row in (first_row..LANE_HEIGHT_MAX).step_by(step(LINE_HEIGHT + 3)) {
            for text_left in candidates {
                let place = Box {
                    left: (x - MARK_RADIUS).min(text_left),
                    top: row,
                    right: after.max(text_left + width),
                    bottom: row + height,
                };
                if !area.takes(&place) {
                    continue;
                }
                area.occupy(place);
                self.put(x, end, text_left, top + row, lines, drawing);
                return true;
            }
        }
        false
    }
    fn put(
        &self,
        x: i64,
        end: i64,
        text_left: i64,
        y: i64,
        lines: Vec<String>,
        drawing: &mut Drawing,
    ) {
        drawing.marks.push(DrawnMark {
            x,
            y: y + MARK_RADIUS,
            shape: self.shape,
            title: self.label.clone(),
            href: self.href.clone(),
        });
        let text_height = lines_height(lines.len()).max(2 * MARK_RADIUS);
        if self.until.is_some() {
            drawing.lines.push(Line {
                x1: x,
                y1: y + text_height + 3,
                x2: end.max(x + 2),
                y2: y + text_height + 3,
                class: "lasts",
            });
        }
        for (line, offset) in lines.into_iter().zip((0..).step_by(step(LINE_HEIGHT))) {
            drawing.texts.push(Text {
                x: text_left,
                y: y + offset + 12,
                class: "",
                line,
            });
        }
    }
}

/// A label under a bar that is too narrow for it.
fn place_below(
    x: i64,
    label: &str,
    from: i64,
    top: i64,
    area: &mut Area,
    drawing: &mut Drawing,
) -> bool {
    let lines = wrap(label, LABEL_WIDTH_MAX);
    let width = lines
        .iter()
        .map(|line| letters::width(line))
        .max()
        .unwrap_or(0);
    let left = (x + 4).min(WIDTH - 4 - width);
    for row in (from + 4..LANE_HEIGHT_MAX).step_by(step(LINE_HEIGHT + 2)) {
        let text = Box {
            left,
            top: row,
            right: left + width,
            bottom: row + lines_height(lines.len()),
        };
        let tie = Box {
            left: x,
            top: from + 1,
            right: x + 1,
            bottom: row + 6,
        };
        if !area.takes(&text) || !area.takes(&tie) {
            continue;
        }
        area.occupy(text);
        area.occupy(tie);
        drawing.lines.push(Line {
            x1: x,
            y1: top + from,
            x2: x,
            y2: top + row + 8,
            class: "tie",
        });
        for (line, offset) in lines.into_iter().zip((0..).step_by(step(LINE_HEIGHT))) {
            drawing.texts.push(Text {
                x: left,
                y: top + row + offset + 12,
                class: "s",
                line,
            });
        }
        return true;
    }
    false
}

fn lines_height(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / LINE_HEIGHT) * LINE_HEIGHT
}
/// A step for `step_by`; all steps here are small and positive.
fn step(pixels: i64) -> usize {
    usize::try_from(pixels).unwrap_or(1)
}
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}
