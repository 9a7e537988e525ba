//! Training a byte-level BPE tokenizer (Sennrich et al. 2016) on a corpus.

use super::special;
use anyhow::{Result, anyhow};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, NormalizerWrapper, Tokenizer, TokenizerImpl};

/// Trains a tokenizer on `texts`; returns the content of `tokenizer.json` and the number of tokens. The vocabulary consists
/// of the special tokens (`special::ALL`, in that order), the 256 bytes, and merges of frequent pairs up to
/// `largest_vocabulary` tokens. Every text can be encoded.
///
/// The result does not depend on the order of the texts: pairs are counted, and ties go to the lower ids.
pub fn train_tokenizer<'a>(
    texts: impl Iterator<Item = &'a str> + Send,
    largest_vocabulary: usize,
) -> Result<(Vec<u8>, usize)> {
    let special: Vec<AddedToken> = special::ALL.iter().map(|(token, _)| AddedToken::from(*token, true)).collect();
    let mut trainer = BpeTrainer::builder()
        .vocab_size(largest_vocabulary)
        // Pairs that occur once are not merged.
        .min_frequency(2)
        .special_tokens(special)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .show_progress(false)
        .build();
    let bytes = ByteLevel::new(false, true, true);
    let failed = |error: tokenizers::Error| anyhow!("cannot train a tokenizer: {error}");
    let mut typed = TokenizerImpl::<BPE, NormalizerWrapper, ByteLevel, ByteLevel, ByteLevel>::new(BPE::default());
    typed.with_pre_tokenizer(Some(bytes)).with_decoder(Some(bytes));
    typed.train(&mut trainer, texts).map_err(failed)?;
    let size = typed.get_vocab_size(true);
    let mut definition = typed.to_string(true).map_err(failed)?.into_bytes();
    definition.push(b'\n');
    // Checks that the definition can be loaded.
    Tokenizer::from_bytes(&definition).map_err(failed)?;
    Ok((definition, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: [&str; 3] = ["background: a dark mass", "is it malignant? Yes", "a mass, No"];

    #[test]
    fn the_order_of_texts_does_not_matter() {
        let forward = train_tokenizer(CORPUS.into_iter(), 300).unwrap();
        let backward = train_tokenizer(CORPUS.into_iter().rev(), 300).unwrap();
        assert_eq!(forward, backward);
    }

    #[test]
    fn special_tokens_have_their_fixed_ids() {
        let (definition, size) = train_tokenizer(CORPUS.into_iter(), 300).unwrap();
        let tokenizer = Tokenizer::from_bytes(definition).unwrap();
        for (token, id) in special::ALL {
            assert_eq!(tokenizer.token_to_id(token), Some(id), "{token}");
        }
        assert!(size > 9 + 256 && size <= 300, "{size} tokens");
    }

    #[test]
    fn any_text_round_trips() {
        let (definition, _) = train_tokenizer(CORPUS.into_iter(), 300).unwrap();
        let tokenizer = Tokenizer::from_bytes(definition).unwrap();
        for text in ["a mass", "肺 🫁 \u{0} ünï", "  two  spaces\n\nlines"] {
            let ids = tokenizer.encode(text, false).unwrap().get_ids().to_vec();
            assert_eq!(tokenizer.decode(&ids, false).unwrap(), text);
        }
    }
}
