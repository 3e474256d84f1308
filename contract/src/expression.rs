//! The one small grammar behind delay laws, fault rules and polling strategies.
//!
//! ```text
//! sum      = product { "+" product }
//! product  = [ word "*" ] term
//! term     = word [ "(" [ argument { "," argument } ] ")" ]
//! argument = [ word "=" ] sum
//! word     = letters, digits, "_", ".", "%", "-" and "/"
//! ```
//!
//! `0.95*lognormal(4s,0.67) + 0.05*never` is a sum of two products. This module
//! knows no names: what `lognormal` means, and whether `4s` is a duration, is
//! for the reader of the tree to say. Every part remembers its place in the
//! text, so that the reader's complaint can point at it.

use std::fmt;

/// How deeply terms may nest. Nothing meaningful needs more than three.
const MAX_DEPTH: usize = 8;

/// A weighted sum of terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum<'a> {
    /// At least one product.
    pub products: Vec<Product<'a>>,
    /// Where the sum begins, in bytes.
    pub offset: usize,
}

/// A term with the factor before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product<'a> {
    /// What stands before the `*`.
    pub weight: Option<Word<'a>>,
    /// What is weighted.
    pub term: Term<'a>,
}

/// A word, perhaps with arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// The name or the literal.
    pub word: Word<'a>,
    /// `None` for `never`, empty for `never()`.
    pub arguments: Option<Vec<Argument<'a>>>,
}

/// What stands between the parentheses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument<'a> {
    /// What stands before the `=`.
    pub name: Option<Word<'a>>,
    /// The value.
    pub value: Sum<'a>,
}

/// A run of letters and digits, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// As written.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub offset: usize,
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Bytes before the mistake.
    pub offset: usize,
    /// What is wrong and what to write instead, as a fragment.
    pub message: String,
}

impl ExpressionError {
    /// Complains about the place `offset`.
    pub fn new(offset: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            message: message.into(),
        }
    }

    /// The same complaint about a text that starts `bytes` further on.
    #[must_use]
    pub fn shifted(self, bytes: usize) -> Self {
        Self {
            offset: self.offset + bytes,
            ..self
        }
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.offset + 1, self.message)
    }
}

impl std::error::Error for ExpressionError {}

impl<'a> Sum<'a> {
    /// Reads the whole of `text`.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] at the first character that does not fit.
    pub fn parse(text: &'a str) -> Result<Self, ExpressionError> {
        let mut reader = Reader {
            text,
            offset: 0,
            depth: 0,
        };
        let sum = reader.sum()?;
        match reader.peek() {
            None => Ok(sum),
            Some(character) => Err(reader.error(format!("did not expect {character:?}"))),
        }
    }

    /// The only term, if there is just one and it has no weight.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] when this is a real sum.
    pub fn single(&self) -> Result<&Term<'a>, ExpressionError> {
        match self.products.as_slice() {
            [Product { weight: None, term }] => Ok(term),
            _ => Err(ExpressionError::new(
                self.offset,
                "expected one value here, not a sum",
            )),
        }
    }

    /// The only word, if the sum is nothing but a word.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] when there is more.
    pub fn word(&self) -> Result<Word<'a>, ExpressionError> {
        match self.single()? {
            Term {
                word,
                arguments: None,
            } => Ok(*word),
            Term { word, .. } => Err(word.error("expected a plain value here")),
        }
    }
}

impl<'a> Term<'a> {
    /// The arguments, which must be `count` and unnamed.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] with `usage`, such as `uniform(1s,5s)`.
    pub fn exactly(&self, count: usize, usage: &str) -> Result<Vec<&Sum<'a>>, ExpressionError> {
        let arguments = self.arguments.as_deref().unwrap_or_default();
        if arguments.len() != count || arguments.iter().any(|argument| argument.name.is_some()) {
            return Err(self.word.error(format!("write it like {usage}")));
        }
        Ok(arguments.iter().map(|argument| &argument.value).collect())
    }
}

impl Word<'_> {
    /// A complaint about this word.
    pub fn error(&self, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.offset, message)
    }

    /// The word as a value of another type, with that type's complaint if it is not one.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] at this word.
    pub fn read<T>(&self) -> Result<T, ExpressionError>
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        self.text
            .parse()
            .map_err(|error: T::Err| self.error(error.to_string()))
    }

    /// The word as a finite number.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] at this word.
    pub fn number(&self) -> Result<f64, ExpressionError> {
        self.text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| self.error(format!("{:?} is not a number", self.text)))
    }
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn sum(&mut self) -> Result<Sum<'a>, ExpressionError> {
        self.skip_space();
        let offset = self.offset;
        let mut products = vec![self.product()?];
        while self.eat('+') {
            products.push(self.product()?);
        }
        Ok(Sum { products, offset })
    }

    fn product(&mut self) -> Result<Product<'a>, ExpressionError> {
        let word = self.word()?;
        if self.eat('*') {
            let word_after = self.word()?;
            let term = self.term(word_after)?;
            return Ok(Product {
                weight: Some(word),
                term,
            });
        }
        Ok(Product {
            weight: None,
            term: self.term(word)?,
        })
    }

    fn term(&mut self, word: Word<'a>) -> Result<Term<'a>, ExpressionError> {
        let arguments = if self.eat('(') {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error("nested too deeply"));
            }
            let arguments = self.arguments()?;
            self.depth -= 1;
            Some(arguments)
        } else {
            None
        };
        Ok(Term { word, arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Argument<'a>>, ExpressionError> {
        let mut arguments = Vec::new();
        if self.eat(')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.eat(')') {
                return Ok(arguments);
            }
            if !self.eat(',') {
                return Err(self.error("expected , or )"));
            }
        }
    }

    fn argument(&mut self) -> Result<Argument<'a>, ExpressionError> {
        let start = self.offset;
        if let Ok(name) = self.word()
            && self.eat('=')
        {
            return Ok(Argument {
                name: Some(name),
                value: self.sum()?,
            });
        }
        self.offset = start;
        Ok(Argument {
            name: None,
            value: self.sum()?,
        })
    }

    fn word(&mut self) -> Result<Word<'a>, ExpressionError> {
        self.skip_space();
        let rest = &self.text[self.offset..];
        let belongs = |c: char| c.is_ascii_alphanumeric() || "_.%-/".contains(c);
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.error("expected a name or a number"));
        }
        let word = Word {
            text: &rest[..length],
            offset: self.offset,
        };
        self.offset += length;
        Ok(word)
    }

    fn eat(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        if found {
            self.offset += character.len_utf8();
        }
        found
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.offset..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.offset..];
        self.offset += rest.len() - rest.trim_start().len();
    }

    fn error(&self, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.offset, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_a_weighted_sum_with_arguments() {
        let sum = Sum::parse("0.95*lognormal(4s, 0.67) + 0.05*never").expect("well-formed");
        let [first, second] = sum.products.as_slice() else {
            panic!("{sum:?}");
        };
        assert_eq!(first.weight.map(|word| word.text), Some("0.95"));
        assert_eq!(first.term.word.text, "lognormal");
        assert_eq!(first.term.arguments.as_ref().map(Vec::len), Some(2));
        assert_eq!(second.term.word.text, "never");
        assert_eq!(second.term.arguments, None);
    }

    #[test]
    fn reads_named_arguments() {
        let sum = Sum::parse("backoff(1s, x2, cap=60s)").expect("well-formed");
        let arguments = sum.single().expect("one term").arguments.as_deref();
        let last = arguments.and_then(<[_]>::last).expect("three arguments");
        assert_eq!(last.name.map(|word| word.text), Some("cap"));
        assert_eq!(last.value.word().expect("a word").text, "60s");
    }

    #[test]
    fn points_at_the_mistake() {
        for (text, message) in [
            ("", "at character 1: expected a name or a number"),
            ("uniform(1s;5s)", "at character 11: expected , or )"),
            ("fixed(1s", "at character 9: expected , or )"),
            ("2s)", "at character 3: did not expect ')'"),
            ("0.5*", "at character 5: expected a name or a number"),
        ] {
            let error = Sum::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
        }
        assert!(Sum::parse(&"a(".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[a-z0-9(),=+* .%é]{0,40}") {
            let _ = Sum::parse(&text);
        }
    }
}
