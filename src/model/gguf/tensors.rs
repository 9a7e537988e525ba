//! The tensors of a decoder under the names of llama.cpp and of the network.

use crate::model::decoder::TextConfig;

/// A tensor that the network has a place for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// In the GGUF file.
    pub name: String,
    /// Below the decoder's own name, `lm_head.weight` beside it.
    pub network: String,
    pub shape: Vec<usize>,
    /// Rows of so many heads lie with the two halves of a rotated pair beside each other (llama.cpp's `llama`), which
    /// the network has half a head apart.
    pub paired_heads: Option<usize>,
    /// The file may lack it.
    pub optional: bool,
}

impl Wanted {
    /// One that lies as the network has it.
    pub fn plain(name: &str, network: &str, shape: &[usize]) -> Self {
        Self { name: name.into(), network: network.into(), shape: shape.to_vec(), paired_heads: None, optional: false }
    }

    /// Is it the output matrix, which is beside the decoder?
    pub fn is_output(&self) -> bool {
        self.network == "lm_head.weight"
    }
}

/// Every tensor of the decoder that `config` describes. llama.cpp leaves out an output matrix that is the embedding.
pub(super) fn wanted(config: &TextConfig, tied: bool) -> Vec<Wanted> {
    let (hidden, inner) = (config.hidden, config.intermediate);
    let (queries, keys) = (config.heads * config.head_size, config.key_value_heads * config.head_size);
    let table = [config.vocabulary, hidden];
    let mut all = vec![
        Wanted::plain("token_embd.weight", "embed_tokens.weight", &table),
        Wanted::plain("output_norm.weight", "norm.weight", &[hidden]),
        Wanted { optional: tied, ..Wanted::plain("output.weight", "lm_head.weight", &table) },
    ];
    let in_pairs = config.mrope_sections.is_none();
    for layer in 0..config.layers {
        let mut parts = vec![
            ("attn_norm.weight", "input_layernorm.weight", vec![hidden], None),
            ("attn_q.weight", "self_attn.q_proj.weight", vec![queries, hidden], Some(config.heads)),
            ("attn_k.weight", "self_attn.k_proj.weight", vec![keys, hidden], Some(config.key_value_heads)),
            ("attn_v.weight", "self_attn.v_proj.weight", vec![keys, hidden], None),
            ("attn_output.weight", "self_attn.o_proj.weight", vec![hidden, queries], None),
            ("ffn_norm.weight", "post_attention_layernorm.weight", vec![hidden], None),
            ("ffn_gate.weight", "mlp.gate_proj.weight", vec![inner, hidden], None),
            ("ffn_up.weight", "mlp.up_proj.weight", vec![inner, hidden], None),
            ("ffn_down.weight", "mlp.down_proj.weight", vec![hidden, inner], None),
        ];
        if config.attention_bias {
            parts.push(("attn_q.bias", "self_attn.q_proj.bias", vec![queries], Some(config.heads)));
            parts.push(("attn_k.bias", "self_attn.k_proj.bias", vec![keys], Some(config.key_value_heads)));
            parts.push(("attn_v.bias", "self_attn.v_proj.bias", vec![keys], None));
        }
        for (name, network, shape, heads) in parts {
            let paired_heads = heads.filter(|_| in_pairs);
            let (name, network) = (format!("blk.{layer}.{name}"), format!("layers.{layer}.{network}"));
            all.push(Wanted { paired_heads, ..Wanted::plain(&name, &network, &shape) });
        }
    }
    all
}

/// The rows of `heads` heads in the order of the network, from `bytes` of whole rows in llama.cpp's: of a head of size
/// 2n, pair i lies at 2i and 2i + 1 there, and at i and n + i here.
pub(super) fn with_halves_apart(bytes: &[u8], heads: usize, rows: usize) -> Vec<u8> {
    let row = bytes.len() / rows;
    let (size, half) = (rows / heads, rows / heads / 2);
    let mut ordered = Vec::with_capacity(bytes.len());
    for head in 0..heads {
        for place in 0..size {
            let from = head * size + 2 * (place % half) + place / half;
            ordered.extend_from_slice(&bytes[from * row..(from + 1) * row]);
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_apart() {
        // Two heads of six rows of one byte: pairs (0, 1), (2, 3), (4, 5).
        let bytes: Vec<u8> = (0..12).collect();
        assert_eq!(with_halves_apart(&bytes, 2, 12), [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
    }
}
