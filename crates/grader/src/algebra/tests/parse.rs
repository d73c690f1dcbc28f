//! A small infix reader, so that tests can be read: `+ - * / ^ !`, functions, `pi`, `E`, `I`, `oo`, any other name a symbol.

use crate::algebra::{Arena, Func, Id, Rational};
use crate::{Budget, Refusal};

pub(super) fn parse(arena: &mut Arena, text: &str, budget: &mut Budget) -> Result<Id, Refusal> {
    let mut reader = Reader { arena, rest: text, budget };
    let id = reader.sum()?;
    assert!(reader.rest.trim().is_empty(), "{text}: stopped before {:?}", reader.rest);
    Ok(id)
}

struct Reader<'a> {
    arena: &'a mut Arena,
    rest: &'a str,
    budget: &'a mut Budget,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: char) -> bool {
        self.rest = self.rest.trim_start();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sum(&mut self) -> Result<Id, Refusal> {
        let mut terms = vec![self.product()?];
        loop {
            if self.take('+') {
                terms.push(self.product()?);
            } else if self.take('-') {
                let term = self.product()?;
                terms.push(self.arena.neg(term, self.budget)?);
            } else {
                return self.arena.add(terms, self.budget);
            }
        }
    }

    fn product(&mut self) -> Result<Id, Refusal> {
        let mut factors = vec![self.sign()?];
        loop {
            if self.take('*') {
                factors.push(self.sign()?);
            } else if self.take('/') {
                let factor = self.sign()?;
                let minus = self.arena.number(Rational::MINUS_ONE, self.budget)?;
                factors.push(self.arena.pow(factor, minus, self.budget)?);
            } else {
                return self.arena.mul(factors, self.budget);
            }
        }
    }

    fn sign(&mut self) -> Result<Id, Refusal> {
        if self.take('-') {
            let id = self.sign()?;
            return self.arena.neg(id, self.budget);
        }
        self.power()
    }

    fn power(&mut self) -> Result<Id, Refusal> {
        let mut base = self.atom()?;
        while self.take('!') {
            base = self.arena.call(Func::Factorial, vec![base], self.budget)?;
        }
        if !self.take('^') {
            return Ok(base);
        }
        let exponent = self.sign()?;
        self.arena.pow(base, exponent, self.budget)
    }

    fn atom(&mut self) -> Result<Id, Refusal> {
        if self.take('(') {
            let id = self.sum()?;
            assert!(self.take(')'), "unclosed before {:?}", self.rest);
            return Ok(id);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let number = self.word(|c| c.is_ascii_digit() || c == '.');
            let id = if number.contains('.') {
                self.arena.decimal(number, self.budget)?
            } else {
                self.arena.integer(number, self.budget)?
            };
            return Ok(id.unwrap());
        }
        let name = self.word(char::is_alphanumeric);
        assert!(!name.is_empty(), "nothing to read before {:?}", self.rest);
        if self.take('(') {
            let mut args = vec![self.sum()?];
            while self.take(',') {
                args.push(self.sum()?);
            }
            assert!(self.take(')'), "unclosed before {:?}", self.rest);
            return self.arena.call(func(name), args, self.budget);
        }
        match name {
            "pi" => self.arena.pi(self.budget),
            "E" => self.arena.e(self.budget),
            "I" => self.arena.i(self.budget),
            "oo" => self.arena.infinity(self.budget),
            _ => self.arena.symbol(name, self.budget),
        }
    }
}

fn func(name: &str) -> Func {
    match name {
        "ln" => Func::Ln,
        "log" => Func::Log,
        "exp" => Func::Exp,
        "sqrt" => Func::Sqrt,
        "root" => Func::Root,
        "sin" => Func::Sin,
        "cos" => Func::Cos,
        "tan" => Func::Tan,
        "cot" => Func::Cot,
        "sec" => Func::Sec,
        "csc" => Func::Csc,
        "asin" => Func::Arcsin,
        "acos" => Func::Arccos,
        "atan" => Func::Arctan,
        "sinh" => Func::Sinh,
        "cosh" => Func::Cosh,
        "tanh" => Func::Tanh,
        "asinh" => Func::Arsinh,
        "acosh" => Func::Arcosh,
        "atanh" => Func::Artanh,
        "abs" => Func::Abs,
        "re" => Func::Re,
        "im" => Func::Im,
        "floor" => Func::Floor,
        "ceil" => Func::Ceil,
        "binomial" => Func::Binomial,
        "min" => Func::Min,
        "max" => Func::Max,
        "gcd" => Func::Gcd,
        _ => panic!("no function {name}"),
    }
}
