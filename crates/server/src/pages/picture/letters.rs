//! How wide a text is, without asking the reader's browser: the advance widths of `DejaVu Sans`, the widest of the fonts that the
//! style sheet names, so that what fits by this table fits everywhere.

/// Height of a line, pixels.
pub(super) const LINE_HEIGHT: i64 = 15;
/// Size of the letters, pixels; the style sheet says the same.
const SIZE: i64 = 13;

/// Advance widths of U+0020 to U+007E in thousandths of the size.
#[rustfmt::skip]
const ASCII: [i64; 95] = [
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
/// Latin, Greek and Cyrillic letters beyond ASCII: a little above their average.
const ALPHABETS: i64 = 760;
/// Everything else, such as ideographs and pictures.
const WIDE: i64 = 1250;

/// Width in pixels, rounded up.
pub(super) fn width(text: &str) -> i64 {
    let thousandths: i64 = text.chars().map(advance).sum();
    (thousandths * SIZE + 999) / 1000
}
fn advance(letter: char) -> i64 {
    let code = u32::from(letter);
    match code {
        0x20..=0x7e => usize::try_from(code - 0x20)
            .ok()
            .and_then(|place| ASCII.get(place))
            .copied()
            .unwrap_or(WIDE),
        0xa0..=0x52f => ALPHABETS,
        // Punctuation such as quotation marks, dashes and the ellipsis.
        0x2010..=0x2026 => 1000,
        _ => WIDE,
    }
}

/// Breaks a text into lines of at most `width_max` pixels: at spaces, else behind one of `-_/.:@#`, else anywhere. Nothing is lost
/// but the spaces at the breaks.
pub(super) fn wrap(text: &str, width_max: i64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while width(rest) > width_max {
        let (line, after) = rest.split_at(break_before(rest, width_max));
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}
/// The byte at which the second line begins.
fn break_before(text: &str, width_max: i64) -> usize {
    let mut used = 0;
    let mut at_space = None;
    let mut at_sign = None;
    for (place, letter) in text.char_indices() {
        let next = place + letter.len_utf8();
        used += advance(letter) * SIZE;
        if used > width_max * 1000 {
            // A line of at least one letter, however narrow the column.
            let anywhere = if place == 0 { next } else { place };
            return at_space.or(at_sign).unwrap_or(anywhere);
        }
        if letter == ' ' {
            at_space = Some(next);
        } else if "-_/.:@#".contains(letter) {
            at_sign = Some(next);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{width, wrap};

    #[test]
    fn nothing_is_lost_by_breaking_a_name_without_spaces() {
        let name = "payments-reconciliation-service-for-the-northern-region-0001";
        assert_eq!(name.len(), 60);
        let lines = wrap(name, 136);
        assert_eq!(lines.concat(), name);
        assert!(lines.iter().all(|line| width(line) <= 136), "{lines:?}");
        assert!(lines.len() > 1);
    }
    #[test]
    fn words_are_kept_whole_where_they_fit() {
        assert_eq!(
            wrap("approved by Ines Okafor, business approver", 160),
            ["approved by Ines", "Okafor, business", "approver"]
        );
    }
    #[test]
    fn a_letter_wider_than_the_column_still_ends() {
        assert_eq!(wrap("漢字", 3), ["漢", "字"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
