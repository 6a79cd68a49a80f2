//! The pages in a real browser: light and dark, wide and narrow. The pictures land in `target/screenshots`.

use serde_json::json;

use crate::{chromium::Chromium, demo::Demo, support};

const WIDE: (u32, u32) = (1100, 900);
const NARROW: (u32, u32) = (390, 800);

/// Texts of the picture that overlap each other or stick out of it.
const UNREADABLE_LABELS: &str = "(() => {
  const svg = document.querySelector('figure svg');
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  const bad = [];
  boxes.forEach(([label, box], i) => {
    if (box.left < frame.left - 1 || box.right > frame.right + 1) bad.push('cut off: ' + label);
    boxes.slice(i + 1).forEach(([other, second]) => {
      const across = Math.min(box.right, second.right) - Math.max(box.left, second.left);
      const down = Math.min(box.bottom, second.bottom) - Math.max(box.top, second.top);
      if (across > 1 && down > 2) bad.push(label + ' over ' + other);
    });
  });
  return bad;
})()";

/// The contrast of the least readable text on the page against what is behind it (WCAG asks for 4.5).
const LEAST_CONTRAST: &str = "(() => {
  const channel = value => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => { const [r, g, b] = numbers(colour); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const behind = element => { for (let at = element; at; at = at.parentElement) { const colour = getComputedStyle(at).backgroundColor; if (numbers(colour).length < 4 || numbers(colour)[3] > 0) return colour; } return 'rgb(255,255,255)'; };
  let least = 21;
  for (const element of document.querySelectorAll('h1,h2,p,td,th,a,span,code,summary,time,figcaption')) {
    if (!element.textContent.trim() || element.closest('svg')) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()";

fn look(browser: &mut Chromium, url: &str, name: &str, size: (u32, u32), dark: bool) {
    browser.open(url, size.0, size.1, dark);
    browser.screenshot(name);
    let overflow = browser
        .evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assert_eq!(
        overflow,
        json!(0),
        "{name}: the page itself scrolls sideways"
    );
    let contrast = browser.evaluate(LEAST_CONTRAST).as_f64().unwrap();
    assert!(
        contrast >= 4.5,
        "{name}: a text has a contrast of only {contrast:.2}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_page_tells_who_approved_what_and_where_it_went() {
    let test = "the_story_page_tells_who_approved_what_and_where_it_went";
    let Some(program) = support::from_environment(test, "PIPEROLL_TEST_CHROMIUM", "Chromium")
    else {
        return;
    };
    let demo = Demo::served();
    let mut browser = Chromium::start(&program);
    let url = demo.story_url();
    for (name, size) in [("wide", WIDE), ("narrow", NARROW)] {
        for (scheme, dark) in [("light", false), ("dark", true)] {
            let name = format!("story-{name}-{scheme}");
            look(&mut browser, &url, &name, size, dark);
            assert_eq!(browser.evaluate(UNREADABLE_LABELS), json!([]), "{name}");
        }
    }
    let said_by_page = browser
        .evaluate("document.querySelector('main').innerText")
        .as_str()
        .unwrap()
        .to_owned();
    for said in [
        "Ask for the postcode before the address",
        "Ines Okafor",
        "Ravi Menon",
        "business",
        "technical",
        "production",
    ] {
        assert!(
            said_by_page.contains(said),
            "the page does not say {said:?}:\n{said_by_page}"
        );
    }
    let lead = browser
        .evaluate("document.querySelector('.lead').innerText")
        .as_str()
        .unwrap()
        .to_owned();
    for said in [
        "Two people approved exactly what was deployed",
        "production",
        "rolled back",
        "13 minutes",
    ] {
        assert!(
            lead.contains(said),
            "the first sentence does not say {said:?}: {lead}"
        );
    }
    let lines = browser
        .evaluate("document.querySelectorAll('ol.story li').length")
        .as_u64()
        .unwrap();
    let open = browser
        .evaluate("document.querySelectorAll('ol.story li a[href*=\"/entries/\"]').length")
        .as_u64()
        .unwrap();
    assert!(
        lines >= 8 && open >= lines,
        "{lines} lines, {open} of them lead to an entry"
    );
    assert_eq!(
        browser.evaluate("document.querySelectorAll('script').length"),
        json!(0),
        "the page works without script"
    );
    let colour_alone = browser.evaluate("[...document.querySelectorAll('.chip')].filter(chip => !/\\w/.test(chip.innerText)).length");
    assert_eq!(colour_alone, json!(0), "a state is a word and a sign");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_shows_every_service_in_every_environment() {
    let test = "the_matrix_shows_every_service_in_every_environment";
    let Some(program) = support::from_environment(test, "PIPEROLL_TEST_CHROMIUM", "Chromium")
    else {
        return;
    };
    let demo = Demo::served();
    let mut browser = Chromium::start(&program);
    for (name, size) in [("wide", WIDE), ("narrow", NARROW)] {
        for (scheme, dark) in [("light", false), ("dark", true)] {
            look(
                &mut browser,
                &format!("{}/", demo.url()),
                &format!("matrix-{name}-{scheme}"),
                size,
                dark,
            );
        }
    }
    let said_by_page = browser
        .evaluate("document.querySelector('main').innerText")
        .as_str()
        .unwrap()
        .to_lowercase();
    for said in [
        "checkout",
        "payments",
        "catalogue",
        "staging",
        "production",
        "rolled back",
        "override",
        "without approval",
    ] {
        assert!(
            said_by_page.contains(said),
            "the matrix does not say {said:?}:\n{said_by_page}"
        );
    }
}
