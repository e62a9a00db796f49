//! Phone numbers.

use kernel::Malformed;
use serde::{Deserialize, Serialize};

/// The most digits of a number, country code included
/// ([E.164](https://www.itu.int/rec/T-REC-E.164), section 6.2.1).
const MOST_DIGITS: usize = 15;

/// A phone number in E.164: `+4989123456`. Two are the same if these forms are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people write it (`+49 (0)89 123-456`). It must begin with `+` and the country code, since
    /// nothing here tells which country a number without one is meant in. An extension is left out: E.164 has none.
    ///
    /// That such a number is in use is not checked: numbering plans change faster than their descriptions.
    ///
    /// # Errors
    /// [`Malformed`] when it cannot be read so.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        let malformed =
            || Malformed::new("must be a phone number with its country code, such as +49 89 123456");
        if !text.starts_with(['+', '＋']) {
            return Err(malformed());
        }
        let number = phonenumber::parse(None, text).map_err(|_| malformed())?;
        let written = number.format().mode(phonenumber::Mode::E164).to_string();
        let digits = written.strip_prefix('+').unwrap_or_default();
        let well_formed = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if !well_formed || digits.is_empty() || digits.len() > MOST_DIGITS {
            return Err(malformed());
        }
        Ok(Self(written))
    }

    /// The number in E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The forms in which people look for it: with the country code, without it, and with the zero that most countries dial
    /// instead.
    pub fn searchable(&self) -> Vec<String> {
        let mut forms = vec![self.0.clone()];
        if let Some(national) = self.national() {
            forms.push(national.to_owned());
            if !national.starts_with('0') {
                forms.push(format!("0{national}"));
            }
        }
        forms
    }

    /// The number without its country code.
    pub fn national(&self) -> Option<&str> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        self.0.strip_prefix(&format!("+{}", number.country().code()))
    }
}

#[cfg(test)]
mod tests {
    use super::Phone;
    use proptest::prelude::*;

    fn e164(text: &str) -> Option<String> {
        Phone::parse(text).ok().map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn every_way_of_writing_a_number_is_one_number() {
        for text in ["+49 89 123456", "+49 (89) 123-456", "  +4989123456 ", "+49.89.123456", "＋49 89 123456"]
        {
            assert_eq!(e164(text).as_deref(), Some("+4989123456"), "{text}");
        }
        assert_eq!(e164("+1 415 555 2671").as_deref(), Some("+14155552671"));
        assert_eq!(e164("+44 (0)20 7946 0958").as_deref(), Some("+442079460958"));
        assert_eq!(
            e164("+39 06 698 12345").as_deref(),
            Some("+390669812345"),
            "an Italian zero belongs to it"
        );
    }

    #[test]
    fn a_number_without_country_code_is_refused() {
        for text in [
            "089 123456",
            "0049 89 123456",
            "4989123456",
            "",
            "+",
            "+abc",
            "+0 123456",
            "ana",
            "+999 1234567",
        ] {
            assert_eq!(e164(text), None, "{text}");
        }
        assert_eq!(e164("+49 1234567890123456789"), None, "more than 15 digits");
    }

    #[test]
    fn a_number_is_looked_for_with_and_without_its_country() {
        let forms = |text| Phone::parse(text).unwrap().searchable();
        assert_eq!(forms("+49 89 123456"), ["+4989123456", "89123456", "089123456"]);
        assert_eq!(forms("+1 415 555 2671"), ["+14155552671", "4155552671", "04155552671"]);
        assert_eq!(forms("+39 06 698 12345"), ["+390669812345", "0669812345"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Phone::parse(&text);
            let _ = Phone::parse(&format!("+{text}"));
        }

        #[test]
        fn a_number_read_again_is_the_same(text in "\\+[0-9 ()./;=a-z-]{3,37}") {
            if let Some(number) = e164(&text) { prop_assert_eq!(e164(&number), Some(number.clone()), "{}", number); }
        }
    }
}
