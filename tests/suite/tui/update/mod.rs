//! What keys do to the state, and what they ask of the world.

mod annotation;
mod evidence;
mod filters;
mod navigation;
mod people;
