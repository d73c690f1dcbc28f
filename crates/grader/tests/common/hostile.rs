//! Answers made to take forever: every one is short enough to be calculated.

use super::common::PIECES;

/// Answers and what they are.
pub fn hostile() -> Vec<(&'static str, String)> {
    let nest = |open: &str, inside: &str, close: &str, depth: usize| open.repeat(depth) + inside + &close.repeat(depth);
    let matrix = format!(r"\begin{{pmatrix}}{}\end{{pmatrix}}", r"1 & 2 & 3 \\ ".repeat(250));
    vec![
        ("a tower of powers", "9^{9^{9^{9}}}".to_owned()),
        ("a tower of powers in Python", "9**9**9".to_owned()),
        ("a tower in the exponent of e", "e^{e^{e^{e^{e^9}}}}".to_owned()),
        ("a large power of ten", "10^{10^8}".to_owned()),
        ("a large power without LaTeX", "7**99999999".to_owned()),
        ("a large negative power", "3**-99999999".to_owned()),
        ("a large power of a sum", "(x+y+1)**2999".to_owned()),
        ("a large decimal exponent", "1e999999999".to_owned()),
        ("a small decimal exponent", "1e-999999999".to_owned()),
        ("a large factorial", "99999999!".to_owned()),
        ("factorials of factorials", "200!".to_owned() + &"!".repeat(200)),
        ("a large binomial", r"\binom{99999999}{4999999}".to_owned()),
        ("thousands of digits", "7".repeat(4000)),
        ("thousands of decimals", format!("0.{}", "7".repeat(4000))),
        ("a product of large numbers", [&*"9".repeat(1000); 4].join("*")),
        ("open braces", "{".repeat(4000)),
        ("open parentheses", "(".repeat(4000)),
        ("closed parentheses", nest("(", "x", ")", 2000)),
        ("nested lists", nest("[", "1,2", "]", 1300)),
        ("minus signs", "-".repeat(4000) + "1"),
        ("deep fractions", nest(r"\frac{1}{", "2", "}", 400)),
        ("deep fractions without end", r"\frac{".repeat(600)),
        ("deep fractions with half an end", nest(r"\frac{", "1", "}", 500)),
        ("deep roots", nest(r"\sqrt{", "2", "}", 500)),
        ("deep roots in parentheses", nest("sqrt(", "2", ")", 600)),
        ("deep exponents", nest("x^{", "2", "}", 800)),
        ("deep boxes", nest(r"\boxed{", "2", "}", 500)),
        ("a huge matrix", matrix),
        ("a long sum of roots", (2..400).map(|n| format!(r"\sqrt{n}+")).collect::<String>() + "1"),
        ("a product of sums", "(x+y)".repeat(800)),
        ("a power of a long sum", format!("({}1)**9", "x+y+".repeat(400))),
        ("a long set", (0..1000).map(|n| format!("{n},")).collect::<String>() + "1"),
        ("a long set of roots", (0..300).map(|n| format!(r"\sqrt{{{n}}},")).collect::<String>() + "1"),
        ("a chain of relations", "x<".repeat(1900) + "1"),
        ("a chain of unions", r"(1,2)\cup".repeat(400) + "(3,4)"),
        ("signs of both kinds", r"1\pm".repeat(600) + "1"),
        ("many symbols", "abcdefghijklmnopqrstuvwxyz".repeat(150)),
        ("functions of functions", nest(r"\sin(", "1", ")", 400)),
        ("hardly convergent logarithms", r"\ln(1-10^{-999})".to_owned()),
        ("sines of large numbers", format!(r"\sin({})", "9".repeat(1000))),
        ("exclamation marks", "!".repeat(4000)),
        ("a lone backslash", "\\".repeat(4001)),
        ("NUL characters", "\0".repeat(4000)),
        ("replacement characters of lone surrogates", "\u{fffd}".repeat(1300)),
        ("combining characters", "e".to_owned() + &"\u{301}".repeat(2000)),
        ("thousands separators", "1,234".repeat(800)),
        ("unit words", "second".repeat(680)),
    ]
}

/// Answers of random pieces, the same ones every time.
pub fn random(count: usize) -> Vec<String> {
    let mut state = 0_u64;
    // splitmix64 (Steele, Lea and Flood, 2014).
    let mut below = |n: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    };
    (0..count)
        .map(|_| {
            let pieces = 1 + below(40);
            (0..pieces).map(|_| PIECES[below(PIECES.len())]).collect()
        })
        .collect()
}
