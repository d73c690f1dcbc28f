//! Answers made to take forever: every one is short enough to be calculated.

use super::common::PIECES;

/// Answers and what they are.
pub fn hostile() -> Vec<(&'static str, String)> {
    [numbers(), functions(), nests(), sums(), lists(), texts()].concat()
}

/// Hostile answers against honest ones, against themselves with a difference, and against each other, in both orders.
pub fn pairs() -> Vec<(String, String)> {
    let golds = |text: &str| ["12".to_owned(), "x+y".to_owned(), format!("{text}+1"), format!("2*({text})")];
    let against = |(_, text): (&str, String)| golds(&text).into_iter().map(move |gold| (text.clone(), gold));
    let pairs = hostile().into_iter().flat_map(against).chain(duels());
    pairs.flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)]).collect()
}

fn nest(open: &str, inside: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + inside + &close.repeat(depth)
}

/// `part(0) part(1) … part(count - 1)` with `between` in between.
fn join(count: usize, between: &str, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(between)
}

type Named = Vec<(&'static str, String)>;

/// Towers, factorials, and numbers of many digits.
fn numbers() -> Named {
    vec![
        ("a tower of powers", "9^{9^{9^{9}}}".to_owned()),
        ("a tower of powers in Python", "9**9**9".to_owned()),
        ("a tower without braces", "9^9^9^9".to_owned()),
        ("a tower of groups", "{{9^9}^{9^9}}^{{9^9}^{9^9}}".to_owned()),
        ("a tower in the exponent of e", "e^{e^{e^{e^{e^9}}}}".to_owned()),
        ("a tower of exponentials", nest(r"\exp(", "9", ")", 9)),
        ("a tower of roots", nest(r"2^{\sqrt{", "2", "}}", 20)),
        ("a tower of symbols", nest("x^{", "y", "}", 30)),
        ("a large power of ten", "10^{10^8}".to_owned()),
        ("a large power without LaTeX", "7**99999999".to_owned()),
        ("a large negative power", "3**-99999999".to_owned()),
        ("a large power of a sum", "(x+y+1)**2999".to_owned()),
        ("powers near the limit", join(60, "+", |n| format!("{}^{{{}}}", n + 2, 4000 / (n + 9)))),
        ("negative powers near the limit", join(60, "+", |n| format!("{}^{{-{}}}", 2 * n + 3, 300 / (n + 1)))),
        ("a large decimal exponent", "1e999999999".to_owned()),
        ("a small decimal exponent", "1e-999999999".to_owned()),
        ("decimals with exponents near the limit", join(300, "+", |n| format!("1E-{}", 600 + n))),
        ("a large factorial", "99999999!".to_owned()),
        ("factorials of factorials", "200!".to_owned() + &"!".repeat(200)),
        ("a chain of factorials", nest("(", "3", "!)!", 20)),
        ("a sum of factorials", join(150, "+", |n| format!("{}!", 200 - n % 100))),
        ("a quotient of factorials", join(20, r"\cdot", |n| format!(r"\frac{{{}!}}{{{}!}}", 200 - n, 199 - 3 * n))),
        ("a large binomial", r"\binom{99999999}{4999999}".to_owned()),
        ("a sum of binomials", join(120, "+", |n| format!(r"\binom{{200}}{{{}}}", 100 - n % 50))),
        ("thousands of digits", "7".repeat(4000)),
        ("a thousand digits", "7".repeat(1200)),
        ("thousands of decimals", format!("0.{}", "7".repeat(4000))),
        ("a thousand decimals", format!("0.{}", "7".repeat(1200))),
        ("a product of large numbers", [&*"9".repeat(1000); 4].join("*")),
        ("a product of medium numbers", join(60, "*", |n| format!("{}{n}", "7".repeat(15)))),
        ("fractions of large numbers", join(3, "+", |n| format!(r"\frac{{{}}}{{{}1}}", "7".repeat(300), n + 1))),
        ("fractions over large numbers", join(6, "+", |n| format!(r"\frac{{1}}{{{}{n}1}}", "7".repeat(90)))),
        ("a harmonic sum", join(250, "+", |n| format!("1/{}", n + 2))),
        ("a harmonic sum over primes", join(200, "+", |n| format!(r"\frac{{{n}}}{{{}}}", 10_007 + 2 * n))),
        ("a sum of long decimals", join(90, "+", |n| format!("0.{}{n}", "123456789".repeat(4)))),
        ("a product of decimals", join(700, "*", |n| format!("1.{}", n % 9 + 1))),
        ("powers of decimals", join(300, "+", |n| format!("1.{}**1.{}", n % 9 + 1, n % 7 + 1))),
        ("a tower of decimals", nest("0.9**", "0.9", "", 30)),
        ("a thousand tuples of powers of ten", format!("({})", join(600, ",", |n| format!("1e{}", 300 - n % 9)))),
    ]
}

/// Roots, logarithms, trigonometry.
fn functions() -> Named {
    vec![
        ("hardly convergent logarithms", r"\ln(1-10^{-999})".to_owned()),
        ("many hardly convergent logarithms", join(60, "+", |n| format!(r"\ln(1+10^{{-{}}})", 100 + n))),
        ("logarithms of large numbers", join(90, "+", |n| format!(r"\ln({}{n}1)", "7".repeat(25)))),
        ("logarithms to odd bases", join(80, "+", |n| format!(r"\log_{{{}}}{}", 1_000_003 + 2 * n, 999_983 + n))),
        ("the root of a large number", format!(r"\sqrt{{{}}}", "7".repeat(1100))),
        ("roots of large numbers", join(20, "+", |n| format!(r"\sqrt{{{}{n}1}}", "7".repeat(100)))),
        ("roots of products of large primes", join(100, "+", |n| format!(r"\sqrt{{{}}}", (1 << 61) - 1 - 2 * n))),
        ("roots of powers of large primes", join(60, "+", |n| format!(r"\sqrt[3]{{1000000007^{}}}", n + 2))),
        ("roots of high degree", join(150, "+", |n| format!(r"\sqrt[{}]{{{}}}", n + 3, n + 2))),
        (
            "fractional powers of fractions",
            join(90, "+", |n| format!(r"(\frac{{{}}}{{{}}})^{{1/{}}}", n + 2, n + 3, n + 5)),
        ),
        ("powers near the limit of the test", join(80, "+", |n| format!("x^{{{}.5}}", 2999 - n))),
        (
            "powers of sums near the limit of the test",
            join(60, "+", |n| format!(r"(x+\sqrt{{{}}})^{{{}}}", n + 2, 2999 - n)),
        ),
        ("a long sum of roots", (2..370).map(|n| format!(r"\sqrt{{{n}}}+")).collect::<String>() + "1"),
        ("a long sum of roots in one symbol", join(150, "+", |n| format!(r"\sqrt{{x+{n}}}"))),
        ("a long sum of roots in five symbols", join(120, "+", |n| format!(r"\sqrt{{{n}a+b+c+d+f}}"))),
        ("a long sum of sines in five symbols", join(120, "+", |n| format!(r"\sin({n}a+b+c+d+f)"))),
        ("a long sum of products of sines", join(100, "+", |n| format!(r"\sin(a+{n})\cos(b-{n})"))),
        ("a long sum of logarithms in five symbols", join(120, "+", |n| format!(r"\ln({n}a+b+c+d+f)"))),
        ("a long sum of inverse sines", join(120, "+", |n| format!(r"\arcsin(\frac{{x}}{{{}}})", n + 900))),
        ("a long sum of inverse tangents", join(150, "+", |n| format!(r"\arctan({n}x)"))),
        ("a long sum of powers", join(150, "+", |n| format!(r"(x+y)^{{\pi+{n}}}"))),
        ("a long sum of exponentials", join(200, "+", |n| format!(r"e^{{{n}x}}"))),
        ("hyperbolic functions of small numbers", join(120, "+", |n| format!(r"\sinh(\frac{{x}}{{{}}})", n + 9000))),
        ("differences that cancel", join(100, "+", |n| format!(r"\sin(x+10^{{-{}}})-\sin(x)", n + 22))),
        ("differences of roots that cancel", join(90, "+", |n| format!(r"\sqrt{{10^{{40}}+{n}+x}}-10^{{20}}"))),
        ("powers of the imaginary unit", nest("i^{", "i", "}", 30)),
        ("complex powers", join(120, "+", |n| format!("(x+{n}i)^{{i}}"))),
        ("sines of large numbers", format!(r"\sin({})", "9".repeat(1000))),
        ("sines of numbers near the limit", join(200, "+", |n| format!(r"\sin(10^{{17}}+{n})"))),
        ("functions of functions", nest(r"\sin(", "1", ")", 400)),
        ("functions of functions of a symbol", nest(r"\sin(\cos(", "x", "))", 14)),
        ("exponentials of logarithms", nest(r"\exp(\ln(1+", "x", "))", 9)),
        ("floors of roots", join(140, "+", |n| format!(r"\lfloor \sqrt{{x+{n}}} \rfloor"))),
        ("absolute values", join(200, "+", |n| format!("|x-{n}|"))),
        ("a maximum of many", format!(r"\max({})", join(300, ",", |n| format!(r"\sqrt{{{n}}}")))),
    ]
}

/// What opens more often than anything closes, and what closes after hundreds of levels.
fn nests() -> Named {
    vec![
        ("systems in systems", nest(r"\begin{array}{l}x=", "1", r"\end{array}", 60)),
        ("systems without an end", r"\begin{array}{l}x=".repeat(200)),
        ("a name of quotients", format!("{}=12", nest("e/(", "e", ")", 60))),
        ("open braces", "{".repeat(4000)),
        ("open parentheses", "(".repeat(4000)),
        ("closed parentheses", nest("(", "x", ")", 2000)),
        ("parentheses just allowed", nest("(", "x+1", ")", 29)),
        ("nested lists", nest("[", "1,2", "]", 1300)),
        ("nested lists just allowed", nest("[", "1,2", ",3]", 29)),
        ("nested sets just allowed", nest(r"\{1,", r"\sqrt{2}", r",3\}", 29)),
        ("minus signs", "-".repeat(4000) + "1"),
        ("minus signs and parentheses", nest("-(", "x", ")", 29)),
        ("deep fractions", nest(r"\frac{1}{", "2", "}", 400)),
        ("deep fractions just allowed", nest(r"\frac{1}{1+", "x", "}", 20)),
        ("deep fractions of roots", nest(r"\frac{1}{\sqrt{2}+", "3", "}", 20)),
        ("deep fractions of two symbols", nest(r"\frac{x}{y+", "x", "}", 20)),
        ("deep fractions without end", r"\frac{".repeat(600)),
        ("deep fractions with half an end", nest(r"\frac{", "1", "}", 500)),
        ("deep roots", nest(r"\sqrt{", "2", "}", 500)),
        ("deep roots in parentheses", nest("sqrt(", "2", ")", 600)),
        ("deep roots just allowed", nest(r"\sqrt{2+", "2", "}", 20)),
        ("deep roots of a symbol", nest(r"\sqrt{x+", "1", "}", 20)),
        ("deep exponents", nest("x^{", "2", "}", 800)),
        ("deep squares", nest("(", "x+y", "+1)^2", 20)),
        ("deep cubes", nest("(", "x", "-y)^3", 12)),
        ("deep boxes", nest(r"\boxed{", "2", "}", 500)),
        ("deep accents", nest(r"\hat{", "x", "}", 60)),
        ("deep accents without end", r"\overline{".repeat(400)),
        ("deep text", nest(r"\text{", "2", "}", 500)),
        ("deep text without end", r"\text{".repeat(680)),
        ("deep text after text", r"\text{a}".repeat(500)),
        ("deep absolute values", nest("|1+", "x", "|", 29)),
        ("deep floors", nest(r"\lfloor 1+", "x", r"\rfloor", 15)),
        ("deep matrices", nest(r"\begin{pmatrix}", "1", r"\end{pmatrix}", 60)),
        ("deep logarithms", nest(r"\log_{2+", "3", "}5", 15)),
    ]
}

/// Long sums and products.
fn sums() -> Named {
    vec![
        ("a product of sums", "(x+y)".repeat(800)),
        ("a product of different sums", join(150, "", |n| format!("(x+{}y)", n + 1))),
        ("a product of long sums", join(60, "", |n| format!("(x+y+z+{n})"))),
        ("a product of sums in two letters", join(200, "*", |n| format!("(x+{n}*y)"))),
        ("a sum of products of sums", join(60, "+", |n| format!("(x+{n})(y-{n})(x-y)(x+y)"))),
        ("a power of a long sum", format!("({}1)**9", "x+y+".repeat(400))),
        ("powers of sums", join(90, "+", |n| format!("(a+b+{n})^3"))),
        ("powers of sums in five symbols", join(40, "+", |n| format!("(a+b+c+d+{n}f)^2"))),
        ("powers of sums of roots", join(60, "+", |n| format!(r"(\sqrt{{2}}+\sqrt{{3}}+\sqrt{{{}}})^3", n + 5))),
        ("partial fractions", join(90, "+", |n| format!(r"\frac{{1}}{{x+{n}}}"))),
        ("partial fractions of roots", join(60, "+", |n| format!(r"\frac{{1}}{{\sqrt{{{}}}+\sqrt{{2}}+1}}", n + 3))),
        ("partial fractions in two letters", join(150, "+", |n| format!("y/(x+{n})"))),
        ("a product of quotients", join(90, r"\cdot", |n| format!(r"\frac{{x+{n}}}{{x-{n}}}"))),
        ("a polynomial of many terms", join(300, "+", |n| format!("{n}x^{{{n}}}"))),
        ("a polynomial in five symbols", join(150, "+", |n| format!("{n}a^{{{n}}}b^{{2}}cdf"))),
        ("a monomial of many letters", join(700, "", |n| ["a", "b", "c", "d", "f"][n % 5].to_owned())),
        ("doubles in two letters", join(300, "+", |n| format!("0.{n}*x*y"))),
        ("doubles over sums", join(150, "+", |n| format!("0.{n}/(x+{n})"))),
        ("a product of signs", "x*-".repeat(700) + "1"),
        ("many symbols", "abcdefghijklmnopqrstuvwxyz".repeat(150)),
        ("many symbols with names", join(400, "+", |n| format!("x_{{{n}}}"))),
        ("signs of both kinds", r"1\pm".repeat(600) + "1"),
        ("a list of signs of both kinds", join(240, ",", |n| format!(r"{n}\pm \sqrt{{2}}"))),
        ("a sum of signs of both kinds", join(300, "+", |n| format!(r"(1\pm {n})"))),
    ]
}

/// Sets, tuples, intervals, relations, matrices.
fn lists() -> Named {
    let matrix = |rows: usize, row: &str| format!(r"\begin{{pmatrix}}{}\end{{pmatrix}}", row.repeat(rows));
    vec![
        ("a huge matrix", matrix(250, r"1 & 2 & 3 \\ ")),
        ("a huge matrix of roots", matrix(60, r"\sqrt{2} & \sqrt{3} & \sqrt{5} \\ ")),
        ("a huge matrix of sines", matrix(60, r"\sin x & \cos x & \tan x \\ ")),
        ("a long set", (0..1000).map(|n| format!("{n},")).collect::<String>() + "1"),
        ("a long set of roots", (0..300).map(|n| format!(r"\sqrt{{{n}}},")).collect::<String>() + "1"),
        ("a long set of sines", join(200, ",", |n| format!(r"\sin({n}x)"))),
        ("a long set of decimals", join(600, ",", |n| format!("0.{n}"))),
        ("a long set of sums", join(200, ",", |n| format!("x+{n}y"))),
        ("a long set of words", join(330, ",", |n| format!(r"\text{{w{n}}}"))),
        ("a long set of pairs", join(200, ",", |n| format!("({n},-{n})"))),
        ("a long tuple", format!("({})", join(900, ",", |n| n.to_string()))),
        ("a long tuple of fractions", format!("({})", join(500, ",", |n| format!("{n}/7x")))),
        ("a long tuple of quotients", format!("({})", join(280, ",", |n| format!(r"\frac{{x}}{{{}}}", n + 1)))),
        ("rows of semicolons", "1;2,".repeat(900) + "3"),
        ("a chain of relations", "x<".repeat(1900) + "1"),
        ("a chain of equations", join(400, "=", |n| format!("x+{n}"))),
        ("a chain of inequalities", join(300, "<", |n| format!(r"\sqrt{{{n}}}x"))),
        ("a list of equations", join(300, ",", |n| format!("x={n}"))),
        ("a list of inequalities", join(200, ",", |n| format!("{n}x<y+{n}"))),
        ("a chain of unions", r"(1,2)\cup".repeat(400) + "(3,4)"),
        ("a chain of different unions", join(250, r"\cup", |n| format!("({},{})", 2 * n, 2 * n + 1))),
        ("a chain of unions of roots", join(100, r"\cup", |n| format!(r"[\sqrt{{{n}}},\sqrt{{{}}})", n + 1))),
        ("a chain of intersections", join(250, r"\cap", |n| format!("({n},{})", 900 + n))),
        ("a chain of differences", join(240, r"\setminus", |n| format!(r"\{{{n}\}}"))),
    ]
}

/// Texts that are no formulas.
fn texts() -> Named {
    vec![
        ("exclamation marks", "!".repeat(4000)),
        ("a lone backslash", "\\".repeat(4001)),
        ("NUL characters", "\0".repeat(4000)),
        ("replacement characters of lone surrogates", "\u{fffd}".repeat(1300)),
        ("combining characters", "e".to_owned() + &"\u{301}".repeat(2000)),
        ("thousands separators", "1,234".repeat(800)),
        ("stuck thousands separators", "1,234,567,890,".repeat(290) + "1"),
        ("unit words", "second".repeat(680)),
        ("units of text", r"5\text{ cm}^2".repeat(300)),
        ("unit words with powers", "5cm^2 ".repeat(580)),
        ("macros", r"\pi".repeat(1300)),
        ("macros of many letters", r"\varnothing\leqslant".repeat(200)),
        ("macros that nobody knows", r"\abcdefghijk ".repeat(300)),
        ("connecting words", "1 and 2 or ".repeat(370) + "3"),
        ("degrees", r"5^{\circ}".repeat(450)),
        ("percent signs", "5%".repeat(2000)),
        ("dollars", "$1$ ".repeat(1000)),
        ("formulas in a sentence", r"so \(x^2\) is ".repeat(280)),
        ("numbers in a sentence", "is 3 or x? ".repeat(360)),
        ("fractions in a sentence", r"so \frac{2}{3} and ".repeat(210)),
        ("spaces", format!("3{}4", " ".repeat(4000))),
        ("boxes", r"\boxed{1}".repeat(450)),
        ("millions of millions", "million".repeat(580)),
        ("letters with subscripts", "x_{x_".repeat(800)),
        ("roots without argument", r"\sqrt".repeat(800)),
        ("environments without end", r"\begin{array}{c}".repeat(250)),
        ("cells without a row", format!(r"\begin{{pmatrix}}{}", "1&".repeat(2000))),
    ]
}

/// Pairs that are as long as answers can be on both sides, and differ at the end if at all.
fn duels() -> Vec<(String, String)> {
    let reversed = |count: usize, between: &str, part: &dyn Fn(usize) -> String| {
        let last = |n: usize| if n == 0 { "-17".to_owned() } else { part(n) };
        [
            (join(count, between, part), join(count, between, |n| part(count - 1 - n))),
            (join(count, between, part), join(count, between, |n| last(count - 1 - n))),
        ]
    };
    let in_brackets = |(a, b): (String, String)| (format!("({a})"), format!("({b})"));
    let matrix = |(a, b): (String, String)| {
        let matrix = |inside: &str| format!(r"\begin{{pmatrix}}{inside}\end{{pmatrix}}");
        (matrix(&a), matrix(&b))
    };
    let changed = |count: usize, between: &str, part: &dyn Fn(usize) -> String| {
        let last = |n: usize| if n == count - 1 { "-17".to_owned() } else { part(n) };
        (join(count, between, part), join(count, between, last))
    };
    let root = |n: usize| format!(r"\sqrt{{{}}}", n + 2);
    let sine = |n: usize| format!(r"\sin({}x)", n + 1);
    let double = |n: usize| format!(r"2\sin({}x)\cos({}x)", n + 1, n + 1);
    let doubled = |n: usize| format!(r"\sin({}x)", 2 * n + 2);
    let mut pairs = Vec::new();
    for between in [",", "+", r"\cdot ", "<", "="] {
        pairs.extend(reversed(400, between, &|n| n.to_string()));
        pairs.extend(reversed(250, between, &root));
        pairs.extend(reversed(200, between, &sine));
        pairs.extend(reversed(200, between, &|n| format!("{n}x+y^{n}")));
        pairs.extend(reversed(200, between, &|n| format!("x/{}", n + 1)));
        pairs.extend(reversed(300, between, &|n| format!("0.{}", n + 1)));
        pairs.push((join(60, between, double), join(60, between, |n| doubled(59 - n))));
    }
    pairs.extend(reversed(250, ",", &|n| format!(r"\text{{w{n}}}")));
    pairs.extend(reversed(200, ",", &|n| format!("({n},{n}x)")));
    pairs.extend(reversed(150, ",", &|n| format!("x={n}")));
    pairs.extend(reversed(200, r"\cup", &|n| format!("({n},{n}.5)")));
    pairs.extend(reversed(60, r"\cup", &|n| format!(r"[\sqrt{{{n}}},\sqrt{{{n}.5}}]")));
    pairs.extend(reversed(200, ",", &|n| format!(r"{n}\pm 1")));
    pairs.extend(
        [changed(500, ",", &|n| n.to_string()), changed(200, ",", &root), changed(150, ",", &sine)].map(in_brackets),
    );
    pairs.extend([changed(300, "&", &root), changed(150, "&", &sine)].map(matrix));
    pairs.push(changed(200, r"\\", &|n| format!("{n}&x")));
    let polynomial = join(24, "+", |n| format!("x^{{{n}}}"));
    let horner = nest("1+x(", "1", ")", 22);
    pairs.push((polynomial.clone(), horner));
    pairs.push((r"\frac{x^{24}-1}{x-1}".to_owned(), polynomial));
    pairs.push((join(12, "+", |n| format!(r"\frac{{1}}{{(x+{n})(x+{})}}", n + 1)), r"\frac{12}{x(x+12)}".to_owned()));
    pairs.push((join(30, "", |n| format!("(x-{n})")), join(30, "", |n| format!("({n}-x)"))));
    pairs.push(("(a+b+c+d+f)^5".to_owned(), "(a+b+c+d+f)^2(a+b+c+d+f)^3".to_owned()));
    pairs.push((join(200, "+", |_| "1,1".to_owned()), join(199, "+", |_| "1,1".to_owned())));
    pairs.push((join(900, ",", |_| "1".to_owned()), join(800, ",", |_| "1".to_owned())));
    pairs.push((join(250, ",", root), join(240, ",", root)));
    pairs
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
