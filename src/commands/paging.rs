//! Long lists: as much as an embed holds, and buttons to the rest.
//!
//! A page is made anew at each press, so a list that has changed meanwhile may show an entry on another page. Nothing is
//! left out without being counted.

use serde_json::Value;

use super::component::{ButtonStyle, Target, button};
use super::reply::{Reply, fitting};
use crate::discord::words;

/// The page of a list that was asked for, or the last where there are fewer. A list that fits has no buttons; those of
/// others lead to the `target` of another page.
#[must_use]
pub(super) fn page(entries: &[String], remark: Option<&str>, wanted: usize, target: impl Fn(usize) -> Target) -> Reply {
    let pages = pages(entries);
    let Some(last) = pages.len().checked_sub(1).filter(|last| *last > 0) else {
        return Reply::list(entries, remark);
    };
    let at = wanted.min(last);
    let place = words::page(at + 1, pages.len());
    let remark = remark.map_or(place.clone(), |remark| format!("{remark} {place}"));
    Reply::list(pages[at], Some(&remark)).with_row(&turns(at, last, target))
}

/// The buttons to the pages beside that one.
#[must_use]
pub(super) fn turns(at: usize, last: usize, target: impl Fn(usize) -> Target) -> [Value; 2] {
    let turn = |label, page, enabled| button(ButtonStyle::Secondary, label, &target(page), enabled);
    [turn(words::PREVIOUS_PAGE, at.saturating_sub(1), at > 0), turn(words::NEXT_PAGE, at + 1, at < last)]
}

fn pages(entries: &[String]) -> Vec<&[String]> {
    let mut pages = Vec::new();
    let mut left = entries;
    while !left.is_empty() {
        // An entry that is longer than a page is shortened on a page of its own.
        let (page, rest) = left.split_at(fitting(left).max(1));
        pages.push(page);
        left = rest;
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::component::Listing;

    fn target(page: usize) -> Target {
        Target::Page(Listing::Bindings, page)
    }

    fn entries(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number}: {}", "x".repeat(100))).collect()
    }

    #[test]
    fn every_entry_is_on_exactly_one_page_and_pages_are_full() {
        let entries = entries(100);
        let pages = pages(&entries);
        assert_eq!(pages.concat(), entries);
        assert_eq!(pages.iter().map(|page| page.len()).collect::<Vec<_>>(), [38, 38, 24]);
    }

    #[test]
    fn a_list_that_fits_has_no_buttons() {
        let message = page(&entries(38), Some("remark"), 7, target).to_message(true);
        assert_eq!(message["components"], serde_json::json!([]));
        assert_eq!(message["embeds"][0]["footer"]["text"], "remark");
    }

    #[test]
    fn buttons_lead_to_the_pages_beside_and_a_page_that_has_gone_is_the_last() {
        let entries = entries(100);
        for (wanted, shown, before, after) in [
            (0, "Page 1 of 3.", ("page:bindings:0", true), ("page:bindings:1", false)),
            (1, "Page 2 of 3.", ("page:bindings:0", false), ("page:bindings:2", false)),
            (usize::MAX, "Page 3 of 3.", ("page:bindings:1", false), ("page:bindings:3", true)),
        ] {
            let message = page(&entries, None, wanted, target).to_message(true);
            assert_eq!(message["embeds"][0]["footer"]["text"], shown);
            let buttons = &message["components"][0]["components"];
            for (button, (id, disabled)) in [(&buttons[0], before), (&buttons[1], after)] {
                assert_eq!((button["custom_id"].as_str(), button["disabled"].as_bool()), (Some(id), Some(disabled)));
            }
        }
    }

    #[test]
    fn an_entry_longer_than_a_page_has_one_of_its_own() {
        let entries = ["a".to_owned(), "b".repeat(9_000), "c".to_owned()];
        assert_eq!(pages(&entries).iter().map(|page| page.len()).collect::<Vec<_>>(), [1, 1, 1]);
        let message = page(&entries, None, 1, target).to_message(true);
        assert!(message["embeds"][0]["description"].as_str().unwrap().starts_with("bbb"));
    }
}
