//! Which claims a token must have, and what an accepted token says.
mod claims;
mod contents;
mod profile;
mod times;
mod tolerance;
