//! Hostile strings, by hand and by the thousand.

use proptest::prelude::*;

use super::*;

#[test]
fn what_nobody_sees_is_gone() {
    for (raw, cleaned) in [
        ("  Bob\t\r\n the\u{a0}\u{3000}Builder \u{2028}", "Bob the Builder"),
        ("a\u{200b}\u{200d}\u{2060}\u{feff}b\u{ad}c", "abc"),
        ("\u{202e}drowssap\u{202c} \u{2066}x\u{2069}\u{200f}", "drowssap x"),
        ("\u{3164}\u{2800}\u{115f}\u{200b}", ""),
        ("\u{0}\u{7}\u{1b}[31mred\u{7f}\u{9b}", "[31mred"),
        ("❤\u{fe0f}\u{fe0f}\u{fe0f}", "❤\u{fe0f}"),
        ("\u{fe0f}", ""),
        ("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴"),
        ("Zoë Ngô Việt Łukasz 한국어 Привет 🇩🇪", "Zoë Ngô Việt Łukasz 한국어 Привет 🇩🇪"),
    ] {
        assert_eq!(clean(raw), cleaned, "{raw:?}");
    }
}

#[test]
fn marks_do_not_pile_up() {
    let zalgo = format!("Z{}a", "\u{0301}\u{0489}\u{20dd}".repeat(50));
    assert_eq!(clean(&zalgo).chars().count(), 4);
    let thai = format!("ก{}", "\u{0e47}".repeat(200));
    assert!(clean(&thai).chars().count() <= GRAPHEME_KEPT);
    assert_eq!(clean("\u{0301}\u{0301}x"), "x");
}

#[test]
fn rust_tags_are_gone_and_other_angles_stay() {
    for (raw, cleaned) in [
        ("<color=#ff0000>Red</color> <size=20><b>Big</b></size>", "Red Big"),
        ("<COLOR=red>x</Color><#ff0000>y", "xy"),
        ("<b<b>>nested</<i>i>", "nested"),
        ("<color=red> </color>", ""),
        ("1 < 2 > 0 <3 <bob>", "1 < 2 > 0 <3 <bob>"),
        ("a <i> b", "a b"),
    ] {
        assert_eq!(clean(raw), cleaned, "{raw:?}");
    }
}

#[test]
fn what_discord_gives_a_meaning_loses_it() {
    for (cleaned, escaped) in [
        ("**bold** _it_ ~~no~~ ||spoiler||", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \|\|spoiler\|\|"),
        ("`code` # head > quote - item 1. one", r"\`code\` \# head \> quote \- item 1\. one"),
        ("[free skins](https://evil.example)", r"\[free skins\]\(https\://evil\.example\)"),
        ("<@123> <@&4> <#5> </why:6>", r"\<\@123\> \<\@&4\> \<\#5\> \</why\:6\>"),
        ("<:pog:1> <a:pog:1> <t:0:R> <id:guide>", r"\<\:pog\:1\> \<a\:pog\:1\> \<t\:0\:R\> \<id\:guide\>"),
        ("discord.gg/x www.evil.example", r"discord\.gg/x www\.evil\.example"),
        (r"\@everyone", r"\\＠everyone"),
        ("@here @EveryOne @hero me@home", r"＠here ＠EveryOne \@hero me\@home"),
    ] {
        assert_eq!(escape(cleaned), escaped, "{cleaned:?}");
    }
}

#[test]
fn stripped_characters_cannot_hide_a_mention() {
    assert_eq!(display("@every\u{200b}one", 100, "x"), "＠everyone");
    assert_eq!(display("@<b>here", 100, "x"), "＠here");
    assert_eq!(plain("@every\u{202e}one", 100, "x"), "＠everyone");
}

#[test]
fn a_cut_is_seen_and_splits_nothing() {
    assert_eq!(cut("abcdef", 6), "abcdef");
    assert_eq!(cut("abcdef", 5), "abcd…");
    assert_eq!(cut(r"abc\*def", 5), "abc…");
    assert_eq!(cut(r"ab\\\\cdef", 6), r"ab\\…");
    assert_eq!(cut("a 🇩🇪🇩🇪", 6), "a…");
    assert_eq!(cut("🙂🙂", 3), "🙂…");
    assert_eq!(cut("🙂", 1), "…");
    assert_eq!(cut("ab", 0), "");
}

#[test]
fn nothing_visible_shows_the_placeholder() {
    assert_eq!(display("\u{200b} <b></b>", 100, "A player"), "A player");
    assert_eq!(plain("\n", 100, "unknown"), "unknown");
}

#[test]
fn ten_thousand_characters_are_bounded() {
    for unit in ["*", "é", "🙂", "<", "<b", "@everyone", "\u{0e47}", "\u{0600}"] {
        let shown = display(&unit.repeat(10_000), 300, "x");
        assert!(utf16_length(&shown) <= 300, "{unit}");
    }
}

/// What hostile names are made of.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "@everyone", "@here", "@", "every", "one", "<@1>", "<@&1>", "<#1>", "</a:1>", "<:e:1>", "<a:e:1>", "<t:0:R>",
            "<id:guide>", "https://", "www.", "discord.gg/", "[a](b)", "**", "__", "~~", "||", "```", "`", "\\", "# ",
            "-# ", "> ", ">>> ", "- ", "1. ", "<b>", "<b", "</color>", "<color=#f00>", ">", "<", "\n", "\u{202e}",
            "\u{2066}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{0301}", "\u{0489}", "\u{0e47}", "\u{fe0f}", "👩\u{200d}🚀",
            "🇩🇪", "🏽", "\u{0600}", "\u{e0001}", "\u{3164}", " ",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Whether each special character has its own backslash.
fn is_inert(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            if !characters.next().is_some_and(|next| SPECIAL.contains(next)) {
                return false;
            }
        } else if SPECIAL.contains(character) {
            return false;
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_is_shown_is_bounded_and_inert(raw in hostile(), max in 0_usize..200) {
        let shown = display(&raw, max, "");
        prop_assert!(utf16_length(&shown) <= max);
        prop_assert!(is_inert(&shown), "{shown:?}");
        prop_assert!(!shown.contains(['\n', '\r', '\t']));
        prop_assert_eq!(shown.trim(), shown.as_str());
        for broken in [&shown, &plain(&raw, max, "")] {
            let lower = broken.to_ascii_lowercase();
            prop_assert!(!lower.contains("@everyone") && !lower.contains("@here"), "{broken:?}");
        }
    }

    #[test]
    fn nothing_unseen_is_left(raw in hostile()) {
        let cleaned = clean(&raw);
        prop_assert!(!cleaned.chars().any(is_unseen), "{cleaned:?}");
        prop_assert!(!cleaned.contains("  "));
        prop_assert!(cleaned.len() <= raw.len());
        // A second pass finds nothing more to clean.
        prop_assert_eq!(clean(&cleaned), cleaned);
    }

    #[test]
    fn a_cut_is_a_beginning(text in hostile(), max in 0_usize..100) {
        let kept = cut(&text, max);
        prop_assert!(utf16_length(&kept) <= max);
        prop_assert!(kept == text || text.starts_with(kept.trim_end_matches('…')));
        prop_assert!(!kept.is_empty() || text.is_empty() || max == 0);
    }
}

#[test]
fn what_is_read_in_a_file_is_what_was_read_in_the_channel() {
    for name in ["Ann", "*A_n\\n*", "[x](https://example.com)", "]`|", "(", "a - b."] {
        let shown = format!(
            "🔨 **{}** ([Steam](https://steamcommunity.com/profiles/76561198000000001)) left",
            display(name, 100, "?")
        );
        assert_eq!(without_markdown(&shown), format!("🔨 {name} (Steam) left"));
    }
}

proptest! {
    #[test]
    fn escaped_text_is_read_as_it_was_written(raw in "\\PC{0,40}") {
        let cleaned = clean(&raw);
        prop_assert_eq!(without_markdown(&escape(&cleaned)), break_mass_mentions(&cleaned));
    }
}
