//! No label touches another, whatever the story.

use jiff::Timestamp;

use super::{Drawing, Lane, Mark, Picture, Shape, Span, Tone, WIDTH, letters};

/// A small generator with a printed seed; stories need variety, not randomness.
struct Dice(u64);
impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % limit
    }
    fn word(&mut self) -> String {
        let alphabet = ["a", "Wm", "i", "-", "é", "漢", "x ", "prod", "_", "Q"];
        let length = 1 + self.below(60);
        (0..length)
            .map(|_| alphabet[usize::try_from(self.below(10)).unwrap()])
            .collect::<String>()
            .chars()
            .take(60)
            .collect()
    }
}
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_762_900_000 + seconds).unwrap()
}
/// A story over `span` seconds, with up to 40 marks and 20 bars a lane, many of them within an hour.
fn story(dice: &mut Dice, span: i64) -> Picture {
    let busy = dice.below(span);
    let time = |dice: &mut Dice| {
        if dice.below(3) == 0 {
            dice.below(span)
        } else {
            busy + dice.below(3600)
        }
    };
    let shapes = [
        Shape::Said,
        Shape::Asked,
        Shape::Agreed,
        Shape::Against,
        Shape::Alarm,
        Shape::Override,
    ];
    let lanes = (0..=dice.below(5))
        .map(|_| {
            let mut starts: Vec<i64> = (0..dice.below(20)).map(|_| time(dice)).collect();
            starts.sort_unstable();
            let ends = starts.iter().copied().skip(1).map(Some).chain([None]);
            let spans = starts
                .iter()
                .zip(ends)
                .map(|(from, to)| Span {
                    from: at(*from),
                    to: to.map(at),
                    label: dice.word(),
                    tone: Tone::Other,
                    href: None,
                })
                .collect();
            let marks = (0..dice.below(40))
                .map(|_| {
                    let from = time(dice);
                    Mark {
                        at: at(from),
                        until: (dice.below(4) == 0).then(|| at(from + dice.below(7200))),
                        shape: shapes[usize::try_from(dice.below(6)).unwrap()],
                        label: dice.word(),
                        rank: u8::try_from(dice.below(3)).unwrap(),
                        href: None,
                        guide: false,
                    }
                })
                .collect();
            Lane {
                name: dice.word(),
                spans,
                marks,
            }
        })
        .collect();
    Picture {
        title: String::new(),
        description: String::new(),
        lanes,
    }
}

/// (left, top, right, bottom), and what it is.
type Seen = (i64, i64, i64, i64, String);
fn texts(drawing: &Drawing) -> Vec<Seen> {
    let seen = drawing.texts.iter().map(|text| {
        let right = text.x + letters::width(&text.line);
        (text.x, text.y - 11, right, text.y + 3, text.line.clone())
    });
    seen.collect()
}
fn marks(drawing: &Drawing) -> Vec<Seen> {
    let seen = drawing.marks.iter().map(|mark| {
        (
            mark.x - 8,
            mark.y - 8,
            mark.x + 8,
            mark.y + 7,
            format!("mark of {}", mark.title),
        )
    });
    seen.collect()
}
fn bars(drawing: &Drawing) -> Vec<Seen> {
    let seen = drawing.bars.iter().map(|bar| {
        (
            bar.x,
            bar.y,
            bar.x + bar.width,
            bar.y + bar.height,
            format!("bar of {}", bar.title),
        )
    });
    seen.collect()
}
fn meet(a: &Seen, b: &Seen) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}
fn inside(a: &Seen, b: &Seen) -> bool {
    a.0 >= b.0 && a.2 <= b.2 && a.1 >= b.1 && a.3 <= b.3
}

#[test]
fn no_label_touches_another_or_leaves_the_picture() {
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let span = [600, 7200, 86_400, 7 * 86_400, 90 * 86_400, 900 * 86_400]
            [usize::try_from(seed % 6).unwrap()];
        let Some(drawing) = story(&mut dice, span).draw() else {
            continue;
        };
        let (texts, marks, bars) = (texts(&drawing), marks(&drawing), bars(&drawing));
        for (place, text) in texts.iter().enumerate() {
            assert!(
                text.0 >= 0 && text.2 <= WIDTH,
                "seed {seed}: {text:?} is cut off"
            );
            assert!(
                text.1 >= 0 && text.3 <= drawing.height,
                "seed {seed}: {text:?} is cut off"
            );
            for other in texts[place + 1..].iter().chain(&marks) {
                assert!(
                    !meet(text, other),
                    "seed {seed}: {text:?} touches {other:?}"
                );
            }
            for bar in &bars {
                assert!(
                    !meet(text, bar) || inside(text, bar),
                    "seed {seed}: {text:?} touches {bar:?}"
                );
            }
        }
        for (place, mark) in marks.iter().enumerate() {
            for other in marks[place + 1..].iter().chain(&bars) {
                assert!(
                    !meet(mark, other),
                    "seed {seed}: {mark:?} touches {other:?}"
                );
            }
        }
    }
}
#[test]
fn what_does_not_fit_is_counted_and_nothing_is_lost() {
    for seed in 0..100 {
        let picture = story(&mut Dice(seed), 86_400);
        let Some(drawing) = picture.draw() else {
            continue;
        };
        let marks: usize = picture.lanes.iter().map(|lane| lane.marks.len()).sum();
        let spans: usize = picture.lanes.iter().map(|lane| lane.spans.len()).sum();
        assert_eq!(drawing.bars.len(), spans, "seed {seed}: every bar is drawn");
        assert!(
            drawing.marks.len() + drawing.left_out >= marks,
            "seed {seed}"
        );
        let told: usize = drawing
            .texts
            .iter()
            .filter_map(|text| {
                text.line
                    .strip_prefix('+')?
                    .strip_suffix(" more in the list")?
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        assert_eq!(told, drawing.left_out, "seed {seed}");
    }
}
#[test]
fn later_stands_further_right_and_busy_hours_get_more_room() {
    let hours = |hours: i64| hours * 3600;
    let mut times: Vec<i64> = vec![0, hours(24), hours(48)];
    times.extend((0..10).map(|count| hours(72) + count * 120));
    let marks = times.iter().map(|time| Mark {
        at: at(*time),
        until: None,
        shape: Shape::Said,
        label: "x".to_owned(),
        rank: 0,
        href: None,
        guide: false,
    });
    let picture = Picture {
        lanes: vec![Lane {
            name: "people".to_owned(),
            spans: Vec::new(),
            marks: marks.collect(),
        }],
        ..Picture::default()
    };
    let drawing = picture.draw().unwrap();
    assert_eq!(
        drawing.left_out, 0,
        "a mark at the very edge has its place too"
    );
    let xs: Vec<i64> = drawing.marks.iter().map(|mark| mark.x).collect();
    assert!(xs.is_sorted(), "{xs:?}");
    assert_eq!(drawing.seams(), 1, "the scale changes once");
    assert!(
        xs[12] - xs[3] > xs[3] - xs[0],
        "18 busy minutes get more room than three quiet days: {xs:?}"
    );
}
#[test]
fn nothing_has_no_picture_and_one_instant_has_one() {
    assert!(Picture::default().draw().is_none());
    let mark = Mark {
        at: at(0),
        until: None,
        shape: Shape::Said,
        label: "proposed".to_owned(),
        rank: 0,
        href: None,
        guide: false,
    };
    let lane = Lane {
        name: "people".to_owned(),
        spans: Vec::new(),
        marks: vec![mark],
    };
    let picture = Picture {
        lanes: vec![lane],
        ..Picture::default()
    };
    assert_eq!(picture.draw().unwrap().marks.len(), 1);
}
