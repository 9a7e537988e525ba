//! Pixtral (`LlavaForConditionalGeneration`): vision tower, projector, Mistral decoder.
