//! Hashes of names, so that what has them tells no name.
use aws_lc_rs::digest;

/// Returns the hash of names in their order.
pub(crate) fn hash_of(parts: &[&str]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&part.len().to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
