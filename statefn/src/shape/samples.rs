//! Made-up values that a type is deserialized from, tried in turn where one is refused.

/// How often a place may refuse its sample.
pub(super) const ATTEMPTS_MAX: usize = TEXTS.len() + 1;

const NUMBERS: [u8; 8] = [1, 0, 2, 3, 7, 10, 32, 100];

/// The forms that validated strings most often have.
const TEXTS: [&str; 24] = [
    "a",
    "",
    "A",
    "1",
    "0",
    "1.0",
    "1.0.0",
    "00",
    "true",
    "127.0.0.1",
    "127.0.0.1:80",
    "::1",
    "127.0.0.0/8",
    "00000000-0000-0000-0000-000000000000",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00",
    "00:00:00",
    "1s",
    "EUR",
    "en",
    "a@example.com",
    "https://example.com/",
];

static BYTES: [u8; 64] = [0; 64];

const LENGTHS: [usize; 8] = [16, 0, 4, 8, 12, 20, 32, 64];

pub(super) fn number(attempt: usize) -> u8 {
    pick(&NUMBERS, attempt)
}

pub(super) fn float(attempt: usize) -> f32 {
    f32::from(number(attempt))
}

pub(super) fn boolean(attempt: usize) -> bool {
    attempt.is_multiple_of(2)
}

pub(super) fn character(attempt: usize) -> char {
    pick(&['a', 'A', '0', ' ', '*'], attempt)
}

pub(super) fn text(attempt: usize) -> &'static str {
    pick(&TEXTS, attempt)
}

pub(super) fn bytes(attempt: usize) -> &'static [u8] {
    BYTES.get(..pick(&LENGTHS, attempt)).unwrap_or_default()
}

fn pick<T: Copy + Default>(from: &[T], attempt: usize) -> T {
    attempt
        .checked_rem(from.len())
        .and_then(|index| from.get(index).copied())
        .unwrap_or_default()
}
