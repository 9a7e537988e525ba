//! The tensors of a decoder, with their names in llama.cpp and in the network.

use super::metadata::architecture;
use crate::model::decoder::TextConfig;

/// A tensor that the file must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpectedTensor {
    /// Name in the GGUF file.
    pub name: String,
    /// Name in the network, without the decoder's prefix.
    pub network: String,
    pub shape: Vec<usize>,
    /// Number of heads, if the rows of RoPE pairs are adjacent in the file (llama.cpp's `llama`); in the network they are half
    /// a head apart.
    pub paired_heads: Option<usize>,
    /// True if the file may lack the tensor.
    pub optional: bool,
    /// True if the file may have fewer rows: llama.cpp cuts off those of a Gemma vocabulary that the tokenizer has no token for.
    pub may_be_cut: bool,
}

impl ExpectedTensor {
    /// A required tensor with the same row order as in the network.
    pub fn plain(name: &str, network: &str, shape: &[usize]) -> Self {
        Self {
            name: name.into(),
            network: network.into(),
            shape: shape.to_vec(),
            paired_heads: None,
            optional: false,
            may_be_cut: false,
        }
    }

    /// True if it is the output matrix.
    pub fn is_output(&self) -> bool {
        self.network == "lm_head.weight"
    }
}

/// All tensors of the decoder that `config` describes. llama.cpp omits tied output matrices.
pub(super) fn expected_tensors(config: &TextConfig, tied: bool) -> Vec<ExpectedTensor> {
    let (hidden, inner) = (config.hidden, config.intermediate);
    let (queries, keys) = (config.heads * config.head_size, config.key_value_heads * config.head_size);
    let table = [config.vocabulary, hidden];
    let gemma = config.gemma.as_ref();
    let may_be_cut = gemma.is_some();
    let mut all = vec![
        ExpectedTensor { may_be_cut, ..ExpectedTensor::plain("token_embd.weight", "embed_tokens.weight", &table) },
        ExpectedTensor::plain("output_norm.weight", "norm.weight", &[hidden]),
        ExpectedTensor { optional: tied, ..ExpectedTensor::plain("output.weight", "lm_head.weight", &table) },
    ];
    let in_pairs = architecture(config) == "llama";
    for layer in 0..config.layers {
        let mut parts = vec![
            ("attn_norm.weight", "input_layernorm.weight", vec![hidden], None),
            ("attn_q.weight", "self_attn.q_proj.weight", vec![queries, hidden], Some(config.heads)),
            ("attn_k.weight", "self_attn.k_proj.weight", vec![keys, hidden], Some(config.key_value_heads)),
            ("attn_v.weight", "self_attn.v_proj.weight", vec![keys, hidden], None),
            ("attn_output.weight", "self_attn.o_proj.weight", vec![hidden, queries], None),
            ("ffn_gate.weight", "mlp.gate_proj.weight", vec![inner, hidden], None),
            ("ffn_up.weight", "mlp.up_proj.weight", vec![inner, hidden], None),
            ("ffn_down.weight", "mlp.down_proj.weight", vec![hidden, inner], None),
        ];
        if gemma.is_some_and(|gemma| gemma.has_norms_after) {
            parts.push(("post_attention_norm.weight", "post_attention_layernorm.weight", vec![hidden], None));
            parts.push(("ffn_norm.weight", "pre_feedforward_layernorm.weight", vec![hidden], None));
            parts.push(("post_ffw_norm.weight", "post_feedforward_layernorm.weight", vec![hidden], None));
        } else {
            parts.push(("ffn_norm.weight", "post_attention_layernorm.weight", vec![hidden], None));
        }
        if config.query_key_norm || gemma.is_some_and(|gemma| gemma.has_head_norms) {
            parts.push(("attn_q_norm.weight", "self_attn.q_norm.weight", vec![config.head_size], None));
            parts.push(("attn_k_norm.weight", "self_attn.k_norm.weight", vec![config.head_size], None));
        }
        if config.attention_bias {
            parts.push(("attn_q.bias", "self_attn.q_proj.bias", vec![queries], Some(config.heads)));
            parts.push(("attn_k.bias", "self_attn.k_proj.bias", vec![keys], Some(config.key_value_heads)));
            parts.push(("attn_v.bias", "self_attn.v_proj.bias", vec![keys], None));
        }
        for (name, network, shape, heads) in parts {
            let paired_heads = heads.filter(|_| in_pairs);
            let (name, network) = (format!("blk.{layer}.{name}"), format!("layers.{layer}.{network}"));
            all.push(ExpectedTensor { paired_heads, ..ExpectedTensor::plain(&name, &network, &shape) });
        }
    }
    all
}

/// Reorders the rows of `heads` heads from llama.cpp's order to the network's. In a head of size 2n, pair i is at rows 2i
/// and 2i + 1 in the file, and at rows i and n + i in the network. `bytes` holds whole rows.
pub(super) fn with_split_halves(bytes: &[u8], heads: usize, rows: usize) -> Vec<u8> {
    let row = bytes.len() / rows;
    let (size, half) = (rows / heads, rows / heads / 2);
    let mut ordered = Vec::with_capacity(bytes.len());
    for head in 0..heads {
        for position in 0..size {
            let from = head * size + 2 * (position % half) + position / half;
            ordered.extend_from_slice(&bytes[from * row..(from + 1) * row]);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_split() {
        // Two heads of six rows of one byte: pairs (0, 1), (2, 3), (4, 5).
        let bytes: Vec<u8> = (0..12).collect();
        assert_eq!(with_split_halves(&bytes, 2, 12), [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
    }
}
