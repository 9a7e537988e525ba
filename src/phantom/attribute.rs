//! Attributes of a phantom: an enum whose values have fixed words.

/// Declares an attribute: the enum, all its values, its words in the same order, and a uniform draw.
macro_rules! attribute {
    ($(#[$about:meta])* $name:ident { $($(#[$about_value:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$about_value])* $value),+ }

        impl $name {
            /// Every value, in the order of `WORDS`.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];
            /// The word of every value; the vocabulary stays small.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word (or fixed phrase) for this value.
            pub fn word(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// A value drawn uniformly.
            pub fn draw(rng: &mut $crate::phantom::rng::PhantomRng) -> Self {
                [$(Self::$value),+][rng.below(Self::ALL.len())]
            }
        }
    };
}

pub(super) use attribute;
