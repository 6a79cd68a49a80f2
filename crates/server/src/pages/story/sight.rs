//! From a story to the picture on top of its page.

use piperoll_core::answer::{self, AttemptMark, Bar, PersonMark, Stage, Story};

use crate::pages::{
    picture::{Lane, Mark, Picture, Shape, Span, Tone},
    words,
};

pub(super) fn picture(story: &Story) -> Picture {
    let picture = &story.picture;
    let mut lanes = Vec::new();
    if !picture.people.is_empty() {
        lanes.push(Lane {
            name: "people".to_owned(),
            spans: Vec::new(),
            marks: picture.people.iter().map(person).collect(),
        });
    }
    let several_services = picture
        .lanes
        .iter()
        .any(|lane| Some(&lane.service) != picture.lanes.first().map(|first| &first.service));
    for lane in &picture.lanes {
        let name = if several_services {
            format!("{}, {}", lane.service, lane.environment)
        } else {
            lane.environment.clone()
        };
        lanes.push(Lane {
            name: words::clean(&name),
            spans: lane.bars.iter().map(span).collect(),
            marks: lane.attempts.iter().map(attempt).collect(),
        });
    }
    if !picture.alerts.is_empty() {
        lanes.push(Lane {
            name: "alerts".to_owned(),
            spans: Vec::new(),
            marks: picture.alerts.iter().map(alert).collect(),
        });
    }
    Picture {
        title: format!("The way of {}", words::clean(&story.change.label)),
        description: words::clean(&picture.description.plain()),
        lanes,
    }
}

fn person(mark: &PersonMark) -> Mark {
    let (shape, rank) = match mark.stage {
        Stage::Approved => (Shape::Agreed, 0),
        Stage::Rejected => (Shape::Against, 0),
        Stage::Override => (Shape::Override, 0),
        Stage::Decided | Stage::Asked => (Shape::Asked, 1),
        Stage::Proposed | Stage::Merged | Stage::Abandoned => (Shape::Said, 2),
        Stage::Reviewed => (Shape::Said, 3),
    };
    Mark {
        at: mark.at.time,
        until: None,
        shape,
        // The time first: after words that run from right to left it would be torn apart.
        label: format!(
            "{} {}",
            mark.at.time.strftime("%H:%M"),
            words::clean(&mark.label)
        ),
        rank,
        href: Some(format!("#r{}", mark.at.index)),
        guide: false,
    }
}
fn attempt(mark: &AttemptMark) -> Mark {
    Mark {
        at: mark.at.time,
        until: None,
        shape: match mark.tone {
            answer::part::Tone::Bad => Shape::Against,
            _ => Shape::Asked,
        },
        label: format!("{} {}", mark.at.time.strftime("%H:%M"), mark.label),
        rank: 0,
        href: Some(format!("#r{}", mark.at.index)),
        guide: false,
    }
}
fn span(bar: &Bar) -> Span {
    let digest = bar
        .digest
        .as_ref()
        .map(|digest| format!("{}… ", digest.short()))
        .unwrap_or_default();
    Span {
        from: bar.from,
        to: bar.to,
        label: format!("{digest}{}", words::clean(&bar.label)),
        tone: match bar.tone {
            answer::part::Tone::Good => Tone::Ours,
            answer::part::Tone::Step => Tone::OursBefore,
            _ => Tone::Other,
        },
        href: Some(format!("/entries/{}", bar.index)),
    }
}
fn alert(bar: &answer::AlertBar) -> Mark {
    let over = bar.to.map_or_else(
        || ", not over".to_owned(),
        |to| format!(", over {}", to.strftime("%H:%M")),
    );
    Mark {
        at: bar.from,
        until: bar.to,
        shape: Shape::Alarm,
        label: format!("{}{over}", words::clean(&bar.label)),
        rank: 0,
        href: Some(format!("#r{}", bar.index)),
        guide: true,
    }
}
