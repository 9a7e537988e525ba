//! CLIP (`CLIPModel`): image tower, text tower, projections, logit scale.
