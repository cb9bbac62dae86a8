//! The exact value of a number. A double holds integers only up to 2⁵³.

/// The value of a number in any notation: `0.digits` × 10^`exponent`.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Without zeros at the beginning and at the end; empty for zero.
    digits: Vec<u8>,
    exponent: i64,
}

/// Returns whether two numbers of the grammar of JSON have the same value.
pub(super) fn is_same(a: &str, b: &str) -> bool {
    Decimal::of(a) == Decimal::of(b)
}

impl Decimal {
    fn of(number: &str) -> Self {
        let (number, is_negative) = match number.strip_prefix('-') {
            Some(number) => (number, true),
            None => (number, false),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent_of(exponent)),
            None => (number, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut digits = [whole, fraction].concat().into_bytes();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Self { is_negative: false, digits, exponent: 0 };
        }
        let point = whole.len() as i64 - zeros as i64;
        Self { is_negative, digits, exponent: exponent.saturating_add(point) }
    }
}

fn exponent_of(text: &str) -> i64 {
    let (digits, sign) = match text.strip_prefix('-') {
        Some(digits) => (digits, -1),
        None => (text.strip_prefix('+').unwrap_or(text), 1),
    };
    let digits = digits.bytes().map(|digit| i64::from(digit.wrapping_sub(b'0')));
    sign * digits.fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn notation_does_not_matter_and_the_last_digit_does() {
        for (a, b, expected) in [
            ("5", "5.0", true),
            ("5", "5e0", true),
            ("5", "0.5E+1", true),
            ("5", "50e-1", true),
            ("5", "-5", false),
            ("0", "-0.00e7", true),
            ("0", "0e99999999999999999999", true),
            ("1e99999999999999999999", "1e-99999999999999999999", false),
            ("100", "1e2", true),
            ("100", "1e3", false),
            ("9007199254740993", "9007199254740992", false),
            ("9007199254740993", "9.007199254740993e15", true),
            ("18446744073709551616", "18446744073709551617", false),
            ("1000000000000000000000001", "1e24", false),
        ] {
            assert_eq!(is_same(a, b), expected, "{a} {b}");
            assert_eq!(is_same(b, a), expected, "{b} {a}");
        }
    }

    proptest! {
        #[test]
        fn every_notation_of_an_integer_is_the_same(number in any::<i64>(), shift in 0usize..30) {
            let plain = number.to_string();
            let zeros = "0".repeat(shift);
            let (fraction, scaled) = (format!("{plain}.{zeros}0"), format!("{plain}{zeros}e-{shift}"));
            prop_assert!(is_same(&plain, &fraction));
            prop_assert!(is_same(&plain, &scaled));
            let next = number.wrapping_add(1).to_string();
            prop_assert!(!is_same(&plain, &next));
        }
    }
}
